"""Files of strangers: each is read rightly or refused in one line; nothing else is opened."""

import contextlib
import io
import json
import os
import resource
import shutil
import sys
import zipfile

import numpy as np
import psutil
import pytest
from PIL import Image, PngImagePlugin

from tests.helpers import DATA
from tests.helpers.hostile import altered
from tests.helpers.scripts import run_here
from utils.drawing import write_film
from utils.loaders import read_images, read_picture
from utils.prepare.reading import open_film, open_source
from utils.sources import open_picture

POSTSCRIPT = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 64 64
%%EndComments
(hello) show
showpage
"""
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
FITS = b"".join(
    line.ljust(80)
    for line in (
        b"SIMPLE  =                    T",
        b"BITPIX  =                    8",
        b"NAXIS   =                    2",
        b"NAXIS1  =                   64",
        b"NAXIS2  =                   64",
        b"END",
    )
).ljust(2880) + bytes(4096)
WRITTEN = ("ICO", "ICNS", "PCX", "SGI", "TGA", "DDS", "IM", "SPIDER", "XBM")
"""Formats that Pillow writes and reads, and that are not read here."""


CANARY = "nobody is shown this"
MEBIBYTES = 1536
"""Of addresses that a case may take, besides what the process had; most are those of threads."""

_watched = []  # lists of what is opened and started, one for each test that runs
sys.addaudithook(
    lambda event, arguments: (
        [seen.append((event, str(arguments[0]))) for seen in _watched]
        if event in ("open", "subprocess.Popen")
        else None
    )
)


@contextlib.contextmanager
def watched(private):
    """Memory is bounded in the block; no other program is started, no file `private` opened."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = psutil.Process().memory_info().vms + MEBIBYTES * 2**20
    seen = []
    _watched.append(seen)
    if sys.platform == "linux":  # others have no such limit, or do not keep it
        resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        _watched.remove(seen)
    started = [what for event, what in seen if event != "open" and "ffmpeg" not in what]
    assert started == [] and str(private) not in [what for _, what in seen]


def written(kind):
    """The content of a picture of a kind."""
    image = Image.new("1" if kind == "XBM" else "F" if kind == "SPIDER" else "RGB", (32, 32))
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


CONTENTS = {"EPS": POSTSCRIPT, "SVG": SVG, "FITS": FITS} | {kind: written(kind) for kind in WRITTEN}


@pytest.fixture
def no_programs(tmp_path, monkeypatch):
    """Programs of these names on PATH leave a file when they are started."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("gs", "gswin64c", "convert", "dvips", "ps2pdf"):
        (programs / name).write_text(f"#!/bin/sh\ntouch '{tmp_path / 'started'}'\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    yield
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_picture_in_another_format_under_the_name_of_a_png(
    kind, no_programs, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "x.png").write_bytes(CONTENTS[kind])
    why = "not a picture in a format that is read"
    line = ["utils.prepare", str(folder), "--out", str(tmp_path / "mine.zip"), "--size", "32"]
    with watched(tmp_path / "private"):
        with pytest.raises(ValueError, match=why):
            read_picture(folder / "x.png", 32)
        with pytest.raises(ValueError, match=rf"x\.png does not decode.*: {why}"):
            read_images(folder)
        assert run_here(line, monkeypatch) == 2
        assert capsys.readouterr().err.strip().splitlines()[-1].endswith(f"x.png: {why}")
        assert not (tmp_path / "mine.zip").exists()
        assert run_here(["generate.py", "again", str(folder / "x.png")], monkeypatch) == 2
    assert capsys.readouterr().err.strip().endswith("not a picture in a format that is read")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "JPEG2000", "PPM"])
def test_a_wrong_suffix_does_not_matter_for_the_formats_that_are_read(kind, tmp_path):
    Image.new("RGB", (32, 32), (255, 0, 0)).save(tmp_path / "x.png", kind)
    red = read_picture(tmp_path / "x.png", 32)
    assert np.abs(red.astype(int) - (255, 0, 0)).max() <= 2


def test_only_a_png_can_be_one_of_ours(tmp_path):
    Image.new("RGB", (32, 32)).save(tmp_path / "x.png", "GIF")
    with (
        pytest.raises(Exception, match="cannot identify"),
        open_picture(tmp_path / "x.png", ("PNG",)),
    ):
        pass


MANIFESTS = {
    "DASH": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
        "<BaseURL>file://{private}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ),
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{private}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{private}'\n",
    "image list": "{private}\n",
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_list_of_other_files_is_no_film(kind, tmp_path):
    private = tmp_path / "private.mp4"
    write_film(private, [np.zeros((64, 64, 3), np.uint8)] * 10, 10, 10)
    film = tmp_path / "film.mp4"
    film.write_text(MANIFESTS[kind].format(private=private))
    files = open_source(film)
    with (
        watched(private),
        pytest.raises(ValueError, match="not a film that ffmpeg can read"),
        open_film(files, 0, 1) as (_, frames),
    ):
        list(frames)
    with open_film(open_source(private), 0, 1) as (_, frames):
        assert len(list(frames)) == 10


def test_a_film_of_too_many_frames_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.prepare.reading._MAX_FRAMES", 9)
    write_film(tmp_path / "film.mp4", [np.zeros((64, 64, 3), np.uint8)] * 10, 10, 10)
    with (
        pytest.raises(ValueError, match="more than 9 frames; cut it into shorter ones"),
        open_film(open_source(tmp_path / "film.mp4"), 0, 1) as (_, frames),
    ):
        list(frames)


def large_entries(folder):
    """A zip of 100 KB each for six entries of 100 MiB, under names of pictures."""
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for i in range(6):
            archive.writestr(f"{i}.png", bytes(100 * 2**20))
    return ["utils.prepare", "x.zip", "--out", "mine.zip"]


def a_bomb(folder):
    """An entry that unpacks to more than is allowed."""
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("0.png", bytes(257 * 2**20))
    return ["train.py", "--data", "x.zip", "--dry-run"]


def a_pipe(folder):
    os.mkfifo(folder / "x.zip")
    return ["train.py", "--data", "x.zip", "--dry-run"]


def names(folder):
    """Names of pictures and of what is no picture that would move the cursor or forge a line."""
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr("a\x1b[2J\rerror: all is well.png", b"no picture")
        archive.writestr("b\x1b]0;title\x07\nFound 9 images.txt", b"")
    return ["utils.prepare", "x.zip", "--out", "mine.zip"]


def a_path_in_a_picture(folder):
    """A picture that claims to be drawn by a file of its owner's choice."""
    Image.new("RGB", (8, 8)).save(folder / "plain.png")
    about = {
        "latents": "AAAAAA==",
        "shape": [1, 1],
        "generator": str(folder / "private.txt"),
        "digest": "0" * 16,
        "look": {"scale": 1, "resampling": "nearest", "transparent": None, "columns": None}
        | {"labels": []},
    }
    text = PngImagePlugin.PngInfo()
    text.add_text("recipe", json.dumps(about))
    Image.new("RGB", (8, 8)).save(folder / "x.png", pnginfo=text)
    return ["generate.py", "again", "x.png"]


