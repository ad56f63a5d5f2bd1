"""Batches from a zip or a folder: their order, their values, and every kind of bad input."""

import io
import shutil
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from lines.dataset import write_zip
from lines.scene import COLOURS
from tests.helpers import ROOT
from utils.images import Palette, find_palette, grid, to_float, to_uint8
from utils.loaders import ImageStream, load_images, read_images, read_picture
from utils.sources import ArraySource, ImageFiles, to_rgb


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def make_zip(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def solid(colour, size=(8, 8), mode="RGB"):
    return Image.new(mode, size, colour)


@pytest.fixture
def greys(tmp_path):
    """Ten 8-pixel images, image i of grey 10·i."""
    return make_zip(
        tmp_path / "greys.zip", {f"g/{i}.png": png(solid((10 * i,) * 3)) for i in range(10)}
    )


def test_the_reference_data(capsys):
    stream = load_images(ROOT / "output.zip", 128, 16)
    assert capsys.readouterr().out == "Found 10000 images belonging to 1 classes.\n"
    assert stream[0][0][0].shape == (128, 128, 3)
    (images,) = next(stream)
    assert images.dtype == np.float32 and images.shape == (16, 128, 128, 3)
    assert images.min() == -1 and images.max() <= 1
    assert np.array_equal(images, stream[0][0])


def test_each_image_once_per_pass_and_full_batches_across_passes(greys):
    stream = load_images(greys, 8, 4, seed=3)
    values = [v for k in range(5) for v in to_uint8(stream[k][0])[:, 0, 0, 0].tolist()]
    assert sorted(values[:10]) == sorted(values[10:]) == [10 * i for i in range(10)]
    assert values[:10] != values[10:]


def test_batch_k_depends_on_seed_and_k_alone(greys):
    first, second = load_images(greys, 8, 4, seed=3), load_images(greys, 8, 4, seed=3)
    late = second[7][0]
    batches = [next(first)[0] for _ in range(8)]
    assert np.array_equal(batches[7], late)
    assert not np.array_equal(load_images(greys, 8, 4, seed=4)[7][0], late)
    assert np.array_equal(to_float(second.first(6)), np.concatenate(batches)[:6])
    second.position = 6
    assert np.array_equal(next(second)[0], batches[6])


def numbered(count):
    """Images of one pixel, image i of value i."""
    return ArraySource(np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1))


def test_without_held_back_images_a_pass_is_a_plain_permutation():
    """The formula of the reference, whose batches must stay the same."""
    stream = ImageStream(numbered(30), 5, seed=3)
    order = np.random.default_rng((3, 1, 1)).permutation(30)
    values = [to_uint8(stream[k][0]).ravel() for k in range(6, 12)]
    assert np.array_equal(np.concatenate(values), order)
    assert (stream.training_count, stream.held_back_count) == (30, 0)
    assert stream.held_back(9).shape == (0, 1, 1, 1)


def test_held_back_images_are_in_no_batch():
    stream = ImageStream(numbered(200), 30, seed=3, held_back=0.1)
    assert (stream.training_count, stream.held_back_count) == (180, 20)
    held_back = set(stream.held_back(500).ravel().tolist())
    assert len(held_back) == 20
    for number in range(4):  # passes of six batches
        batches = [next(stream)[0] for _ in range(6)]
        values = to_uint8(np.concatenate(batches)).ravel().tolist()
        assert len(values) == 180 and {*values} == {*range(200)} - held_back, number
    assert {*stream.first(180).ravel().tolist()} == {*range(200)} - held_back
    few = stream.held_back(7).ravel().tolist()
    assert len(few) == 7 and {*few} <= held_back


def test_every_session_holds_back_the_same_images():
    """They do not depend on the batch size, or on what was read before."""
    first = ImageStream(numbered(200), 30, seed=3, held_back=0.1)
    second = ImageStream(numbered(200), 8, seed=3, held_back=0.1)
    next(second)
    assert np.array_equal(first.held_back(20), second.held_back(20))
    other = ImageStream(numbered(200), 30, seed=4, held_back=0.1).held_back(20)
    assert {*other.ravel().tolist()} != {*first.held_back(20).ravel().tolist()}
    assert first.fingerprint() == ImageStream(numbered(200), 30, seed=3).fingerprint()


def test_of_few_images_none_are_held_back():
    stream = ImageStream(numbered(194), 4, held_back=0.1)  # 19 would say little
    assert (stream.training_count, stream.held_back_count) == (194, 0)
    assert ImageStream(numbered(195), 4, held_back=0.1).held_back_count == 20


