"""Pictures as people really have them: read with the right pixels, or passed over in words."""

import contextlib
import io
import os
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from tests.helpers import ROOT
from tests.helpers.scripts import run_here
from utils import runs
from utils.loaders import load_images, read_images, read_picture
from utils.prepare import Settings, prepare
from utils.prepare.reading import open_film, open_source
from utils.sources import ImageFiles, flatten

RED = (255, 0, 0)


def halves(width=12, height=8):
    """Red, with a blue left half."""
    image = Image.new("RGB", (width, height), RED)
    image.paste((0, 0, 255), (0, 0, width // 2, height))
    return image


def exif(*entries):
    """EXIF data of little-endian entries (tag, type, count, four bytes)."""
    body = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + bytes(4)


def short(value):
    return struct.pack("<HH", value, 0)


TURNED = (0x112, 3, 1, short(6))  # the top is on the right
ODD_EXIF = {
    "a resolution as text": ([TURNED, (0x11A, 2, 4, b"abc"), (0x128, 3, 1, short(2))], True),
    "no unit": ([TURNED, (0x11A, 3, 1, short(72))], True),
    "a unit as text": ([TURNED, (0x128, 2, 4, b"abc")], True),
    "a size as text": ([(0x100, 2, 4, b"abc"), (0x101, 2, 4, b"abc"), TURNED], True),
    "a negative size": ([(0x100, 9, 1, struct.pack("<i", -5)), TURNED], True),
    "an orientation as text": ([(0x112, 2, 4, b"abc")], False),
    "an orientation of 99": ([(0x112, 3, 1, short(99))], False),
    "an orientation of 0": ([(0x112, 3, 1, short(0))], False),
    "two orientations": ([(0x112, 3, 2, struct.pack("<HH", 6, 6))], None),
    "an endless chain": ([TURNED, (0x8769, 4, 1, struct.pack("<I", 8))], True),
    "a text of 2 GiB": ([TURNED, (0x10F, 2, 0x7FFFFFFF, struct.pack("<I", 9))], True),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("name", ODD_EXIF)
def test_only_the_orientation_of_odd_exif_data_is_wanted(name, kind, tmp_path):
    entries, turned = ODD_EXIF[name]
    halves().save(tmp_path / "a.png", kind, exif=exif(*entries), quality=100)
    pixels = read_picture(tmp_path / "a.png", 8).astype(int)
    findings = prepare(tmp_path, tmp_path.parent / f"{tmp_path.name}.zip", Settings(8))
    assert findings.pictures == 1 and not findings.unreadable
    assert list(findings.sizes) in (
        [[(8, 12)], [(12, 8)]] if turned is None else [[(8, 12) if turned else (12, 8)]]
    )
    if turned is not None:
        blue = pixels[1, 4] if turned else pixels[4, 1]  # the left half is above, when turned
        assert blue[2] > 200 > 60 > blue[0]


@pytest.mark.parametrize("content", [b"", b"II*\0", b"no EXIF at all", b"MM\0*\0\0\0\xff"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_data_that_is_none(content, kind, tmp_path):
    halves(8, 8).save(tmp_path / "a.png", kind, exif=b"Exif\0\0" + content, quality=100)
    assert read_picture(tmp_path / "a.png", 8)[4, 1, 2] > 200


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


TEXTS = {
    "zTXt": b"workflow\0\0" + zlib.compress(bytes(2**21)),
    "iTXt": b"workflow\0\1\0\0\0" + zlib.compress(b"a" * 2**21),
    "tEXt": b"workflow\0" + b"a" * 2**21,
    "iCCP": b"profile\0\0" + zlib.compress(bytes(2**21)),
    "many": None,
}


@pytest.mark.parametrize("kind", TEXTS)
def test_long_texts_and_profiles_of_a_png_are_no_reason_to_refuse_it(kind, tmp_path):
    file = io.BytesIO()
    halves(8, 8).save(file, "PNG")
    content = file.getvalue()
    data = TEXTS[kind]
    parts = (
        b"".join(
            chunk(b"zTXt", b"k%d\0\0" % i + zlib.compress(bytes(2**20 - 9))) for i in range(80)
        )
        if data is None
        else chunk(kind.encode(), data)
    )
    (tmp_path / "a.png").write_bytes(content[:33] + parts + content[33:])  # after IHDR
    assert np.array_equal(read_images(tmp_path)[0], np.asarray(halves(8, 8)))
    assert np.array_equal(read_picture(tmp_path / "a.png", 8), np.asarray(halves(8, 8)))


RAMP = np.linspace(0, 1, 64).reshape(8, 8)
DEEP = {
    "floats to 1": ([RAMP], "tif", "0 to 1"),
    "floats to 255": ([RAMP * 255], "tif", "0 to 255"),
    "floats from -1": ([RAMP * 2 - 1], "tif", "-1 to 1"),
    "32 bits": ([(RAMP * 255).astype(np.int32)], "tif", "0 to 255"),
    "12 bits in 16": ([(RAMP * 4095).astype(np.uint16)], "png", "0 to 4,095"),
    "16 bits": ([(RAMP * 65535).astype(np.uint16)], "png", "0 to 65,535"),
    "the brightest of the set decides": (
        [(RAMP * 200).astype(np.uint16), (RAMP * 65535).astype(np.uint16)],
        "tif",
        "0 to 65,535",
    ),
    "a number that is none": ([np.where(RAMP[3, 3] == RAMP, np.nan, RAMP)], "tif", "0 to 1"),
}


@pytest.mark.parametrize("name", DEEP)
def test_grey_of_more_than_8_bits_has_one_range_in_a_data_set(name, source, capsys):
    arrays, suffix, shown = DEEP[name]
    for i, array in enumerate(arrays):
        as_float = array.dtype == float
        Image.fromarray(array.astype(np.float32) if as_float else array).save(
            source / f"{i}.{suffix}"
        )
    findings = prepare(source, source.parent / "mine.zip", Settings(8))
    line = f"Grey of more than 8 bits: {shown} became black to white."
    assert line in source.parent.joinpath("mine.report.html").read_text(encoding="utf-8")
    assert str(findings.grey_range) == shown
    black, white = findings.grey_range
    expected = [np.nan_to_num((a.astype(float) - black) / (white - black) * 255) for a in arrays]
    images = read_images(source, 8)
    assert f"Grey of more than 8 bits: {shown} become black to white" in capsys.readouterr().out
    for image, values in zip(images, expected, strict=True):
        assert np.abs(image[..., 0] - values).max() <= 0.51 or "none" in name
    assert images[-1].max() == 255


def test_a_tiff_says_how_bright_white_is(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[281] = 20_000
    Image.fromarray(np.full((8, 8), 10_000, np.uint16)).save(tmp_path / "a.tif", tiffinfo=tags)
    assert (read_picture(tmp_path / "a.tif", 8) == 128).all()


def test_16_bits_with_a_transparent_value(tmp_path):
    values = np.where(RAMP < 0.5, 7, 65535).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png", transparency=7)
    assert (read_picture(tmp_path / "a.png", 8) == 255).all()  # the paper is white, and so is grey


@pytest.mark.parametrize(
    "suffix", ["jfif", "jpe", "apng", "mpo", "jp2", "pnm", "ppm", "pgm", "avif"]
)
def test_training_and_prepare_take_the_same_files(suffix, source):
    kind = {"apng": "PNG", "jp2": "JPEG2000", "mpo": "JPEG", "avif": "AVIF"}.get(suffix)
    kind = kind or ("PPM" if suffix[0] == "p" else "JPEG")
    try:
        halves(8, 8).save(source / f"a.{suffix}", kind)
    except (KeyError, OSError):
        pytest.skip(f"this Pillow writes no {kind}")
    assert len(read_images(source)) == 1
    assert prepare(source, source.parent / "mine.zip", Settings(8)).pictures == 1


def test_names_that_begin_with_a_dot_and_a_slash_are_not_hidden(tmp_path):
    file = io.BytesIO()
    halves(8, 8).save(file, "PNG")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("./a.png", "./b/./c.png", "../d.png", ".hidden/e.png", "./.f.png"):
            archive.writestr(name, file.getvalue())
        archive.writestr("__MACOSX/._a.png", b"")
    files = ImageFiles(tmp_path / "x.zip")
    assert files.names == ["../d.png", "./a.png", "./b/./c.png"]
    assert read_images(tmp_path / "x.zip").shape == (3, 8, 8, 3)


def test_linked_folders(tmp_path, capsys):
    inside, outside = tmp_path / "mine", tmp_path / "private"
    for folder in (inside / "a", inside / ".store", outside):
        folder.mkdir(parents=True)
        halves(8, 8).save(folder / "1.png")
    (inside / "b").symlink_to(inside / ".store")
    (inside / "c").symlink_to(inside / "a")  # a second way
    (inside / "a" / "loop").symlink_to(inside)
    (inside / "d").symlink_to(outside)
    (inside / "e.png").symlink_to(outside / "1.png")
    (inside / "f.png").symlink_to(inside / "a" / "1.png")
    assert ImageFiles(inside).names == ["a/1.png", "b/1.png"]
    load_images(inside, 8, 2)
    printed = capsys.readouterr().out
    assert "Not followed: 2 links out of the folder (the first: " in printed
    findings = prepare(inside, tmp_path / "new.zip", Settings(8))
    assert findings.pictures == 2 and "Not followed: 2 links" in findings.links
    assert ImageFiles(tmp_path / "private", rules=1).names == ["1.png"]


def test_pictures_that_were_replaced_by_others_of_the_same_length_are_other_data(tmp_path):
    rng = np.random.default_rng(0)
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
    for i in range(3):
        pixels = rng.integers(0, 256, (200, 200, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "a" / f"{i}.bmp")
        Image.fromarray(pixels).save(tmp_path / "b" / f"{i}.bmp")
        Image.fromarray(255 - pixels).save(tmp_path / "c" / f"{i}.bmp")
    os.utime(tmp_path / "b" / "0.bmp", (1, 1))  # a copy, of another time
    first, copy, other = (ImageFiles(tmp_path / name).fingerprint for name in "abc")
    assert first == copy != other and first.startswith("2-") and len(first) == 18
    earlier = [ImageFiles(tmp_path / name, rules=1).fingerprint for name in "ac"]
    assert earlier[0] == earlier[1] and len(earlier[0]) == 16


def test_a_run_keeps_the_rules_by_which_it_began(tmp_path):
    data = tmp_path / "sketches.2023"
    data.mkdir()
    for name in ("a.png", "b.jpe"):
        halves(8, 8).save(data / name, "PNG")
    root = tmp_path / "run"
    for run_id, fingerprint, rules in (("0001", "0123456789abcdef", 1), ("0002", "2-0123", 2)):
        folder = root / f"{run_id}_sketches"
        folder.mkdir(parents=True)
        training = {"data": "sketches.2023", "data_fingerprint": fingerprint}
        runs.write_params(folder, {"training": training})
        assert runs.data_rules(folder) == rules
    assert runs.data_rules(root / "0003_none") == 2
    assert load_images(data, 8, 1, rules=1).training_count == 1
    assert load_images(data, 8, 1).training_count == 2
    assert load_images(data, 8, 1).fingerprint(1).startswith("2-")  # of other images than by rule 1
    (data / "b.jpe").unlink()
    assert load_images(data, 8, 1).fingerprint(1) == load_images(data, 8, 1, rules=1).fingerprint(1)
    assert runs.run_folder("0001", data, root).name == "0001_sketches"  # of the same data
    assert runs.run_folder("0001", tmp_path / "sketches.2024", root).name == "0001_sketches.2024"
    assert runs.run_folder("0003", data, root).name == "0003_sketches.2023"
    assert runs.run_folder("0003", tmp_path / "a.b.zip", root).name == "0003_a.b"


@pytest.mark.parametrize("run_id", ["exp/a", "../../x", "/absolute/x", "", ".", "a\\b", "a\nb"])
def test_a_run_id_is_one_name(run_id, tmp_path):
    with pytest.raises(ValueError, match=r"expected one name, such as 0002 or birds"):
        runs.run_folder(run_id, "output.zip", tmp_path)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp932"])
def test_an_output_that_cannot_show_a_letter(encoding, tmp_path):
    halves(40, 50).save(tmp_path / "été ≈ 😀.png")
    line = [sys.executable, "-m", "utils.prepare", tmp_path, "--size", "32"]
    line += ["--out", tmp_path.parent / f"{encoding}.zip"]
    variables = os.environ | {"PYTHONIOENCODING": encoding}
    made = subprocess.run(line, cwd=ROOT, env=variables, capture_output=True)
    assert made.returncode == 0 and b"1 readable picture" in made.stdout, made.stderr
    helped = subprocess.run(
        [sys.executable, "train.py", "--help"], cwd=ROOT, env=variables, capture_output=True
    )
    assert helped.returncode == 0 and not helped.stderr


def test_a_print_at_600_dots_per_inch_is_cut_into_tiles(source):
    with contextlib.closing(Image.new("L", (9921, 7016), 200)) as image:
        image.save(source / "a3.png", compress_level=1)
    findings = prepare(source, source.parent / "mine.zip", Settings(512, crop="tiles"))
    assert findings.pictures == 1 and len(findings.names) + findings.dropped == 19 * 13


def test_a_jpeg_beyond_the_limit_of_pixels_is_reduced_while_it_is_decoded(source, monkeypatch):
    with contextlib.closing(halves(160, 96)) as image:
        image.save(source / "a.jpg", quality=95)
        image.save(source.parent / "a.png")
    monkeypatch.setattr("utils.sources.decoding.MAX_PIXELS", 80 * 48)
    expected = np.asarray(halves(10, 6)).astype(int)
    for pixels in (
        read_picture(source / "a.jpg", (6, 10)),
        load_images(source, (6, 10), 1).source.pixels(np.array([0]))[0],
    ):
        assert np.abs(pixels - expected)[:, [0, 1, 8, 9]].max() < 4
    with pytest.raises(ValueError, match="160×96 pixels, more than 3840"):
        read_picture(source / "a.jpg", 60)  # a quarter has not as many
    with pytest.raises(ValueError, match="160×96 pixels, more than 3840"):
        read_picture(source.parent / "a.png", 6)


def film(path, frame, **options):
    """Three times a frame, uint8 (16, 32, 3 or 4)."""
    formats = {"pix_fmt_in": "rgba" if frame.shape[2] == 4 else "rgb24", "macro_block_size": 1}
    writer = imageio_ffmpeg.write_frames(str(path), (32, 16), fps=5, **formats | options)
    writer.send(None)
    for _ in range(3):
        writer.send(np.ascontiguousarray(frame))
    writer.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mov", {"codec": "png", "pix_fmt_out": "rgba"}),
        ("a.webm", {"codec": "libvpx-vp9", "pix_fmt_out": "yuva420p"}),
    ],
)
def test_a_film_with_transparency_is_laid_over_the_paper(name, options, source):
    frame = np.zeros((16, 32, 4), np.uint8)
    frame[:, :16] = (255, 0, 0, 255)
    film(source / name, frame, **options)
    with open_film(open_source(source / name), 0, 1) as (_, frames):
        images = [flatten(picture.image, (0, 255, 0)) for picture in frames]
    assert len(images) == 3
    pixels = np.asarray(images[0]).astype(int)
    assert np.abs(pixels[8, 4] - (255, 0, 0)).max() < 12
    assert np.abs(pixels[8, 27] - (0, 255, 0)).max() < 12


@pytest.mark.parametrize(("ratio", "size"), [("2", (64, 16)), ("1/2", (32, 32)), ("1", (32, 16))])
def test_pixels_of_a_film_that_are_not_square_become_so(ratio, size, source, caplog):
    film(
        source / "a.mp4", np.zeros((16, 32, 3), np.uint8), output_params=["-vf", f"setsar={ratio}"]
    )
    with open_film(open_source(source / "a.mp4"), 0, 1) as (_, frames):
        assert [(picture.width, picture.height) for picture in frames] == [size] * 3
    assert "frame size" not in caplog.text


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("compress_type", 9, r"packed by a method that Python does not unpack here \(deflate64\)"),
        ("compress_type", 96, r"packed by a method that Python does not unpack here \(96\)"),
        ("flag_bits", 1, "has a password"),
    ],
)
def test_a_zip_that_python_cannot_unpack_is_to_blame_and_not_the_picture(
    field, value, fault, tmp_path
):
    offset = {"flag_bits": 8, "compress_type": 10}[field]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", b"packed")
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[content.index(b"PK\1\2") + offset] = value
    (tmp_path / "x.zip").write_bytes(content)
    expected = rf"x\.zip: a\.png .*{fault}.*; unpack the zip with the program that made it"
    with pytest.raises(ValueError, match=expected):
        load_images(tmp_path / "x.zip", 8, 1)
    with pytest.raises(ValueError, match=expected):
        prepare(tmp_path / "x.zip", tmp_path / "mine.zip", Settings(8))


def test_a_name_that_is_no_unicode_is_drawn_into_a_report(tmp_path, run, monkeypatch):
    folder = tmp_path / os.fsdecode(b"sketch\xe9s $x$")
    folder.mkdir()
    generator = shutil.copy(run[1] / "generator.h5", folder)
    for i in range(9):
        Image.new("RGB", (16, 16), (i, 0, 0)).save(folder / f"{i}.png")
    line = ["evaluate.py", "--generator", str(generator), "--count", "8", "--data", str(folder)]
    assert run_here(line, monkeypatch) == 0
    assert (folder / "report.png").is_file()
