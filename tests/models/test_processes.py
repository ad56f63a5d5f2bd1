"""Several devices and several processes: the training of one, and an end when one is lost."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from lines.dataset import write_zip
from models.engines import distributed
from models.engines.processes import Processes
from models.training import checkpoint
from models.WGANGP import WGANGP
from tests.benchmarks.scaling import EXCHANGES
from tests.helpers import JAX, ROOT
from tests.helpers.devices import COMPARED, RUN
from tests.helpers.parity import SEEDS
from tests.helpers.small import arrays, lines, train
from utils.loaders import load_images

pytest.importorskip("jax")

DEVICES = 4


def started(*arguments, cwd=ROOT, **variables):
    """A program on JAX, running."""
    line = [sys.executable, *map(str, arguments)]
    environment = os.environ | JAX | {"PYTHONPATH": str(ROOT)} | variables
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(line, cwd=cwd, env=environment, **pipes)


def ended(process, seconds=120):
    """Its exit code, stdout and stderr."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def compared(tiny_zip, tmp_path_factory):
    """The results of `tests.helpers.devices compare`, and the folder of its runs and programs."""
    folder = tmp_path_factory.mktemp("devices")
    flags = (
        f"{JAX['XLA_FLAGS']} --xla_force_host_platform_device_count={DEVICES} "
        f"--xla_dump_to={folder}/programs "
        "--xla_dump_hlo_module_re=jit_pure --xla_dump_hlo_as_text"
    )
    # A cache of its own: each program is compiled, and written down, once.
    compiling = {"XLA_FLAGS": flags, "JAX_COMPILATION_CACHE_DIR": str(folder / "cache")}
    process = started("-m", "tests.helpers.devices", "compare", folder, tiny_zip, **compiling)
    code, _, errors = ended(process, 300)
    assert code == 0, errors
    return dict(np.load(folder / "found.npz")), folder


@pytest.mark.parametrize("name", COMPARED)
def test_four_devices_have_the_losses_of_one(compared, name):
    found, _ = compared
    apart = []
    for seed in SEEDS:
        one, four = (found[f"{devices}/{name}/{seed}"] for devices in (1, DEVICES))
        assert one.shape == (5, 5) and np.abs(one).max() > 0.1 and not np.array_equal(one, four)
        apart.append(furthest(four, one))
    # One of two; `tests.helpers.parity.SEEDS` says why not both.
    assert min(apart) < 1e-4, apart


def furthest(losses, others):
    """The largest distance between the losses of an epoch, as a share of their own size."""
    assert losses.shape == others.shape
    return (np.linalg.norm(losses - others, axis=1) / np.linalg.norm(others, axis=1)).max()


def test_devices_exchange_gradients_and_sums_but_no_images(compared):
    """The compiled epochs of four devices: all-reduce, and nothing that moves a part of a batch."""
    programs = [
        file.read_text() for file in (compared[1] / "programs").glob("*after_optimizations.txt")
    ]
    shared = [text for text in programs if f"num_partitions={DEVICES}" in text]
    assert len(shared) > len(COMPARED)
    for text in shared:
        assert {*re.findall(rf" ({EXCHANGES})(?:-start)?\(", text)} == {"all-reduce"}


def test_a_run_moves_between_one_and_four_devices(compared):
    found, folder = compared
    there, back = "1_then_all", "all_then_1"
    assert len(found[there]) == 4 and furthest(found[there], found[back]) < 1e-4
    one, other = (
        entries_of(folder / name / "weights" / "checkpoint_4.h5") for name in (there, back)
    )
    assert one == other


