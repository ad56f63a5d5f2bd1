"""Preparing one's own pictures: what is passed over, what is told, and the command line."""

import os
import re
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.helpers import ROOT
from tests.helpers.preparing import drawing, made
from tests.helpers.scripts import run_here
from utils.prepare.findings import Findings, advice, next_command, words
from utils.prepare.reading import Picture, open_source
from utils.prepare.squares import Settings, work


def test_nested_folders_bad_files_and_others(source):
    (source / "b" / "c").mkdir(parents=True)
    drawing(1).save(source / "b" / "c" / "été.png")
    drawing(2).save(source / "a.png")
    (source / "half.png").write_bytes((source / "a.png").read_bytes()[:200])
    (source / "film.mp4").write_bytes(b"no film")
    (source / "void.jpg").touch()
    (source / "words.png").write_text("words")
    (source / "photo.heic").write_text("x")
    (source / "notes.txt").write_text("x")
    (source / ".DS_Store").write_text("x")
    found, findings = made(source, size=32)
    assert findings.names == ["mine/000000_a.png", "mine/000001_b_c_été.png"]
    assert (found[0] == np.asarray(drawing(2))).all()
    assert (found[1] == np.asarray(drawing(1))).all()
    bad = dict(findings.bad)
    assert list(bad) == ["film.mp4", "half.png", "void.jpg", "words.png"]
    assert bad["void.jpg"] == "the file is empty" and "ffmpeg" in bad["film.mp4"]
    assert bad["words.png"] == "not a picture that Pillow can read"
    assert [name for name, _ in findings.passed_over] == [".DS_Store", "notes.txt", "photo.heic"]
    said = words(findings)
    assert "Passed over: 4 not readable, 3 no pictures\n" in said and "void.jpg: the file" in said
    report = (source.parent / "mine.report.html").read_text(encoding="utf-8")
    for name in [*bad, "save it as PNG or JPEG"]:
        assert name in report


def test_pictures_that_come_twice(source):
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        drawing(seed).save(source / f"{name}.png")
    drawing(1).save(source / "d.bmp")  # another file, the same pixels
    found, findings = made(source)
    assert len(found) == 2 and findings.dropped == 2
    assert findings.duplicates == [("b.png", "a.png"), ("d.bmp", "a.png")]
    assert "2 twice the same" in words(findings)
    found, findings = made(source, keep_duplicates=True)
    assert len(found) == 4 and findings.dropped == 0 and len(findings.duplicates) == 2
    assert (found[0] == found[3]).all() and "twice the same" not in words(findings)


def test_near_duplicates_are_shown_and_stay(source):
    for seed in range(4):
        drawing(seed, 64).save(source / f"{seed}.png")
    drawing(2, 64).save(source / "again.jpg", quality=60)
    found, findings = made(source, size=64)
    ((rms, first, second),) = findings.near
    assert (findings.labels[first], findings.labels[second]) == ("2.png", "again.jpg")
    assert len(found) == 5 and "1 look nearly like an earlier one" in words(findings)
    assert 0 < rms < 8


def state(folder):
    """Names, times and contents of all that lies in a folder."""
    files = sorted(file for file in folder.rglob("*"))
    return [(file, file.stat().st_mtime_ns, file.is_file() and file.read_bytes()) for file in files]


@pytest.mark.parametrize("crop", ["center", "fit", "tiles"])
def test_the_same_bytes_each_time_and_a_source_untouched(source, monkeypatch, crop):
    for seed in range(12):
        drawing(seed, 20).save(source / f"{seed}.{'jpg' if seed % 2 else 'png'}")
    (source / "bad.png").write_text("no picture")
    before, written = state(source), []
    for cores in (1, 1, 8):
        monkeypatch.setattr("utils.prepare.squares.os.cpu_count", lambda: cores)  # noqa: B023
        made(source, crop=crop)
        paths = (source.parent / "mine.zip", source.parent / "mine.report.html")
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1] == written[2]
    assert state(source) == before
    assert sorted(file.name for file in source.parent.iterdir()) == [
        *("mine.report.html", "mine.zip", "source")
    ]


def test_the_zip_is_stored_with_a_fixed_date(source):
    drawing(1).save(source / "a.png")
    made(source)
    with zipfile.ZipFile(source.parent / "mine.zip") as archive:
        (entry,) = archive.infolist()
    assert entry.date_time == (1980, 1, 1, 0, 0, 0) and entry.compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize("limit", ["_AHEAD", "_HELD"])
def test_little_is_under_way_at_a_time_and_all_in_order(source, monkeypatch, limit):
    taken = []

    def frames(files, index, every):
        yield 500
        for i in range(500):
            taken.append(i)
            yield Picture(str(i), 8, 8, drawing(i, 8))

    (source / "a.mp4").touch()
    monkeypatch.setattr("utils.prepare.squares.film", frames)
    monkeypatch.setattr(f"utils.prepare.squares.{limit}", {"_AHEAD": 9, "_HELD": 2000}[limit])
    results = work(open_source(source), Settings(8), lambda count: None)
    first = next(results)
    # A frame takes 192 bytes, a square made of it more: ten fill the 2000, one more is too much.
    assert len(taken) <= 11
    assert [done.mark for (done,) in (first, *results)] == [str(i) for i in range(500)]


