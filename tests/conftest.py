"""Fixtures: small data, a small run, Colab's stand-in, Processing's renderer."""

import json
import os
import shutil
import sys
import time

import pytest

from lines.dataset import write_zip
from tests.helpers import STAND_IN
from tests.helpers.processing import processing_command
from tests.helpers.small import TINY, train


@pytest.fixture(scope="session")
def tiny_zip(tmp_path_factory):
    """30 line images of 16 pixels."""
    path = tmp_path_factory.mktemp("data") / "tiny.zip"
    write_zip(path, count=30, size=16, weight=1)
    return path


@pytest.fixture(scope="session")
def run(tiny_zip, tmp_path_factory):
    """A finished run of five epochs."""
    from models.WGANGP import WGANGP

    folder = tmp_path_factory.mktemp("run") / "0001_tiny"
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, folder, 5)
    return gan, folder


@pytest.fixture
def folder(run, tmp_path):
    """A copy of the run of five epochs, sampled after epochs 0, 2 and 4, with times made up."""
    folder = tmp_path / "0001_tiny"
    shutil.copytree(run[1], folder)
    began = time.time() - 1000
    for name, after in {
        "params.json": 0,
        "images/sample_0.png": 50,
        "images/sample_2.png": 54,
        "images/sample_4.png": 58,
        "losses.csv": 58,
    }.items():
        os.utime(folder / name, (began + after,) * 2)
    return folder


@pytest.fixture
def source(tmp_path):
    """An empty folder for pictures."""
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def colab_session(tmp_path, monkeypatch):
    """Colab's stand-in, here and in every kernel: its empty Drive, and a list of the requests."""
    asked = tmp_path / "asked"
    monkeypatch.setenv("COLAB_RELEASE_TAG", "stand-in")
    monkeypatch.setenv("COLAB_ASKED", str(asked))
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
    monkeypatch.syspath_prepend(STAND_IN)
    yield (
        tmp_path / "drive",
        lambda: [json.loads(line) for line in asked.read_text().splitlines()],
    )
    for name in [name for name in sys.modules if name.startswith("google.colab")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def processing():
    """See `processing_command`."""
    return processing_command()
