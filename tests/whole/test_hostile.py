"""Files of strangers: each is read rightly or refused in one line; nothing else is opened."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from tests.helpers.scripts import run_here
from utils.drawing import write_film
from utils.images import open_picture
from utils.loaders import read_images, read_picture
from utils.prepare.reading import open_film, open_source

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
    with pytest.raises(ValueError, match=why):
        read_picture(folder / "x.png", 32)
    with pytest.raises(ValueError, match=rf"x\.png does not decode.*: {why}"):
        read_images(folder)
    line = ["utils.prepare", str(folder), "--out", str(tmp_path / "mine.zip"), "--size", "32"]
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
