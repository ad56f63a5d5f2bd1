"""Preparing one's own pictures: squares from every kind of file."""

import io
import zipfile

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from tests.helpers.preparing import drawing, prepared
from utils.prepare import Settings, prepare, summary
from utils.sources import to_rgb

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)


def only(source, **options):
    (square,), _ = prepared(source, **options)
    return square


SOLID = {
    "grey.png": (Image.new("L", (8, 8), 77), (77, 77, 77)),
    "bits.png": (Image.new("1", (8, 8), 1), WHITE),
    "grey_alpha.png": (Image.new("LA", (8, 8), (0, 0)), WHITE),
    "palette.png": (Image.new("RGB", (8, 8), BLUE).convert("P"), BLUE),
    "deep.png": (Image.fromarray(np.full((8, 8), 257 * 100, np.uint16)), (100, 100, 100)),
    "deep.tif": (Image.fromarray(np.full((8, 8), 65535, np.uint16)), WHITE),
    "print.tif": (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), RED),
    **{f"rgb.{suffix}": (Image.new("RGB", (8, 8), RED), RED) for suffix in ("bmp", "ppm")},
    "rgb.gif": (Image.new("RGB", (8, 8), RED), RED),
    "UPPER.PNG": (Image.new("RGB", (8, 8), RED), RED),
}


@pytest.mark.parametrize("name", SOLID)
def test_every_mode_and_format(source, name):
    image, colour = SOLID[name]
    image.save(source / name)
    assert (only(source) == colour).all()


@pytest.mark.parametrize(("suffix", "mode"), [("jpg", "RGB"), ("jpg", "CMYK"), ("webp", "RGB")])
def test_lossy_formats(source, suffix, mode):
    Image.new("RGB", (8, 8), RED).convert(mode).save(source / f"a.{suffix}")
    assert np.abs(only(source).astype(int) - RED).max() <= 4


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_transparent_areas_get_the_colour_of_the_paper(source, mode):
    image = Image.new("RGBA", (8, 8), RED)
    image.paste((0, 0, 0, 0), (4, 0, 8, 8))
    image = image.quantize(4) if mode == "P" else image
    assert image.mode == mode and image.has_transparency_data
    image.save(source / "a.png")
    square = only(source, paper=(10, 20, 30))
    assert (square[:, :4] == RED).all() and (square[:, 4:] == (10, 20, 30)).all()


def test_the_rotation_of_the_camera(source):
    image = Image.new("RGB", (16, 8), RED)
    image.paste(GREEN, (0, 0, 8, 8))  # its left, which is the top once it stands upright
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(source / "a.png", exif=exif)
    square = only(source, size=16, crop="fit")
    assert (square[:8, 4:12][:7] == GREEN).all() and (square[9:, 4:12] == RED).all()
    assert (square[:, :4] == WHITE).all() and (square[:, 12:] == WHITE).all()
    assert prepared(source)[1].sizes == {(8, 16): 1}


def test_a_large_photograph_is_read_in_a_fraction_of_its_size_and_looks_the_same(source):
    pixels = np.asarray(drawing(1, 640))
    Image.fromarray(pixels).save(source / "a.jpg", quality=95)
    (square,), findings = prepared(source, size=32)
    full_size = to_rgb(Image.open(source / "a.jpg"), 32)
    assert 0 < np.abs(square.astype(int) - full_size).mean() < 1.5
    assert findings.sizes == {(640, 640): 1} and findings.enlarged == 0


def test_a_file_that_is_too_large_is_refused_and_the_others_are_not(source, monkeypatch):
    packed = source.parent / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name, size in {"a.png": 16, "b.bmp": 100, "c.png": 40}.items():
            file = io.BytesIO()
            drawing(size, size).save(file, name[2:])
            archive.writestr(name, file.getvalue())
    monkeypatch.setattr("utils.sources.files.MAX_FILE_BYTES", 20_000)
    monkeypatch.setattr("utils.sources.decoding.MAX_PIXELS", 1599)
    squares, findings = prepared(packed, size=16)
    assert len(squares) == 1 and (squares[0] == np.asarray(drawing(16, 16))).all()
    (_, large), (_, wide) = findings.unreadable
    assert "b.bmp would unpack to 30054 bytes; at most 20000" in large
    assert wide == "40×40 pixels, more than 1599"


def test_grey_is_one_channel(source):
    Image.new("RGB", (8, 8), (0, 255, 0)).save(source / "a.png")
    square = only(source, grey=True)
    assert square.shape == (8, 8) and (square == 150).all()  # 0.587 · 255


