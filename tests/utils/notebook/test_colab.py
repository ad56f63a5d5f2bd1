"""Colab: package versions, Google Drive, uploads and downloads."""

import os
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from tests.helpers import ROOT
from utils.images import save_picture
from utils.loaders import read_images
from utils.notebook import colab
from utils.runs import folder as runs


def requirements(path):
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {re.sub("[-_.]+", "-", r.name).lower(): r for r in map(Requirement, filter(None, lines))}


ADDED = {"onnx", "tf2onnx"}
"""Requirements that Colab lacks and that change none of its packages."""

COLAB = requirements(ROOT / "tests" / "colab.txt")


@pytest.mark.skipif(os.environ.get("VERSIONS") != "colab", reason="make test sets VERSIONS=colab")
def test_requirements_change_no_version_of_colab():
    installed = {name: version(name) for name in COLAB}
    assert installed == {name: str(pin.specifier)[2:] for name, pin in COLAB.items()}


def test_colab_has_a_suitable_version_of_every_requirement():
    for name, requirement in requirements(ROOT / "requirements.txt").items():
        if name in ADDED:
            continue
        assert name in COLAB, f"{requirement} is not among Colab's packages: it installs something"
        assert str(COLAB[name].specifier)[2:] in requirement.specifier, requirement


@pytest.fixture
def drive(colab_session, monkeypatch):
    mount, asked = colab_session
    monkeypatch.setattr(colab, "MOUNT", mount)
    return mount, asked


def test_runs_live_on_drive_if_asked(drive, monkeypatch):
    mount, asked = drive
    assert colab.find_root(False) == runs.ROOT == Path("run/gan")
    assert colab.find_root(True) == mount / "MyDrive/lines-wgan-gp/run/gan"
    assert asked() == [["mount", str(mount), False]]


def test_drive_is_mounted_in_colab_only():
    assert Path("/content/drive") == colab.MOUNT
    with pytest.raises(OSError, match="only Colab has Google Drive: set USE_DRIVE = False"):
        colab.find_root(True)


@pytest.mark.parametrize(
    ("state", "message", "mounts"),
    [
        ("refused", r"credential propagation was unsuccessful\): run this cell again", 1),
        ("broken", "mounted but does not answer: restart the session", 2),
    ],
)
def test_a_failing_drive_gives_one_line_that_says_what_to_do(
    drive, monkeypatch, state, message, mounts
):
    monkeypatch.setenv("COLAB_DRIVE", state)
    with pytest.raises(OSError, match=message) as caught:
        colab.find_root(True)
    assert "\n" not in str(caught.value) and "USE_DRIVE = False" in str(caught.value)
    assert len(drive[1]()) == mounts


def test_a_drive_that_does_not_answer_is_mounted_again(drive, monkeypatch):
    monkeypatch.setenv("COLAB_DRIVE", "stale")
    assert colab.find_root(True).is_relative_to(drive[0])
    assert [force for _, _, force in drive[1]()] == [False, True]


def test_the_generator_is_named_or_the_newest_or_uploaded(tmp_path, colab_session, monkeypatch):
    assert colab.find_generator("mine.h5", tmp_path) == Path("mine.h5")
    with pytest.raises(FileNotFoundError, match=r"nothing was uploaded: run this cell again"):
        colab.find_generator("upload", tmp_path)  # the user cancelled it
    monkeypatch.setattr(runs, "ROOT", tmp_path / "ours")
    with pytest.raises(FileNotFoundError, match=rf"no generator.h5 under {tmp_path}: train one"):
        colab.find_generator("", tmp_path)
    (tmp_path / "ours" / "0000_lines64").mkdir(parents=True)
    (tmp_path / "ours" / "0000_lines64" / "generator.h5").touch()
    assert colab.find_generator("", tmp_path).parts[-3:] == ("ours", "0000_lines64", "generator.h5")
    for age, name in ((1, "new"), (2, "old")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "generator.h5").touch()
        os.utime(tmp_path / name / "generator.h5", (10**9 - age, 10**9 - age))
    assert colab.find_generator("", tmp_path) == tmp_path / "new" / "generator.h5"
    assert colab_session[1]() == [["upload", None]]


def test_the_picture_to_search_for_is_named_or_uploaded_or_of_the_sketch(
    tmp_path, colab_session, monkeypatch
):
    own = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    monkeypatch.chdir(tmp_path)  # uploads are written here
    save_picture("mine/own.png", own)
    assert np.array_equal(colab.find_picture("mine/own.png", 16), own)
    monkeypatch.setenv("COLAB_UPLOAD", str(tmp_path / "mine" / "own.png"))
    assert np.array_equal(colab.find_picture("upload", 16), own)
    monkeypatch.chdir(ROOT)
    drawn = colab.find_picture("", 64)
    assert drawn.shape == (64, 64, 3) and np.array_equal(drawn, read_images("output.zip", 64, 1)[0])


def test_nothing_is_downloaded_if_a_file_is_missing(tmp_path, colab_session, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"generator\.h5: no such file; run the cells above"
    ):
        colab.take_home(Path("images"), Path("generator.h5"))
    assert not (tmp_path / "asked").exists()
