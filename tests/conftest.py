"""What several tests need: small data, a small model and its run, Processing's renderer."""

import json
import os
import runpy
import shutil
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import filelock
import numpy as np
import pytest

from lines.dataset import write_zip
from lines.scene import COLOURS

ROOT = Path(__file__).parents[1]
STAND_IN = ROOT / "tests" / "stand_in"
CACHE = ROOT / ".cache"
PY5 = "py5==0.10.12a0"  # carries Processing's core.jar

TINY = {
    "input_dim": (16, 16, 3),
    "critic_conv_filters": [4, 8],
    "critic_conv_kernel_size": [3, 3],
    "critic_conv_strides": [2, 2],
    "critic_batch_norm_momentum": None,
    "critic_activation": "leaky_relu",
    "critic_dropout_rate": None,
    "critic_learning_rate": 0.0002,
    "generator_initial_dense_layer_size": (4, 4, 8),
    "generator_upsample": [1, 1],
    "generator_conv_filters": [4, 3],
    "generator_conv_kernel_size": [4, 4],
    "generator_conv_strides": [2, 2],
    "generator_batch_norm_momentum": 0.9,
    "generator_activation": "leaky_relu",
    "generator_dropout_rate": None,
    "generator_learning_rate": 0.0002,
    "optimiser": "adam",
    "grad_weight": 10,
    "z_dim": 5,
    "batch_size": 4,
}
"""Arguments of a WGANGP that trains in no time."""


@pytest.fixture(scope="session")
def tiny_zip(tmp_path_factory):
    """30 line images of 16 pixels."""
    path = tmp_path_factory.mktemp("data") / "tiny.zip"
    write_zip(path, count=30, size=16, weight=1)
    return path


def train(gan, data, folder, epochs, **options):
    """Trains `gan` on a zip of 16-pixel images, two critic updates per epoch."""
    from utils.loaders import load_images  # here: the tests of lines/ need no framework

    stream = load_images(data, 16, 4)
    options = {
        "print_every_n_batches": 2,
        "n_critic": 2,
        "rows": 2,
        "columns": 3,
        "evaluate_every": 0,  # None would depend on the clock
    } | options
    gan.train(stream, batch_size=4, epochs=epochs, run_folder=folder, **options)


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


def replanned(folder, epochs):
    """As if a run had been planned for so many epochs."""
    content = json.loads((folder / "params.json").read_text())
    content["training"]["epochs"] = epochs
    before = (folder / "params.json").stat().st_mtime
    (folder / "params.json").write_text(json.dumps(content))
    os.utime(folder / "params.json", (before, before))


@pytest.fixture
def source(tmp_path):
    """An empty folder for pictures."""
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def run_here(arguments, monkeypatch):
    """Runs a script or module as the main program, but in this process, where Keras is loaded."""
    monkeypatch.setattr(sys, "argv", list(arguments))
    with pytest.raises(SystemExit) as left:
        if arguments[0].endswith(".py"):
            runpy.run_path(str(ROOT / arguments[0]), run_name="__main__")
        else:
            monkeypatch.delitem(sys.modules, arguments[0], raising=False)  # as if never imported
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    return left.value.code or 0


@pytest.fixture
def colab_session(tmp_path, monkeypatch):
    """Colab's stand-in, here and in every kernel: its empty Drive, and what was asked of it."""
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


def processing_command():
    """Command that runs a Java class of tests/processing with Processing on its class path."""
    if not shutil.which("javac"):
        pytest.skip("Processing's own renderer needs a Java development kit (javac), 17 or later")
    CACHE.mkdir(exist_ok=True)
    with filelock.FileLock(CACHE / "lock"):  # tests may run in several processes
        return _prepared_processing()


def _prepared_processing():
    jar, classes = CACHE / "core.jar", CACHE / "classes"
    if not jar.exists():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", CACHE, PY5]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip(f"pip could not download {PY5}, which carries Processing's core.jar")
        with zipfile.ZipFile(next(CACHE.glob("py5-*.whl"))) as wheel:
            inside = next(name for name in wheel.namelist() if name.endswith("/core.jar"))
            jar.write_bytes(wheel.read(inside))
    sources = sorted((ROOT / "tests" / "processing").glob("*.java"))
    subprocess.run(["javac", "-cp", jar, "-d", classes, *sources], check=True)
    return ["java", "-Djava.awt.headless=true", "-cp", f"{jar}{_separator()}{classes}"]


def _separator():
    return ";" if sys.platform == "win32" else ":"


def draw_in_processing(command, scenes, size, weight):
    """Scenes of equal length drawn by Processing: uint8 (n, size, size, 3)."""
    request = struct.pack(">4i", size, weight, len(scenes), len(scenes[0]))
    for line in (line for scene in scenes for line in scene):
        horizontal = line.orientation == "horizontal"
        request += struct.pack(">if3i", horizontal, line.position, *COLOURS[line.colour])
    reply = subprocess.run([*command, "Reference"], input=request, capture_output=True, check=True)
    return np.frombuffer(reply.stdout, np.uint8).reshape(len(scenes), size, size, 3)
