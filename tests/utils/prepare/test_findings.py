"""Preparing one's own pictures: what is left out, the summary, the report, the command line."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.helpers import ROOT
from tests.helpers.preparing import drawing, prepared
from tests.helpers.scripts import run_here
from utils.prepare import Settings, summary
from utils.prepare.findings import Findings, advice, next_command, training_time
from utils.prepare.reading import Picture, open_source
from utils.prepare.squares import cut, make_squares


def test_nested_folders_bad_files_and_others(source):
    (source / "b" / "c").mkdir(parents=True)
    drawing(1).save(source / "b" / "c" / "été.png")
    drawing(2).save(source / "a.png")
    (source / "half.png").write_bytes((source / "a.png").read_bytes()[:200])
    (source / "film.mp4").write_bytes(b"no film")
    (source / "void.jpg").touch()
    (source / "text.png").write_text("text")
    (source / "photo.heic").write_text("x")
    (source / "notes.txt").write_text("x")
    (source / ".DS_Store").write_text("x")
    squares, findings = prepared(source, size=32)
    assert findings.names == ["mine/000000_a.png", "mine/000001_b_c_été.png"]
    assert (squares[0] == np.asarray(drawing(2))).all()
    assert (squares[1] == np.asarray(drawing(1))).all()
    unreadable = dict(findings.unreadable)
    assert list(unreadable) == ["film.mp4", "half.png", "text.png", "void.jpg"]
    assert unreadable["void.jpg"] == "the file is empty" and "ffmpeg" in unreadable["film.mp4"]
    assert unreadable["text.png"] == "not a picture in a format that is read"
    assert [name for name, _ in findings.skipped] == [".DS_Store", "notes.txt", "photo.heic"]
    text = summary(findings)
    assert "Left out: 4 unreadable, 3 not pictures\n" in text and "void.jpg: the file" in text
    report = (source.parent / "mine.report.html").read_text(encoding="utf-8")
    for name in [*unreadable, "save it as PNG or JPEG"]:
        assert name in report


def test_duplicates_are_left_out_unless_asked_for(source):
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        drawing(seed).save(source / f"{name}.png")
    drawing(1).save(source / "d.bmp")  # another file, the same pixels
    squares, findings = prepared(source)
    assert len(squares) == 2 and findings.dropped == 2
    assert findings.duplicates == [("b.png", "a.png"), ("d.bmp", "a.png")]
    assert "Left out: 2 duplicates\n" in summary(findings)
    squares, findings = prepared(source, keep_duplicates=True)
    assert len(squares) == 4 and findings.dropped == 0 and len(findings.duplicates) == 2
    assert (squares[0] == squares[3]).all() and "Left out" not in summary(findings)


def test_near_duplicates_are_reported_and_stay_in_the_zip(source):
    for seed in range(4):
        drawing(seed, 64).save(source / f"{seed}.png")
    drawing(2, 64).save(source / "again.jpg", quality=60)
    squares, findings = prepared(source, size=64)
    ((rms, first, second),) = findings.near_duplicates
    assert (findings.labels[first], findings.labels[second]) == ("2.png", "again.jpg")
    assert len(squares) == 5 and "1 picture looks nearly like an earlier one" in summary(findings)
    assert 0 < rms < 8


@pytest.mark.parametrize("mode", ["RGB", "grey"])
def test_the_few_colours_of_flat_drawings_are_reported(source, mode):
    for i in range(6):
        image = Image.new("RGB", (32, 32), "white")
        image.paste("black", (0, 0, 16, 4 * i + 4))
        image.paste("red", (16, 0, 32, 4 * i + 4))
        image.save(source / f"{i}.png")
    _, findings = prepared(source, size=32, grey=mode == "grey")
    # Half of 4, 8, … 24 of 32 rows are black: 84 of 384 half rows. As many are red.
    expected = [[255, 255, 255], [0, 0, 0], [255, 0, 0]]
    if mode == "grey":
        expected = [[255], [0], [76]]
    assert findings.palette.colours.tolist() == expected and findings.palette.share == 1
    sentence = "3 colours cover 100 % of the pixels: flat colours."
    assert sentence in summary(findings).splitlines()
    report = (source.parent / "mine.report.html").read_text(encoding="utf-8")
    assert f"<li>{sentence}</li>" in report


def test_nothing_is_said_of_the_colours_of_photographs(source):
    for seed in range(4):
        drawing(seed).save(source / f"{seed}.png")
    _, findings = prepared(source, size=32)
    assert findings.palette is None and "flat colours" not in summary(findings)


def state(folder):
    """Names, times and contents of all files in a folder."""
    files = sorted(file for file in folder.rglob("*"))
    return [(file, file.stat().st_mtime_ns, file.is_file() and file.read_bytes()) for file in files]


@pytest.mark.parametrize("crop", ["center", "fit", "tiles"])
def test_the_bytes_are_the_same_each_time_and_the_source_is_unchanged(source, monkeypatch, crop):
    for seed in range(12):
        drawing(seed, 20).save(source / f"{seed}.{'jpg' if seed % 2 else 'png'}")
    (source / "bad.png").write_text("no picture")
    before, written = state(source), []
    for cores in (1, 1, 8):
        monkeypatch.setattr("utils.prepare.squares.os.cpu_count", lambda: cores)  # noqa: B023
        prepared(source, crop=crop)
        paths = (source.parent / "mine.zip", source.parent / "mine.report.html")
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1] == written[2]
    assert state(source) == before
    assert sorted(file.name for file in source.parent.iterdir()) == [
        *("mine.report.html", "mine.zip", "source")
    ]


def test_the_zip_is_stored_with_a_fixed_date(source):
    drawing(1).save(source / "a.png")
    prepared(source)
    with zipfile.ZipFile(source.parent / "mine.zip") as archive:
        (entry,) = archive.infolist()
    assert entry.date_time == (1980, 1, 1, 0, 0, 0) and entry.compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize(("limit", "value"), [("_MAX_PENDING", 9), ("_MAX_PENDING_BYTES", 2000)])
def test_few_frames_are_pending_at_a_time_and_all_come_in_order(source, monkeypatch, limit, value):
    decoded = []

    def frames():
        for i in range(500):
            decoded.append(i)
            yield Picture(str(i), i, 8, 8, drawing(i, 8))

    @contextlib.contextmanager
    def open_film(files, index, every):
        yield 500, frames()

    (source / "a.mp4").touch()
    monkeypatch.setattr("utils.prepare.squares.open_film", open_film)
    monkeypatch.setattr(f"utils.prepare.squares.{limit}", value)
    results = make_squares(open_source(source), Settings(8), lambda estimate: None)
    first = next(results)
    # A frame takes 192 bytes and its square more: eleven are always more than 2000.
    assert len(decoded) <= 11
    assert [result.frame_id for (result,) in (first, *results)] == [str(i) for i in range(500)]


@pytest.mark.parametrize("suffix", ["gif", "tif", "png", "webp"])
def test_squares_of_many_frames_wait_in_memory_for_a_part_of_them_only(source, monkeypatch, suffix):
    frames = [drawing(i, 32).quantize(16) if suffix == "gif" else drawing(i, 32) for i in range(40)]
    path = source / f"a.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    drawing(99, 32).save(source / "b.png")
    expected, _ = prepared(source, size=32)
    made = []
    monkeypatch.setattr(
        "utils.prepare.squares.cut", lambda *arguments: made.append(0) or cut(*arguments)
    )
    monkeypatch.setattr("utils.prepare.squares._MAX_FILE_BYTES", 20_000)
    more = []
    results = make_squares(open_source(source), Settings(32), more.append)
    first = next(results)
    assert sum(len(result.squares[0].png) for result in first[:-1]) <= 20_000
    assert len(first) < 20 and len(made) <= len(first) + 2  # the next frame and b.png
    (last,) = [result for results in (first, *results) for result in results][40:]
    assert not last.frame_id and sum(more) == 39
    monkeypatch.undo()
    again, findings = prepared(source, size=32)
    assert len(findings.names) == 41 and np.array_equal(again, expected)


def test_a_failing_disk_ends_a_preparation_in_the_middle_of_an_animation(source, monkeypatch):
    frames = [drawing(i, 32).quantize(16) for i in range(40)]
    frames[0].save(source / "a.gif", save_all=True, append_images=frames[1:])
    for i in range(20):
        shutil.copy(source / "a.gif", source / f"b{i}.gif")
    monkeypatch.setattr("utils.sources.files.LARGE_BYTES", 0)  # one file at a time
    monkeypatch.setattr("utils.prepare.squares._MAX_FILE_BYTES", 4000)
    results = make_squares(open_source(source), Settings(32), lambda number: None)
    for _ in range(3):
        next(results)
    results.close()  # the threads of the pool do not wait for the file that is left open


def test_the_page_has_no_script_and_loads_nothing(source):
    name = "<script>alert('&\"')<" + "b>.png"
    drawing(1).save(source / name)
    (source / f"2{name}").write_text("no picture")
    prepared(source)
    page = (source.parent / "mine.report.html").read_text(encoding="utf-8")
    assert "<script" not in page and page.count("&lt;script&gt;alert(&#x27;&amp;&quot;") == 1
    assert "default-src 'none'" in page and "prefers-color-scheme: dark" in page
    assert set(re.findall(r"src=(.{18})", page)) == {'"data:image/png;ba'}
    assert not re.search(r"href|url\(|http:|https:|@import|\son\w+=", page)


def test_placeholders_in_names_stay_as_they_are(source):
    drawing(1).save(source / "a.png")
    (source / "$title ${skipped} {0} %s $.png").write_text("no picture")
    prepared(source)
    page = (source.parent / "mine.report.html").read_text(encoding="utf-8")
    assert "<th>$title ${skipped} {0} %s $.png</th>" in page and page.count("$") == 3


def few(count, size=128, grey=False):
    findings = Findings("in", "my own.zip", count, Settings(size, grey=grey), count)
    findings.names = ["x"] * count
    findings.sizes[8, 8] = count
    return findings


@pytest.mark.parametrize(
    ("count", "expected"),
    [(499, "very few"), (500, "few"), (2999, "few"), (3000, "enough to"), (9999, "enough to")],
)
def test_advice_where_pictures_are_few(count, expected):
    first, *_ = advice(few(count))
    assert first.startswith(f"{count:,} pictures: {expected}")
    assert ("--augment flip mirrors" in first) == (count < 3000) and "diffaugment" not in first


def test_the_training_to_start(source):
    assert advice(few(10_000)) == []
    begin = "python train.py --data 'my own.zip' --run-id 0002 --recipe fast --minutes"
    assert next_command(few(10_000)) == f"{begin} 60"
    assert next_command(few(9, 100, True)) == f"{begin} 30 --channels 1 --batch-size 9"
    assert training_time(few(1, 100)) == (
        "On one core of a CPU, 10 minutes show colours and simple shapes at 64 pixels, and 30 are "
        "worth it. A GPU needs fewer. The same command adds more."
    )
    assert next_command(few(1000, 16)) == f"{begin} 20"  # networks for 16 pixels do not exist
    assert "begin with --size 64 or 128, or use a GPU" in " ".join(advice(few(10_000, 256)))
    drawing(1).save(source / "a.png")
    _, findings = prepared(source, size=64)
    report = (source.parent / "mine.report.html").read_text(encoding="utf-8")
    assert "--recipe fast --minutes 30" in report and training_time(findings) in report


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
    "a.heic": "a.heic: not a format that can be read; save it as PNG or JPEG in the program that",
    "source": "source: no readable pictures among its 1 file; the first, a.png: not a picture in",
    "good.zip --out good.zip": "good.zip: is the source itself; choose another name for --out",
    "good.zip --out void/../good.zip": "is the source itself",
    "source --out source/mine.zip": "source/mine.zip: lies inside source, which is only read",
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
    printed = capsys.readouterr().err.splitlines()
    (message,) = [text for text in printed if text and "/s]" not in text]  # no progress bar
    assert message.startswith("python -m utils.prepare: error: ") and BAD[line] in message
    assert len(message) < 600 and not list(os.scandir("void"))
    assert not [name for name in os.listdir() if ".part" in name or name.startswith("mine")]


def test_the_command_line(source, monkeypatch, capsys):
    monkeypatch.chdir(source.parent)
    drawing(1).save(source / "a.png")
    line = "utils.prepare source --size 16 --mode grey --out new/own.zip"
    assert run_here(line.split(), monkeypatch) == 0
    text = capsys.readouterr().out
    assert "own.zip: 1 square of 16×16 pixels, grey" in text
    *_, command, time_needed = text.splitlines()
    begin = "Next: python train.py --data new/own.zip --run-id 0002 --recipe fast --minutes 20 "
    assert command.startswith(begin) and time_needed.endswith("The same command adds more.")
    assert (source.parent / "new" / "own.report.html").exists()


def test_help_names_the_program_and_loads_no_framework():
    script = """if True:
        import runpy, sys
        sys.argv = ["utils.prepare", "--help"]
        try:
            runpy.run_module("utils.prepare", run_name="__main__", alter_sys=True)
        finally:
            print("loaded:", *{"keras", "tensorflow", "matplotlib", "models"} & {*sys.modules})
    """
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m utils.prepare [-h]")
    assert done.stdout.endswith("loaded:\n") and "None" not in done.stdout


def test_an_unknown_crop_is_refused():
    with pytest.raises(ValueError, match="must be one of center, fit, tiles, received 'middle'"):
        Settings(crop="middle")


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