def entries_of(path):
    """Shape and type of every array of an HDF5 file by its name."""
    found = {name: (array.shape, array.dtype) for name, array in arrays(path).items()}
    assert len(found) > 30
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def files_in(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def losses(folder):
    return np.loadtxt(folder / "losses.csv", delimiter=",", skiprows=1)[:, 1:]


def test_two_processes_are_one_training_and_only_the_first_writes(tmp_path):
    data = tmp_path / "lines.zip"
    write_zip(data, count=40, size=32, weight=1)
    options = ["--image-size", 32, "--width", 1 / 32, "--batch-size", 8, "--n-critic", 2]
    options += ["--epochs", 4, "--print-every", 2, "--rows", 2, "--columns", 2]
    options += ["--evaluate-every", 2]
    alone, *both = (tmp_path / name for name in ("alone", "first", "second"))
    for folder in (alone, *both):
        folder.mkdir()
    copy = shutil.copy(data, both[1] / "copy.zip")  # another name, the same images
    script = ROOT / "train.py"
    one = started(script, "--data", data, *options, cwd=alone)
    assert ended(one)[0] == 0
    address = f"127.0.0.1:{free_port()}"
    running = [
        started(
            *(script, "--data", (data, copy)[i], *options),
            *("--coordinator", address, "--processes", 2, "--process", i),
            cwd=both[i],
        )
        for i in range(2)
    ]
    (code, out, errors), (other, silence, its_errors) = map(ended, running)
    assert (code, other) == (0, 0), errors + its_errors
    there, here = (folder / "run/gan/0001_lines" for folder in (alone, both[0]))
    assert furthest(losses(here), losses(there)) < 1e-4
    assert files_in(here) - {".lock"} == files_in(there) - {".lock"} and len(files_in(here)) > 10
    assert files_in(both[1]) == {"copy.zip"}
    assert "Samples, losses and generator.h5 are in" in out
    said = [line for line in silence.splitlines() if not line.startswith("[Gloo]")]
    assert said == [f"Process 1 of 2 meets the others at {address}"]
    assert "Traceback" not in its_errors


def together(data, folder, epochs, others=None):
    """Two processes of `tests.helpers.devices session`; the second has nothing to write to."""
    address = f"127.0.0.1:{free_port()}"
    return [
        started("-m", "tests.helpers.devices", "session", where, folder_, epochs, address, 2, i)
        for i, (where, folder_) in enumerate(((data, folder), (others or data, "/nowhere")))
    ]


def wait_for_epoch(folder, epochs, process):
    deadline = time.monotonic() + 120
    while lines(folder / "log.txt") < epochs:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_lost_process_ends_all_and_a_signal_to_one_stops_all(tiny_zip, tmp_path):
    folder = tmp_path / "run"
    first, second = together(tiny_zip, folder, 1000)
    wait_for_epoch(folder, 3, first)
    # The one that the others depend on most: they meet at its address, and it alone writes.
    first.kill()
    began = time.monotonic()
    code, _, errors = ended(second)
    assert code != 0 and time.monotonic() - began < 60
    # JAX either raises, and the error is ours, or aborts the process by itself.
    assert code < 0 or (
        "lost the others" in errors and "continues from the last checkpoint" in errors
    )
    assert ended(first)[0] == -signal.SIGKILL
    saved = epochs_saved(folder)
    assert saved >= 2
    first, second = together(tiny_zip, folder, 1000)
    wait_for_epoch(folder, saved + 2, first)
    second.send_signal(signal.SIGTERM)
    assert ended(first)[0] == ended(second)[0] == 130
    stopped = epochs_saved(folder)
    assert stopped == len(losses(folder)) > saved
    alone = started("-m", "tests.helpers.devices", "session", tiny_zip, folder, stopped + 2)
    code, _, errors = ended(alone)
    assert code == 0, errors
    train(WGANGP(**RUN), tiny_zip, tmp_path / "whole", stopped + 2)
    assert furthest(losses(folder), losses(tmp_path / "whole")) < 1e-3  # on another framework


def epochs_saved(folder):
    return int(checkpoint.find(folder / "weights")[-1].stem.removeprefix("checkpoint_"))


def test_processes_that_differ_are_refused(tiny_zip, tmp_path):
    other = tmp_path / "other.zip"
    write_zip(other, count=30, size=16, weight=1, seed=1)
    for code, _, errors in map(ended, together(tiny_zip, tmp_path / "run", 4, other)):
        assert code == 2
        assert errors.splitlines()[-1].endswith(
            "error: the 2 processes do not agree on images: give all of them the same command, "
            "the same images and the same versions"
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("batch_size", "devices", "fitting"), [(16, 3, "15 or 18"), (7, 8, "8"), (30, 16, "16 or 32")]
)
def test_a_batch_that_does_not_divide(batch_size, devices, fitting):
    Processes(devices=devices).check_batch_size(devices * 5)
    with pytest.raises(ValueError, match=f"divide by {devices} devices; --batch-size {fitting} do"):
        Processes(devices=devices).check_batch_size(batch_size)


def test_the_slices_of_a_batch_make_up_the_batch(tiny_zip):
    stream = load_images(tiny_zip, 16, 12)
    parts = []
    for process in range(4):
        stream.position = 3
        stream.local_slice = Processes(process, 4, 8).local_slice(12)
        parts.append([next(stream)[0], next(stream)[0]])
    for k, pieces in enumerate(zip(*parts, strict=True)):
        assert [len(piece) for piece in pieces] == [3, 3, 3, 3]
        assert np.array_equal(np.concatenate(pieces), stream[3 + k][0])


@pytest.mark.skipif(keras.config.backend() == "jax", reason="JAX is the one that can")
@pytest.mark.parametrize("members", [(2,), ("all",), (None, "127.0.0.1:1234", 2, 0)])
def test_other_frameworks_refuse_several_devices(members):
    refused = pytest.raises(ValueError, match="several devices need KERAS_BACKEND=jax in the envir")
    with refused, distributed(*members):
        pass


BAD = {
    "--devices 2": "--devices 2: there is only 1",
    "--coordinator nowhere --processes 2 --process 0": "expected HOST:PORT, received 'nowhere'",
    "--coordinator a:123456 --processes 2 --process 0": "expected HOST:PORT, received 'a:123456'",
    "--coordinator a:1 --processes 2": "--coordinator needs --processes N and --process I, too",
    "--processes 2 --process 0": "--processes and --process need --coordinator HOST:PORT",
    "--coordinator a:1 --processes 2 --process 2": "between 0 and 1 for 2 processes, received 2",
    "--coordinator 127.0.0.1:{taken} --processes 2 --process 0": "process 0 cannot listen there (",
    "--coordinator 192.0.2.1:{taken} --processes 2 --process 0": "expected an address of its",
}


def test_bad_arguments_are_refused_in_one_line(tiny_zip, tmp_path):
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        running = [
            started(
                *(ROOT / "train.py", "--data", tiny_zip, *line.format(taken=port).split()),
                cwd=tmp_path,
            )
            for line in BAD
        ]
        for process, message in zip(running, BAD.values(), strict=True):
            code, _, errors = ended(process)
            last = errors.splitlines()[-1]
            assert code == 2 and message in last and last.startswith("train.py: error: "), errors
    assert not (tmp_path / "run").exists()
