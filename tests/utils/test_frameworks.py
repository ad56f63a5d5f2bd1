"""Loading Keras and TensorFlow: what is shown and what is not, with packages that stand in."""

import os
import subprocess
import sys

import pytest

from tests.helpers import ROOT
from utils.frameworks import FRAMEWORKS

NOISE = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795679584.489269   14066 port.cc:153] oneDNN custom operations are on.
2025-02-03 04:05:06.789012: I tensorflow/core/platform/cpu_feature_guard.cc:210] This binary is
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.
E0000 00:00:1.5  1 cuda_dnn.cc:8310] Unable to register cuDNN factory: when one has already been \
registered
"""
TOLD = "W0000 00:00:1.5  1 gpu.cc:9] Could not load dynamic library libcudart.so\n"
UNENDED = "an end without a line"


def load(folder, package, ending, **environment):
    """Imports a package that prints as C++ does and ends in a way of its own."""
    program = f"import os\nos.write(2, {(NOISE + TOLD + UNENDED)!r}.encode())\n{ending}\n"
    (folder / f"{package}.py").write_text(program)
    return python(f"import utils\nimport {package}", folder, **environment)


def python(program, folder, **environment):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder)} | environment,
        capture_output=True,
        text=True,
    )


def test_noise_of_tensorflow_is_hidden_and_all_else_is_shown(tmp_path):
    done = load(tmp_path, "tensorflow", "", TF_CPP_MIN_LOG_LEVEL="3")
    assert (done.returncode, done.stderr) == (0, TOLD + UNENDED)


def test_what_an_import_that_fails_printed_is_shown(tmp_path):
    done = load(tmp_path, "tensorflow", "raise ImportError('libfoo.so is missing')")
    assert done.returncode == 1 and done.stderr.startswith(NOISE + TOLD + UNENDED)
    assert done.stderr.endswith("ImportError: libfoo.so is missing\n")


@pytest.mark.skipif(sys.platform == "win32", reason="an abort is no signal there")
def test_what_an_import_that_aborts_printed_is_shown(tmp_path):
    done = load(tmp_path, "tensorflow", "os.abort()")
    assert done.returncode < 0 and NOISE + TOLD + UNENDED in done.stderr


def test_after_the_import_everything_is_shown_again(tmp_path):
    (tmp_path / "tensorflow.py").write_text("")
    program = f"import utils, os, tensorflow\nos.write(2, {NOISE!r}.encode())"
    assert python(program, tmp_path).stderr == NOISE


@pytest.mark.parametrize("chosen", ["torch", ""])
def test_a_framework_that_is_not_installed_is_one_line(chosen, tmp_path):
    missing = chosen or "tensorflow"
    error = f"raise ModuleNotFoundError('No module named {missing}', name={missing!r})"
    done = load(tmp_path, "keras", error, KERAS_BACKEND=chosen)
    why = "KERAS_BACKEND asks for" if chosen else "Keras is set to use"
    line = f"ValueError: {why} {FRAMEWORKS[missing]}, which is not installed: python -m pip install"
    assert done.stderr.splitlines()[-1].startswith(f"{line} {missing}")


def test_another_package_that_is_missing_is_not_taken_for_a_framework(tmp_path):
    error = "raise ModuleNotFoundError('No module named rich', name='rich')"
    done = load(tmp_path, "keras", error)
    assert done.stderr.endswith("ModuleNotFoundError: No module named rich\n")


def test_an_unknown_framework_is_one_line(tmp_path):
    line = [sys.executable, ROOT / "generate.py", "images", "--out", tmp_path / "new"]
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "theano"},
        capture_output=True,
        text=True,
    )
    expected = "generate.py: error: KERAS_BACKEND='theano': expected tensorflow, jax or torch\n"
    assert (done.returncode, done.stderr) == (2, expected)
