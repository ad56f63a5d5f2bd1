"""One algorithm on three frameworks: the same losses, weights, runs and images on all of them."""

import importlib.util
import itertools
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from tests.helpers import JAX, ROOT
from tests.helpers.parity import SEEDS

BACKENDS = ("tensorflow", "jax", "torch")
INSTALLED = [name for name in BACKENDS if importlib.util.find_spec(name)]


def run_on_each(task, folder, others):
    """Runs `tests.helpers.parity` on every installed backend at once."""
    processes = []
    for backend in INSTALLED:
        arguments = [folder / backend, *(folder / other for other in others(backend))]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.helpers.parity", task, *arguments],
                cwd=ROOT,
                env=os.environ | (JAX if backend == "jax" else {"KERAS_BACKEND": backend}),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for backend, process in zip(INSTALLED, processes, strict=True):
        errors = process.communicate()[1]
        assert process.returncode == 0, f"{backend}: {errors}"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder for each backend, with the results of `tests.helpers.parity`."""
    folder = tmp_path_factory.mktemp("backends")
    run_on_each("train", folder, lambda backend: ())
    run_on_each("read", folder, lambda backend: [o for o in INSTALLED if o != backend])
    return folder


def pairs():
    return [
        pytest.param(
            a,
            b,
            marks=pytest.mark.skipif(
                not {a, b} <= {*INSTALLED}, reason=f"{a} and {b} are not both installed"
            ),
        )
        for a, b in itertools.combinations(BACKENDS, 2)
    ]


def both(results, file, *backends):
    return [dict(np.load(results / backend / file)) for backend in backends]


def joined(arrays, prefix):
    """All trainable weights whose name begins with `prefix`, as one vector."""
    ends = ("kernel", "bias", "gamma", "beta")
    chosen = (
        name for name in sorted(arrays.keys()) if name.startswith(prefix) and name.endswith(ends)
    )
    return np.concatenate([arrays[name].ravel() for name in chosen])


@pytest.mark.parametrize(("a", "b"), pairs())
def test_initial_weights_do_not_depend_on_the_backend(results, a, b):
    ours, theirs = both(results, "initial.npz", a, b)
    assert ours.keys() == theirs.keys() and len(ours) > 100
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def apart(ours, theirs, run):
    """How far losses and weights of one run lie apart, as shares of their own size."""
    losses = ours[f"{run}/losses"]
    assert losses.shape == (5, 5) and np.abs(losses).max() > 0.1
    yield np.abs(theirs[f"{run}/losses"] / losses - 1).max()
    for network in ("critic", "generator"):
        weights, others = (joined(arrays, f"{run}/{network}_") for arrays in (ours, theirs))
        yield np.linalg.norm(weights - others) / np.linalg.norm(weights)


@pytest.mark.parametrize("name", ["reference", "other_layers", "recipe"])
@pytest.mark.parametrize(("a", "b"), pairs())
def test_five_epochs_are_the_same_on_two_backends(results, a, b, name):
    ours, theirs = both(results, "trained.npz", a, b)
    worst = [max(apart(ours, theirs, f"{name}/{seed}")) for seed in SEEDS]
    assert min(worst) < 1e-3, worst  # one of two; `SEEDS` says why not both


@pytest.mark.parametrize(("a", "b"), pairs())
def test_dropout_learns_as_fast(results, a, b):
    starts = both(results, "initial.npz", a, b)
    ends = both(results, "trained.npz", a, b)
    for seed, network in itertools.product(SEEDS, ("critic_", "generator_")):
        name = f"dropout/{seed}/{network}"
        steps = [joined(e, name) - joined(s, name) for s, e in zip(starts, ends, strict=True)]
        lengths = [np.linalg.norm(step) for step in steps]
        assert lengths[0] == pytest.approx(lengths[1], rel=0.05)
        assert all(np.isfinite(arrays[f"dropout/{seed}/losses"]).all() for arrays in ends)


@pytest.mark.parametrize(("b", "a"), pairs())
@pytest.mark.parametrize("reverse", [False, True])
def test_a_run_continues_on_another_backend_and_draws_the_same(results, a, b, reverse):
    writer, reader = (a, b) if reverse else (b, a)
    there = np.load(results / reader / f"read_{writer}.npz")
    images = np.load(results / writer / "images.npz")["images"]
    assert np.abs(images).max() > 1e-3
    assert np.abs(there["images"] - images).max() < 1e-4
    with h5py.File(results / writer / "run" / "weights" / "checkpoint_3.h5") as file:
        for name in (name for name in there.files if name.startswith("loaded/")):
            assert np.array_equal(there[name], file[name.removeprefix("loaded/")][()])
        assert np.array_equal(there["losses"][:3].astype("f4"), file["losses/critic"])
    whole = np.load(results / writer / "whole.npz")
    assert there["losses"] == pytest.approx(whole["losses"], rel=1e-3)
    for network in ("critic", "generator"):
        weights, others = (joined(arrays, f"ended/{network}_") for arrays in (whole, there))
        assert np.linalg.norm(weights - others) < 1e-3 * np.linalg.norm(weights)
    assert (results / reader / f"run_{writer}" / "weights" / "checkpoint_5.h5").exists()