def a_kernel(folder):
    """A network whose kernel ends the process of TensorFlow that computes it."""

    def change(model, file):
        for layer in model["config"]["layers"]:
            if "kernel_size" in layer["config"]:
                layer["config"]["kernel_size"] = [255, 255]

    shutil.move(altered(folder, change), folder / "generator.h5")
    return ["generate.py", "images", "--generator", "generator.h5"]


def a_run(folder, **files):
    run = folder / "run" / "gan" / "0001_x"
    (run / "images").mkdir(parents=True)
    for name, text in files.items():
        (run / name.replace("_", ".")).write_text(text)
    return run


def forged_parameters(folder):
    a_run(folder, params_json=json.dumps({"training": {"data": "a\x1b[2J\n0002_y  finished"}}))
    return ["utils.runs"]


def deep_parameters(folder):
    a_run(folder, params_json="[" * 100_000)
    return ["utils.runs"]


def a_number_of_5000_digits(folder):
    a_run(folder, losses_csv=f"epoch,critic\n{'9' * 5000},1\n")
    return ["utils.runs"]


def a_field_of_200_kilobytes(folder):
    a_run(folder, metrics_csv=f"epoch,swd\n0,{'9' * 200_000}\n")
    return ["utils.runs"]


def linked_parameters(folder):
    (a_run(folder) / "params.json").symlink_to(folder / "private.txt")
    return ["utils.runs"]


def a_linked_card(folder):
    run = a_run(folder)
    shutil.copy(DATA / "old_run" / "0001_tiny" / "generator.h5", run)
    (run / "card.md").symlink_to(folder / "private.txt")
    return ["generate.py", "export", "--generator", str(run / "generator.h5"), "--out", "new.npz"]


def a_comparison(folder):
    """Names that are no letters, and what Matplotlib would take for a formula."""
    name = "0001_a\x1b[2J\r$\\frac$"
    run = a_run(folder, metrics_csv="epoch,$\\frac$\n0,1\n").rename(folder / "run" / "gan" / name)
    shutil.copytree(run, folder / "run" / "gan" / "0002_y")
    return ["utils.runs", "--compare", name, "0002_y"]


NO_PICTURES = "no readable pictures among its"
CASES = {
    large_entries: (2, f"{NO_PICTURES} 6 files; the first, 0.png: not a picture in a format"),
    a_bomb: (2, "x.zip: 0.png would unpack to 269484032 bytes; at most 268435456"),
    a_pipe: (2, "x.zip: a pipe or a device; expected a zip or a folder of images"),
    names: (
        2,
        f"{NO_PICTURES} 1 file; the first, a\N{REPLACEMENT CHARACTER}[2J error: all is well",
    ),
    a_path_in_a_picture: (2, "private.txt, which has changed or is in no run folder; name the gen"),
    a_kernel: (2, "generator.h5: refused: "),
    forged_parameters: (0, "0001_x  a\N{REPLACEMENT CHARACTER}[2J 0002_y finished  "),
    deep_parameters: (0, "0001_x  –"),
    a_number_of_5000_digits: (0, "0001_x  –"),
    a_field_of_200_kilobytes: (0, "0001_x  –"),
    linked_parameters: (0, "0001_x  –"),
    a_comparison: (0, "compare.png"),
    a_linked_card: (0, "new.npz: npz"),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_comes_of_it(case, tmp_path, monkeypatch, capfd):
    code, expected = CASES[case]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setenv("COLUMNS", "200")  # a table that has room for what a file says
    private = tmp_path / "private.txt"
    private.write_text(CANARY)
    line = case(tmp_path)
    with watched(private):
        assert run_here(line, monkeypatch) == code
    printed = "".join(capfd.readouterr())
    assert expected in printed and "Traceback" not in printed
    assert "\x1b" not in printed.replace("\x1b[A", "")  # tqdm's own
    if code == 2:
        assert expected in printed.strip().splitlines()[-1]
    for path in tmp_path.rglob("*"):
        if path != private and path.is_file() and not path.is_symlink():
            assert CANARY.encode() not in path.read_bytes()