def test_shares_and_batches_that_cannot_be_held_back():
    for share in (-0.1, 0.6, float("nan")):
        with pytest.raises(ValueError, match=f"a share from 0 to 0.5, received {share}"):
            ImageStream(numbered(200), 4, held_back=share)
    with pytest.raises(ValueError, match="images, 180 that are not held back, of 200; received 18"):
        ImageStream(numbered(200), 181, held_back=0.1)


def test_held_back_images_of_a_file(tmp_path):
    write_zip(tmp_path / "lines.zip", count=50, size=16, weight=1)
    stream = load_images(tmp_path / "lines.zip", 16, 4, held_back=0.5)
    both = np.concatenate([stream.first(25), stream.held_back(25)])
    assert len(np.unique(both.reshape(50, -1), axis=0)) == 50
    everything = read_images(tmp_path / "lines.zip", 16)
    assert np.array_equal(np.sort(both.reshape(50, -1), 0), np.sort(everything.reshape(50, -1), 0))


def test_cached_or_decoded_each_time_gives_the_same(greys):
    cached = load_images(greys, 8, 4)
    streamed = load_images(greys, 8, 4, memory_limit=10 * 8 * 8 * 3 - 1)
    assert cached.source.cache is not None and streamed.source.cache is None
    for _ in range(9):
        assert np.array_equal(next(cached)[0], next(streamed)[0])


def test_a_folder_equals_its_zip(greys, tmp_path):
    folder = tmp_path / "folder"
    with zipfile.ZipFile(greys) as archive:
        archive.extractall(folder)
    assert np.array_equal(load_images(folder, 8, 4)[2][0], load_images(greys, 8, 4)[2][0])


def test_other_entries_are_skipped_and_counted(tmp_path, capsys):
    names = ("__MACOSX/._a.png", ".DS_Store", "notes.txt", "deep/.hidden.png")
    path = make_zip(tmp_path / "x.zip", {"a.png": png(solid("red")), **dict.fromkeys(names, b"x")})
    load_images(path, 8, 1)
    assert capsys.readouterr().out == (
        "Found 1 images belonging to 1 classes.\nSkipped 4 files: not images.\n"
    )


def test_other_sizes_are_resized_with_one_message(tmp_path, capsys):
    path = make_zip(
        tmp_path / "x.zip", {f"{i}.png": png(solid("red", (20, 10 + i))) for i in range(3)}
    )
    images = to_uint8(load_images(path, 8, 3)[0][0])
    assert images.shape == (3, 8, 8, 3) and (images == (255, 0, 0)).all()
    assert capsys.readouterr().out.count("resized to 8×8") == 1


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (solid(77, mode="L"), (77, 77, 77)),
        (solid((0, 0, 0, 0), mode="RGBA"), (255, 255, 255)),
        (solid((0, 255, 0, 255), mode="RGBA"), (0, 255, 0)),
        (solid(1, mode="1"), (255, 255, 255)),
        (Image.fromarray(np.full((8, 8), 65535, np.uint16)), (255, 255, 255)),
        (Image.fromarray(np.full((8, 8), 257 * 100, np.uint16)), (100, 100, 100)),
        (solid("blue").convert("P"), (0, 0, 255)),
    ],
)
def test_any_mode_becomes_rgb(image, expected):
    assert (to_rgb(image, 8) == expected).all()


def test_bad_input_is_named(tmp_path, greys):
    with pytest.raises(FileNotFoundError, match=r"nix\.zip: no such file or folder"):
        load_images(tmp_path / "nix.zip", 8, 1)
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.zip: not a zip"):
        load_images(tmp_path / "text.zip", 8, 1)
    with pytest.raises(ValueError, match="no images among its 1 file;"):
        load_images(make_zip(tmp_path / "empty.zip", {"a.txt": b"x"}), 8, 1)
    (tmp_path / "void").mkdir()
    with pytest.raises(ValueError, match="no images among its 0 files"):
        load_images(tmp_path / "void", 8, 1)
    with pytest.raises(ValueError, match="must be from 1 to the number of images, 10; received 11"):
        load_images(greys, 8, 11)
    with pytest.raises(ValueError, match="received 0"):
        load_images(greys, 8, 0)


@pytest.mark.parametrize("limit", [10**6, 0])
def test_an_image_that_does_not_decode_is_named_with_its_position(tmp_path, limit):
    good = png(solid("red"))
    path = make_zip(tmp_path / "x.zip", {"a.png": good, "b.png": good[:45], "c.png": good})
    with pytest.raises(ValueError, match=r"x\.zip: b\.png does not decode \(image 2 of 3\): "):
        load_images(path, 8, 3, memory_limit=limit)[0]


