"""The scripts as a person runs them: their files, interruption, and one line for bad input."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from models import checkpoint
from tests.conftest import ROOT


def command(*arguments, cwd=ROOT):
    line = [sys.executable, *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def lines64(tmp_path):
    path = tmp_path / "lines64.zip"
    arguments = ("--size", 64, "--weight", 3, "--count", 40, "--out", path)
    assert command("-m", "lines", *arguments).returncode == 0
    return path


def start(data, folder, *arguments):
    line = [ROOT / "train.py", "--data", data, "--preset", "lines64", "--batch-size", 2]
    line += ["--n-critic", 1, "--rows", 1, "--columns", 2, "--print-every", 2, *arguments]
    return [sys.executable, *map(str, line)], folder


def test_scripts_from_the_sketch_to_new_images(lines64, tmp_path):
    line, cwd = start(lines64, tmp_path, "--epochs", 2)
    dry = subprocess.run([*line, "--dry-run"], cwd=cwd, capture_output=True, text=True)
    assert dry.returncode == 0 and not (tmp_path / "run").exists()
    assert "critic: 392,513 parameters" in dry.stdout and "2 epochs: about" in dry.stdout
    done = subprocess.run(line, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Found 40 images belonging to 1 classes." in done.stdout
    again = subprocess.run(line, cwd=cwd, capture_output=True, text=True)
    assert "This training is finished" in again.stdout and again.returncode == 0
    generator = tmp_path / "run/gan/0001_lines64/generator.h5"
    arguments = ["--generator", generator, "--seeds", "0-1,7", "--columns", 2]
    made = command("generate.py", "images", *arguments, "--out", tmp_path / "new")
    assert made.returncode == 0, made.stderr
    names = sorted(file.name for file in (tmp_path / "new").iterdir())
    assert names == ["grid.png", "seed_0.png", "seed_1.png", "seed_7.png"]
    sample = np.asarray(Image.open(tmp_path / "run/gan/0001_lines64/images/sample_0.png"))
    assert sample.shape == (68, 134, 3)
    judged = command("evaluate.py", "--generator", generator, "--count", 20)
    assert "generated  0.000" in judged.stdout and "real       1.000" in judged.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_saves_and_says_how_to_continue(lines64, tmp_path, number):
    line, cwd = start(lines64, tmp_path, "--epochs", 100_000)
    process = subprocess.Popen(line, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log = tmp_path / "run/gan/0001_lines64/log.txt"
    deadline = time.monotonic() + 120
    while not (log.exists() and log.read_text().count("\n") >= 3):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    output = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 130
    assert "Continue with: python" in output and "--epochs 100000" in output
    epochs = log.read_text().count("\n")
    (saved,) = checkpoint.find(log.parent / "weights")
    assert saved.name == f"checkpoint_{epochs}.h5"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train.py", "--data", "nix.zip"], "train.py: error: nix.zip: no such file"),
        (["train.py", "--preset", "big"], "preset must be one of lines128, lines64"),
        (["train.py", "--image-size", "64", "--epochs", "1"], "but input_dim is (64, 64, 3)"),
        (["train.py", "--batch-size", "10001"], "the 10000 images there are, received 10001"),
        (["generate.py", "images", "--generator", "nix.h5"], "nix.h5: no such file"),
        (["generate.py", "images", "--generator", "README.md"], "README.md: not an HDF5 file"),
        (["generate.py", "images", "--seeds", "5-1"], "seeds must look like 0-24,100,7"),
        (["generate.py", "images", "--columns", "0"], "--columns must be at least 1"),
        (["evaluate.py", "--count", "0"], "--count must be at least 1"),
    ],
)
def test_bad_command_lines_get_one_line_and_exit_code_2(arguments, message):
    done = command(*arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