def test_the_page_is_safe_and_alone(source):
    name = "<script>alert('&\"')<" + "b>.png"
    drawing(1).save(source / name)
    (source / f"2{name}").write_text("no picture")
    made(source)
    page = (source.parent / "mine.report.html").read_text(encoding="utf-8")
    assert "<script" not in page and page.count("&lt;script&gt;alert(&#x27;&amp;&quot;") == 1
    assert "default-src 'none'" in page and "prefers-color-scheme: dark" in page
    assert set(re.findall(r"src=(.{18})", page)) == {'"data:image/png;ba'}
    assert not re.search(r"href|url\(|http:|https:|@import|\son\w+=", page)


def few(count, size=128, grey=False):
    findings = Findings("in", "my own.zip", count, Settings(size, grey=grey), count)
    findings.names = ["x"] * count
    findings.sizes[8, 8] = count
    return findings


@pytest.mark.parametrize(
    ("count", "said"),
    [(499, "very few"), (500, "are few"), (2999, "are few"), (3000, "enough to"), (9999, "enough")],
)
def test_advice_where_pictures_are_few(count, said):
    assert f"{count:,} pictures are " in advice(few(count))[0] and said in advice(few(count))[0]
    assert ("--augment" in next_command(few(count))) == (count < 3000)


def test_the_training_to_start():
    assert advice(few(10_000)) == []
    begin = "python train.py --data 'my own.zip' --run-id 0002"
    assert next_command(few(10_000)) == begin
    assert next_command(few(9, 64, True)) == (
        f"{begin} --image-size 64 --channels 1 --augment diffaugment --batch-size 9"
    )


@pytest.fixture
def odd_sources(source, monkeypatch):
    monkeypatch.chdir(source.parent)
    for folder in ("void", "folder.zip"):
        (source.parent / folder).mkdir()
    (source / "a.png").write_text("no picture")
    (source.parent / "text.txt").write_text("x")
    (source.parent / "a.heic").write_text("x")
    drawing(1).save(source.parent / "good.png")
    with zipfile.ZipFile(source.parent / "good.zip", "w") as archive:
        archive.write("good.png")


BAD = {
    "nix": "nix: no such file or folder",
    "void": "void: no images among its 0 files; expected .png",
    "text.txt": "text.txt: not a zip",
    "a.heic": "a.heic: save it as PNG or JPEG from the program that shows it",
    "source": "source: none of its 1 pictures can be read; the first, a.png: not a picture that",
    "good.zip --out good.zip": "good.zip: is the source itself; choose another name for --out",
    "good.zip --out void/../good.zip": "is the source itself",
    "source --out source/mine.zip": "source/mine.zip: lies inside source, where nothing is changed",
    "source --out source/b/mine.zip": "lies inside source",
    "good.png --out good.png": "good.png: expected the name of a zip to write, such as mine.zip",
    "good.png --out folder.zip": "folder.zip: is a folder; expected the name of a zip to write",
    "good.png --out text.txt/a.zip": "text.txt/a.zip: text.txt is a file; expected a folder",
    "good.png --out /proc/a.zip": "/proc/a.zip could not be written",
    "good.png --size 7": "argument --size: expected a whole number from 8 to 4096, received '7'",
    "good.png --size 4097": "argument --size: expected a whole number from 8 to 4096",
    "good.png --crop middle": "argument --crop: invalid choice: 'middle'",
    "good.png --mode cmyk": "argument --mode: invalid choice: 'cmyk'",
    "good.png --paper blurple": "expected a colour such as white or #f4efe6, received 'blurple'",
    "good.png --paper #ff000080": "expected a colour such as white or #f4efe6",
    "good.png --every 0": "argument --every: expected a whole number from 1",
    "": "the following arguments are required: SOURCE",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_command_lines_get_one_line_and_exit_code_2(line, odd_sources, monkeypatch, capsys):
    if "/proc" in line and not os.path.isdir("/proc"):
        pytest.skip("no /proc here, a folder that not even the administrator can write to")
    assert run_here(["utils.prepare", *line.split()], monkeypatch) == 2
    (said,) = [text for text in capsys.readouterr().err.splitlines() if text and "/s]" not in text]
    assert said.startswith("python -m utils.prepare: error: ") and BAD[line] in said
    assert len(said) < 600 and not list(os.scandir("void"))
    assert not [name for name in os.listdir() if ".part" in name or name.startswith("mine")]


def test_the_command_line(source, monkeypatch, capsys):
    monkeypatch.chdir(source.parent)
    drawing(1).save(source / "a.png")
    line = "utils.prepare source --size 16 --mode grey --out new/own.zip"
    assert run_here(line.split(), monkeypatch) == 0
    said = capsys.readouterr().out
    assert "own.zip: 1 squares of 16×16 pixels, grey" in said
    assert "Next: python train.py --data new/own.zip --run-id 0002 --image-size 32" in said
    assert (source.parent / "new" / "own.report.html").exists()


def test_an_interruption_leaves_nothing_half_written(source):
    pixels = Image.effect_noise((1500, 1500), 90)
    for i in range(12):
        pixels.save(source / f"{i}.tif")
    line = [sys.executable, "-m", "utils.prepare", source, "--out", source.parent / "mine.zip"]
    line += ["--crop", "tiles", "--size", "64"]
    process = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (parts := [f for f in source.parent.glob(".*.part.zip") if f.stat().st_size]):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert b"stopped" in process.communicate(timeout=60)[1] and process.returncode == 130
    assert parts and os.listdir(source.parent) == ["source"]