def test_a_large_file_that_is_no_picture_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.sources.files.MAX_FILE_BYTES", 2000)
    picture = png(solid("red"))
    entries = {"a.png": picture, "film.mov": bytes(5000), "__MACOSX/a.png": bytes(5000)}
    path = make_zip(tmp_path / "x.zip", entries)
    assert read_images(path).shape == (1, 8, 8, 3)
    entries["b.png"] = bytes(5000)
    with pytest.raises(ValueError, match=r"x\.zip: b\.png would unpack to 5000 bytes"):
        read_images(make_zip(tmp_path / "x.zip", entries))


def test_large_files_are_read_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.sources.files.LARGE_BYTES", 10)
    for i in range(8):
        solid((i, 0, 0), (64, 64)).save(tmp_path / f"{i}.png")
    files = ImageFiles(tmp_path)
    held, most = set(), []

    def read(index):
        with files.content(index):
            held.add(index)
            most.append(len(held))
            time.sleep(0.01)
            held.remove(index)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(8)))
    assert most == [1] * 8


def test_decompression_bombs(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "x.zip", {"a.png": png(solid("red"))})
    monkeypatch.setattr("utils.sources.decoding.MAX_PIXELS", 63)
    with pytest.raises(ValueError, match=r"a\.png .* 8×8 pixels, more than 63"):
        load_images(path, 8, 1)[0]
    monkeypatch.setattr("utils.sources.files.MAX_FILE_BYTES", 50)
    with pytest.raises(ValueError, match=r"a\.png would unpack to \d+ bytes"):
        load_images(path, 8, 1)


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    pictures = {f"{i}.png": png(solid("red", (9, 9))) for i in range(8)}
    running, most = [], []

    def decode(image, size, grey_range):
        if size != (7, 7):  # of a loader that an earlier test left working in the background
            return to_rgb(image, size)
        running.append(1)
        time.sleep(0.01)
        most.append(len(running))
        running.pop()
        return np.zeros((7, 7, 3), np.uint8)

    monkeypatch.setattr("utils.sources.pixels.to_rgb", decode)
    monkeypatch.setattr("utils.sources.pixels.os.cpu_count", lambda: 4)
    for pixels, expected in ((81, {2, 3, 4}), (80, {1})):
        monkeypatch.setattr("utils.sources.pixels.LARGE_PIXELS", pixels)
        most.clear()
        load_images(make_zip(tmp_path / f"{pixels}.zip", pictures), 7, 8, memory_limit=0)[0]
        assert max(most) in expected