def striped(width, height):
    """Every pixel has a different colour."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width)
    pixels[..., 1] = np.arange(height)[:, None]
    return pixels


def test_tiles_are_exact_pixels_around_the_centre(source):
    pixels = striped(21, 35)
    Image.fromarray(pixels).save(source / "wall.png")
    squares, findings = prepared(source, crop="tiles")
    assert len(squares) == 2 * 4 and findings.pictures == 1 and findings.enlarged == 0
    assert findings.names[3] == "mine/000003_wall_r1c1.png"
    for i, square in enumerate(squares):
        y, x = 1 + i // 2 * 8, 2 + i % 2 * 8
        assert (square == pixels[y : y + 8, x : x + 8]).all()


def test_a_picture_too_small_for_a_tile_is_enlarged(source):
    Image.new("RGB", (4, 8), RED).save(source / "a.png")
    squares, findings = prepared(source, crop="tiles", keep_duplicates=True)
    assert len(squares) == 2 and (np.stack(squares) == RED).all() and findings.enlarged == 1
    assert "1 of 1 picture had fewer pixels than a square of 8" in summary(findings)


def test_center_and_fit(source):
    image = Image.new("RGB", (24, 8), RED)
    image.paste(GREEN, (8, 0, 16, 8))
    image.save(source / "a.png")
    assert (only(source) == GREEN).all()
    assert "The square in the middle leaves out 67% of" in summary(prepared(source)[1])
    square = only(source, size=24, crop="fit", paper=BLUE)
    assert (square[:8] == BLUE).all() and (square[16:] == BLUE).all()
    assert (square[8:16] == np.asarray(image)).all()


def test_a_picture_one_pixel_wide_is_padded_but_refused_where_it_would_fill_the_memory(source):
    Image.new("RGB", (1, 3000), RED).save(source / "a.png")
    assert (only(source, crop="fit")[:, 3:5] != WHITE).any()
    Image.new("RGB", (1, 40_000), RED).save(source / "a.png")
    with pytest.raises(ValueError, match="1×40000 pixels, too narrow for tiles of 64"):
        prepared(source, crop="tiles", size=64)


def film(path, count, size=32):
    colours = [(40 * i, 255 - 40 * i, 128) for i in range(count)]
    writer = imageio_ffmpeg.write_frames(str(path), (size, size), fps=10, quality=10)
    writer.send(None)
    for colour in colours:
        writer.send(np.full((size, size, 3), colour, np.uint8))
    writer.close()
    return colours


@pytest.mark.parametrize("packed", [False, True])
def test_frames_of_a_film_in_order(source, packed):
    colours = film(source / "film.mp4", 6)
    where = source
    if packed:
        where = source.parent / "packed.zip"
        with zipfile.ZipFile(where, "w") as archive:
            archive.write(source / "film.mp4", "b/film.mp4")
    squares, findings = prepared(where, every=2)
    assert findings.pictures == 3 and findings.names[1].endswith("film_f00002.png")
    for square, colour in zip(squares, colours[::2], strict=True):
        assert np.abs(square.astype(int) - colour).max() < 20


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_frames_of_an_animation(source, suffix):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE, GREEN)]
    frames[0].save(source / f"a.{suffix}", save_all=True, append_images=frames[1:], lossless=True)
    squares, findings = prepared(source)
    assert [tuple(square[0, 0]) for square in squares] == [RED, BLUE, GREEN]
    assert findings.labels[2] == f"a.{suffix} f00002" and findings.files == 1
    assert [tuple(s[0, 0]) for s in prepared(source, every=2)[0]] == [RED, GREEN]
    alone = source / f"a.{suffix}"
    assert len(prepare(alone, source.parent / "b.zip", Settings(8)).names) == 3


def test_pages_of_a_tiff_without_their_smaller_copies(source):
    with TiffImagePlugin.AppendingTiffWriter(str(source / "a.tif"), new=True) as file:
        for colour, reduced in ((RED, 0), (GREEN, 1), (BLUE, 0)):
            Image.new("RGB", (8, 8), colour).save(file, "TIFF", tiffinfo={254: reduced})
            file.newFrame()
    squares, findings = prepared(source, every=5)
    assert [tuple(square[0, 0]) for square in squares] == [RED, BLUE]
    assert findings.labels == ["a.tif p00000", "a.tif p00002"]
