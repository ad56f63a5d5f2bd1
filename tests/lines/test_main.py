"""The command line `python -m lines`."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from lines.__main__ import main
from tests.helpers import DATA, ROOT


def test_images_equal_the_sketch_after_random_seed_1(tmp_path):
    path = tmp_path / "folder" / "seed1.zip"
    arguments = ["--seed", "1", "--count", "60", "--allow-duplicates", "--out", path]
    subprocess.run([sys.executable, "-m", "lines", *arguments], cwd=ROOT, check=True)
    expected = np.load(DATA / "processing_seed1.npz")["images"]
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [f"seed1/{i:05d}.png" for i in range(60)]
        images = [np.asarray(Image.open(archive.open(name))) for name in archive.namelist()]
    assert np.array_equal(images, expected)


def test_bad_values_are_refused_in_one_line(tmp_path):
    command = [sys.executable, "-m", "lines", "--out", tmp_path / "x.zip"]
    for wrong in (["--weight", "0"], ["--weight", "39"], ["--count", "0"], ["--size", "3"]):
        done = subprocess.run([*command, *wrong], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 2
        assert done.stderr.startswith("python -m lines: error: ") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("count", "images"), [(1, "1 image"), (2000, "2,000 images")])
def test_last_line_counts_images_and_repeats(count, images, tmp_path, monkeypatch, capsys):
    path = tmp_path / "x.zip"
    command = ["lines", "--count", str(count), "--size", "128", "--out", str(path)]
    monkeypatch.setattr("sys.argv", command)
    assert main() == 0
    assert capsys.readouterr().out == f"{path}: {images}, 0 repeats skipped\n"


def test_progress_is_shown_on_a_terminal_only(tmp_path, monkeypatch, capsys):
    command = ["lines", "--count", "300", "--size", "16", "--out", str(tmp_path / "x.zip")]
    monkeypatch.setattr("sys.argv", command)
    assert main() == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main() == 0
    _, *lines = capsys.readouterr().err.split("\r")
    assert [line.split(",")[0] for line in lines] == ["256 images", "300 images"]
    assert lines[-1].endswith("0 s left" + " " * (60 - len(lines[-1].rstrip())) + "\n")


def test_debug_shows_where_an_error_came_from(tmp_path, monkeypatch):
    command = ["lines", "--debug", "--count", "0", "--out", str(tmp_path / "x.zip")]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(ValueError, match="count must be at least 1, received 0"):
        main()


def test_help_has_no_none_and_no_false(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["lines", "--help"])
    with pytest.raises(SystemExit, match="0"):
        main()
    text = capsys.readouterr().out
    assert "None" not in text and "False" not in text
    assert "(default: 10000)" in text and "1 to 38" in text