def test_a_rotated_photograph_is_turned(tmp_path):
    image = solid("red", (8, 8))
    image.paste("blue", (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "a.png", exif=exif)
    images = to_uint8(load_images(tmp_path, 8, 1)[0][0])[0]
    assert (images[:4] == (255, 0, 0)).all() and (images[4:] == (0, 0, 255)).all()


def test_a_damaged_zip_is_named(tmp_path):
    good = png(solid("red"))
    content = make_zip(tmp_path / "x.zip", {"a.png": good, "b.png": good}).read_bytes()
    entry = content.index(b"PK\1\2")

    def damaged(offset, new):
        changed = bytearray(content)
        changed[entry + offset : entry + offset + len(new)] = new
        (tmp_path / "x.zip").write_bytes(changed)
        return tmp_path / "x.zip"

    with pytest.raises(ValueError, match=r"x\.zip: not a zip \(zip file version 9\.9\)"):
        load_images(damaged(6, b"\x63"), 8, 1)
    with pytest.raises(ValueError, match=r"x\.zip: a\.png would take 4026531840 bytes; at most"):
        load_images(damaged(20, b"\0\0\0\xf0"), 8, 1)
    with pytest.raises(ValueError, match=r"x\.zip: a\.png would unpack to 4026531840 bytes"):
        load_images(damaged(24, b"\0\0\0\xf0"), 8, 1)
    broken = load_images(damaged(46, b"\n"), 8, 1)  # a line feed in the name
    with pytest.raises(ValueError, match=r"x\.zip: \.png does not decode \(image 1 of 2\): File"):
        for k in range(2):
            broken[k]
    content = make_zip(tmp_path / "x.zip", {"a.png": png(solid("red"))}).read_bytes()
    entry = content.index(b"PK\1\2")
    with pytest.raises(ValueError, match=r"x\.zip: no images among its 1 file;"):
        load_images(damaged(28, b"\0\0\0\0\5\0"), 8, 1)  # its name, become a comment


def test_a_file_too_large_in_a_folder_is_not_read(tmp_path):
    with open(tmp_path / "a.png", "wb") as file:
        file.truncate(256 * 1024**2 + 1)
    with pytest.raises(ValueError, match=r"a\.png does not decode .*: 268435457 bytes, more than"):
        load_images(tmp_path, 8, 1)[0]


def test_a_zip_whose_file_vanishes_fails_clearly(greys, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(solid("red")))
    stream = load_images(folder, 8, 1, memory_limit=0)
    shutil.rmtree(folder)
    with pytest.raises(
        ValueError, match=r"a\.png does not decode \(image 1 of 1\): .*No such file"
    ):
        next(stream)


def test_a_single_picture_has_the_limits_of_those_in_a_zip(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    solid("red", (9, 8)).save(path)
    assert (read_picture(path, 8) == (255, 0, 0)).all()
    monkeypatch.setattr("utils.sources.decoding.MAX_PIXELS", 71)
    with pytest.raises(ValueError, match=r"a\.png: does not decode: 9×8 pixels, more than 71"):
        read_picture(path, 8)
    monkeypatch.setattr("utils.sources.files.MAX_FILE_BYTES", 50)
    with pytest.raises(ValueError, match=r"a\.png: does not decode: \d+ bytes, more than 50"):
        read_picture(path, 8)
    with pytest.raises(FileNotFoundError, match=r"nix\.png: no such file; expected a picture"):
        read_picture(tmp_path / "nix.png", 8)


@pytest.mark.parametrize("image_size", [None, 8])
def test_text_instead_of_a_picture_is_said_without_an_address_in_memory(tmp_path, image_size):
    (tmp_path / "a.png").write_text("text")
    why = "does not decode.*: not a picture in a format that is read"
    with pytest.raises(ValueError, match=why):
        read_picture(tmp_path / "a.png", 8)
    with pytest.raises(ValueError, match=rf"a\.png {why}; remove it, or make a data set"):
        read_images(tmp_path, image_size)


def test_conversion_is_exact_both_ways():
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_uint8(to_float(values)), values)
    assert to_float(values)[[0, 255]].tolist() == [-1, 1]
    assert to_uint8(np.array([-2.0, 3.0])).tolist() == [0, 255]


def test_arrays_of_either_type():
    integers = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    a = ImageStream(ArraySource(integers), 2)[1][0]
    b = ImageStream(ArraySource(to_float(integers)), 2)[1][0]
    assert np.array_equal(a, b)


def test_grid_places_images_row_by_row():
    images = np.array([10, 20, 30], np.uint8)[:, None, None, None] * np.ones((1, 1, 1, 3), np.uint8)
    sheet = grid(images, 2, 2)[:, :, 0]
    assert sheet.shape == (8, 8)
    assert (sheet[2, 2], sheet[2, 5], sheet[5, 2], sheet[5, 5]) == (10, 20, 30, 96)
    with pytest.raises(ValueError, match="no room for 3"):
        grid(images, 1, 2)


def greys_of(*counts):
    """One image, uint8 (1, 100, 100, 1), in which counts[i] pixels have the value i."""
    return np.repeat(np.arange(len(counts), dtype=np.uint8), counts).reshape(1, 100, 100, 1)


def palette_of(images):
    """The palette of an array, and its colours as a list."""
    palette = ImageStream(ArraySource(images), 1).palette()
    return palette, palette and palette.colours.tolist()


def test_a_palette_of_known_counts():
    red, white, blue = (185, 33, 19), (255, 255, 255), (0, 0, 1)
    image = np.array([red] * 30 + [white] * 60 + [blue] * 10, np.uint8).reshape(1, 10, 10, 3)
    palette, colours = palette_of(image)
    assert colours == [[*white], [*red], [*blue]] and palette.share == 1
    assert palette.colours.dtype == np.uint8
    assert palette_of(to_float(image))[1] == colours
    assert palette_of(np.concatenate([image, image]))[1] == colours
    assert str(palette) == "3 colours cover 100 % of the pixels"


def test_a_palette_covers_at_least_99_percent():
    palette, colours = palette_of(greys_of(600, *[300] * 31, *[1] * 100))
    assert colours == [[i] for i in range(32)] and palette.share == 0.99
    assert palette_of(greys_of(599, *[300] * 31, *[1] * 101))[0] is None


def test_a_palette_has_at_most_32_colours():
    palette, colours = palette_of(greys_of(*[312] * 31, 328))
    assert colours == [[31], *([i] for i in range(31))] and palette.share == 1
    assert palette_of(greys_of(*[303] * 32, 304))[0] is None


def test_colours_of_less_than_a_thousandth_of_the_pixels_are_left_out():
    palette, colours = palette_of(greys_of(9, 10, 9981))
    assert colours == [[2], [1]] and palette.share == 0.9991
    assert str(palette) == "2 colours cover 99.9 % of the pixels"


@pytest.mark.parametrize(
    ("colours", "share", "text"),
    [
        (1, 1.0, "1 colour covers 100 %"),
        (5, 0.9999, "5 colours cover 99.9 %"),
        (5, 0.99, "5 colours cover 99 %"),
        (5, 0.995, "5 colours cover 99.5 %"),
    ],
)
def test_the_share_of_a_palette_is_rounded_down(colours, share, text):
    assert str(Palette(np.zeros((colours, 3), np.uint8), share)) == f"{text} of the pixels"


@pytest.mark.parametrize("limit", [10**9, 0])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_palette_of_files(greys, channels, limit):
    stream = load_images(greys, 8, 4, channels=channels, memory_limit=limit)
    first = next(stream)[0]
    palette = stream.palette()
    assert palette.colours.tolist() == [[10 * i] * channels for i in range(10)]
    assert palette.share == 1 and stream.position == 1
    assert np.array_equal(first, stream[0][0])


def test_a_palette_does_not_depend_on_how_many_pixels_are_counted_at_a_time(monkeypatch):
    values = np.random.default_rng(0).integers(0, 6, (50, 8, 8, 1)) ** 2
    images = np.repeat(values, 3, axis=-1).astype(np.uint8)
    images[7, 0, 0] = 1, 2, 3  # one of 3,200 pixels
    found = []
    for pixels in (1, 64, 7 * 64, 2**20):
        monkeypatch.setattr("utils.images._CHUNK_PIXELS", pixels)
        palette, colours = palette_of(images)
        found.append((colours, palette.share))
    counts = sorted((-(values == i**2).sum(), i**2) for i in range(6))
    assert found[0][0] == [[value] * 3 for _, value in counts]
    assert found == [(found[0][0], 3199 / 3200)] * 4


def test_a_palette_of_many_images_is_that_of_2000_evenly_spread():
    taken = []

    def take(indices):
        taken.extend(indices.tolist())
        return np.zeros((len(indices), 128, 128, 1), np.uint8)

    assert find_palette(take, 10_000).share == 1
    assert taken[0] == 0 and taken[-1] == 9999 and len(taken) == 2001  # the first: for its size
    assert set(np.diff(taken[1:])) == {5, 6}
    taken.clear()
    find_palette(take, 3)
    assert taken == [0, 0, 1, 2]


def test_counting_ends_as_soon_as_there_are_certainly_too_many_colours(monkeypatch):
    monkeypatch.setattr("utils.images._CHUNK_PIXELS", 64)
    calls = []

    def photographs(indices):
        calls.append(indices)
        return np.random.default_rng(indices[0]).integers(0, 256, (1, 8, 8, 3), np.uint8)

    assert find_palette(photographs, 2000) is None
    # 1 % of the pixels is 1,280. 20 images have 1,248 outside of 32 colours, 21 have 1,312.
    assert len(calls[1:]) == 21


def test_the_palette_of_the_reference_data_is_black_and_the_colours_of_the_lines():
    palette = load_images(ROOT / "output.zip", 128, 16).palette()
    colours = [*map(tuple, palette.colours.tolist())]
    assert colours[0] == (0, 0, 0) and sorted(colours[1:]) == sorted(COLOURS)
    assert str(palette) == "5 colours cover 99.9 % of the pixels"


def test_the_order_and_share_of_a_palette_equal_those_counted_one_by_one(tmp_path):
    write_zip(tmp_path / "x.zip", 200, size=64)
    images = read_images(tmp_path / "x.zip")
    counted = sorted(
        ((images == colour).all(axis=-1).sum(), colour) for colour in (*COLOURS, (0, 0, 0))
    )[::-1]
    palette = load_images(tmp_path / "x.zip", 64, 16).palette()
    assert palette.colours.tolist() == [[*colour] for _, colour in counted]
    assert palette.share == sum(number for number, _ in counted) / (200 * 64 * 64) < 1
    # Resized, the edges of the lines are blended: hundreds of colours.
    assert load_images(tmp_path / "x.zip", 32, 16).palette() is None
