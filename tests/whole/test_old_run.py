"""A run of an earlier version opens, continues and draws as it did then.

tests/data/old_run was written before the modules moved into rooms: a run of four epochs, the losses
of six, and pictures by generate.py.
"""

import csv
import shutil

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from lines.judge import LineJudge
from models.WGANGP import WGANGP
from tests.helpers import DATA
from tests.helpers.session import MODEL
from tests.helpers.small import train
from utils.drawing import draw, seed_latents
from utils.generator import load_generator
from utils.watch import snapshot

OLD = DATA / "old_run"


@pytest.fixture
def folder(tmp_path):
    """A copy of the old run."""
    return shutil.copytree(OLD / "0001_tiny", tmp_path / "0001_tiny")


def losses(path):
    with open(path) as file:
        return np.array([[float(value) for value in row] for row in list(csv.reader(file))[1:]])


def test_an_old_run_continues(folder):
    gan = WGANGP(**MODEL)
    gan.load_weights(folder / "weights")
    assert gan.epoch == 4 and gan.batches_seen == 8
    train(gan, OLD / "tiny.zip", folder, 6, evaluate_every=2, judge=LineJudge(16, 1))
    # The first epochs are read; the last two are computed, perhaps by another version.
    found, expected = losses(folder / "losses.csv"), losses(OLD / "losses_6.csv")
    assert np.array_equal(found[:4], expected[:4])
    assert np.allclose(found[4:], expected[4:], rtol=1e-3, atol=1e-5)
    assert (
        (folder / "metrics.csv")
        .read_text()
        .startswith((OLD / "0001_tiny" / "metrics.csv").read_text())
    )


def test_entries_of_a_checkpoint_have_kept_their_names(folder, tmp_path):
    gan = WGANGP(**MODEL)
    gan.load_weights(folder / "weights")
    gan.save_weights(tmp_path / "new")
    names, attributes = {}, {}
    for path in (folder, tmp_path / "new"):
        with h5py.File(path / "weights" / "checkpoint_4.h5") as file:
            found = names.setdefault(path, {})
            file.visititems(lambda name, item, found=found: found.setdefault(name, type(item)))
            attributes[path] = {*file.attrs}
    assert len({str(found) for found in names.values()}) == 1
    assert attributes[folder] | {"digest"} == attributes[tmp_path / "new"]


def test_the_state_of_an_old_run_is_read_as_before(folder):
    state = snapshot(folder)
    assert (state["epochs"], state["planned"], state["samples"]) == (4, 4, [0, 2])
    assert state["state"] == "finished" and state["best"] in (0, 2)
    assert state["data"] == "tiny.zip" and len(state["scores"]) == 2


def test_seeds_draw_the_same_pixels_as_before():
    generator = load_generator(DATA / "lines64_best" / "generator.h5")
    images = draw(generator, seed_latents([0, 1, 2, 3], generator.input_shape[1]))
    grid = np.asarray(Image.open(OLD / "pictures" / "lines64_seeds_0-3.png")).astype(int)
    for i, image in enumerate(images):
        top, left = 2 + 66 * (i // 2), 2 + 66 * (i % 2)
        before = grid[top : top + 64, left : left + 64]
        assert np.abs(image.astype(int) - before).max() <= 1


def test_an_old_generator_opens_in_plain_keras():
    path = OLD / "0001_tiny" / "generator.h5"
    z = seed_latents([5, 6], 5)
    plain = keras.saving.load_model(path, compile=False).predict(z, verbose=0)
    assert np.allclose(plain, load_generator(path).predict(z, verbose=0), atol=1e-5)
