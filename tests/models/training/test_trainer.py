"""A run: the files it leaves, its log, continuation, checkpoints, refusals."""

import csv
import json
import re
import shutil

import h5py
import numpy as np
import pytest
from PIL import Image

from models.training import checkpoint
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, state, train
from utils import hdf5
from utils.callbacks import log_line
from utils.loaders import load_images
from utils.runs import folder as runs


def test_files_that_a_run_leaves(run):
    _, folder = run
    left = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    diagrams = {file for file in left if file.startswith("viz")}
    assert left - diagrams - {".lock"} == {  # some versions of filelock leave theirs
        "params.json",
        "losses.csv",
        "log.txt",
        "generator.h5",
        "critic.h5",
        "weights/checkpoint_5.h5",
        "images/real.png",
        "images/converge.png",
        *(f"images/sample_{epoch}.png" for epoch in (0, 2, 4)),
    }
    # PNG or text, by what is installed: test_outputs.py has both.
    assert {file.rsplit(".")[0] for file in diagrams} == {"viz/critic", "viz/generator"}


def test_contents_of_a_run(tiny_zip, run):
    gan, folder = run
    with open(folder / "losses.csv") as file:
        header, *rows = csv.reader(file)
    assert header == ["epoch", "critic", "real", "fake", "penalty", "generator"]
    assert [int(row[0]) for row in rows] == [0, 1, 2, 3, 4]
    values = np.array(rows, float)
    assert np.array_equal(values[:, 1:5].astype("f4"), np.array(gan.d_losses, "f4"))
    assert np.array_equal(values[:, 5].astype("f4"), np.array(gan.g_losses, "f4"))
    assert np.allclose(values[:, 1], values[:, 2] + values[:, 3] + 10 * values[:, 4], atol=1e-4)
    pattern = r"\d+ \(2, 1\) \[D loss: \(-?[\d.]+\)\(R -?[\d.]+, F -?[\d.]+, G [\d.]+\)\] "
    lines = (folder / "log.txt").read_text().splitlines()
    assert len(lines) == 5
    assert all(re.fullmatch(pattern + r"\[G loss: -?[\d.]+\]", line) for line in lines)
    params = json.loads((folder / "params.json").read_text())
    assert params["model"]["generator_conv_filters"] == [4, 3] and params["model"]["seed"] == 0
    assert params["training"] == {
        "n_critic": 2,
        "epochs": 5,
        "data": "tiny.zip",
        "data_fingerprint": load_images(tiny_zip, 16, 4).fingerprint(),
    }
    assert Image.open(folder / "images/real.png").size == (3 * 18 + 2, 2 * 18 + 2)
    assert Image.open(folder / "images/sample_4.png").size == (3 * 18 + 2, 2 * 18 + 2)


def test_log_line_character_for_character():
    line = log_line(452, 5, [-92.2, -71.9, -58.8, 3.8], 41.4)
    assert line == "452 (5, 1) [D loss: (-92.2)(R -71.9, F -58.8, G 3.8)] [G loss: 41.4]"


def test_a_run_continues_where_it_stopped(tiny_zip, tmp_path, run):
    whole, folder = run
    train(WGANGP(**TINY), tiny_zip, tmp_path / "run", 3)
    second = WGANGP(**TINY)
    second.load_weights(tmp_path / "run" / "weights")
    assert second.epoch == 3 and second.batches_seen == 6
    train(second, tiny_zip, tmp_path / "run", 5)
    expected = state(whole)
    for name, value in state(second).items():
        assert np.array_equal(value, expected[name]), name
    for file in ("losses.csv", "log.txt", "images/sample_4.png"):
        assert (tmp_path / "run" / file).read_bytes() == (folder / file).read_bytes()


def test_a_log_of_every_third_epoch_does_not_tell_where_a_run_stopped(tiny_zip, tmp_path, capsys):
    def logged():
        lines = (tmp_path / "log.txt").read_text().splitlines()
        return [re.match(r"(scores after epoch )?\d+", line)[0] for line in lines]

    gan = WGANGP(**TINY)
    train(gan, tiny_zip, tmp_path, 6, log_every=3)
    assert logged() == ["0", "3", "5"]
    train(gan, tiny_zip, tmp_path, 9, log_every=3, evaluate_every=7)
    scored = "scores after epoch"
    assert logged() == ["0", "3", "6", "7", f"{scored} 7", "8", f"{scored} 8"]
    printed = [line for line in capsys.readouterr().out.splitlines() if " loss: " in line]
    assert [line.split()[0] for line in printed] == ["0", "3", "5", "6", "7", "8"]
    assert len((tmp_path / "losses.csv").read_text().splitlines()) == 10
    with pytest.raises(ValueError, match="log_every must be at least 1, received 0"):
        train(gan, tiny_zip, tmp_path, 10, log_every=0)


def test_an_existing_run_is_not_overwritten(tiny_zip, run):
    _, folder = run
    before = (folder / "losses.csv").read_bytes()
    with pytest.raises(ValueError, match="holds a training already"):
        train(WGANGP(**TINY), tiny_zip, folder, 5)
    with pytest.raises(ValueError, match="grad_weight was 10 and is now 9"):
        WGANGP(**TINY | {"grad_weight": 9}).load_weights(folder / "weights")
    other = WGANGP(**TINY)
    other.load_weights(folder / "weights")
    with pytest.raises(ValueError, match="n_critic was 2 and is now 3"):
        train(other, tiny_zip, folder, 7, n_critic=3)
    assert (folder / "losses.csv").read_bytes() == before


def test_only_the_last_checkpoints_stay(tmp_path):
    gan = WGANGP(**TINY)
    for gan.epoch in (8, 9, 10, 11):
        gan.save_weights(tmp_path)
    names = [file.name for file in checkpoint.find(tmp_path / "weights")]
    assert names == ["checkpoint_9.h5", "checkpoint_10.h5", "checkpoint_11.h5"]


def test_checkpoints_are_read_strictly(tmp_path, run):
    gan, folder = run
    path = tmp_path / "checkpoint_5.h5"
    shutil.copy(folder / "weights" / "checkpoint_5.h5", path)
    with h5py.File(path, "r+") as file:
        del file["generator_dense/bias"]
        del file["critic_score/kernel"]
        file["critic_score/kernel"] = np.zeros((2, 1))
        file["stranger"] = 1
        hdf5.seal(file)
    before = state(gan)
    with pytest.raises(ValueError, match="missing generator_dense/bias") as caught:
        gan.load_weights(path)
    assert "unexpected stranger" in str(caught.value)
    assert "critic_score/kernel is (2, 1), expected (128, 1)" in str(caught.value)
    assert all(np.array_equal(value, before[name]) for name, value in state(gan).items())
    path.write_text("nonsense")
    with pytest.raises(ValueError, match="not an HDF5 file"):
        gan.load_weights(path)
    with pytest.raises(FileNotFoundError, match="expected a checkpoint"):
        gan.load_weights(tmp_path / "void")


def test_a_nan_loss_stops_before_anything_is_saved(tiny_zip, tmp_path):
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, tmp_path, 2)
    saved = (tmp_path / "generator.h5").read_bytes()
    gan.critic.get_layer("critic_score").bias.assign([np.nan])
    with pytest.raises(FloatingPointError, match=r"epoch 2: .*'critic': nan"):
        train(gan, tiny_zip, tmp_path, 4)
    assert (tmp_path / "generator.h5").read_bytes() == saved
    assert [file.name for file in checkpoint.find(tmp_path / "weights")] == ["checkpoint_2.h5"]


def test_arrays_and_plain_iterators_train_too(tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (9, 16, 16, 3)).astype(np.float32)
    gan = WGANGP(**TINY)
    gan.train(images, 4, 2, tmp_path / "a", using_generator=False)
    endless = iter([(images[:4],)] * 10)
    WGANGP(**TINY).train(endless, 4, 2, tmp_path / "b")
    assert (tmp_path / "a" / "generator.h5").exists() and (tmp_path / "b" / "log.txt").exists()


def test_images_that_do_not_fit_are_refused(tiny_zip, tmp_path):
    gan = WGANGP(**TINY)
    with pytest.raises(ValueError, match=r"\(4, 8, 8, 3\), expected \(4, 16, 16, 3\)"):
        gan.train(load_images(tiny_zip, 8, 4), 4, 1, tmp_path / "x")
    with pytest.raises(ValueError, match="batch_size is 5 here, but the model was built for 4"):
        gan.train(load_images(tiny_zip, 16, 5), 5, 1, tmp_path / "x")
    with pytest.raises(ValueError, match="n_critic must be at least 1, received 0"):
        train(gan, tiny_zip, tmp_path / "x", 1, n_critic=0)
    assert not (tmp_path / "x").exists()


def test_held_back_images_are_those_of_the_recipe(tiny_zip, tmp_path):
    gan = WGANGP(**TINY, held_back=0.5)
    with pytest.raises(ValueError, match=r"a share of 0 of the images, the recipe expects 0\.5"):
        gan.train(load_images(tiny_zip, 16, 4), 4, 1, tmp_path / "x")
    with pytest.raises(ValueError, match=r"an array, received an iterator; expected held_back=0"):
        gan.train(iter([]), 4, 1, tmp_path / "x")
    assert not (tmp_path / "x").exists()
    with pytest.raises(ValueError, match=r"held_back must be a share from 0 to 0\.5, received 1"):
        WGANGP(**TINY, held_back=1)


@pytest.mark.parametrize(
    ("count", "line"),
    [
        (39, "No image is held back: a share of 0.4 of 39 images is fewer than 20."),
        (50, "20 of 50 images are held back: they show whether the critic learns the others by he"),
    ],
)
def test_a_training_says_how_many_images_are_held_back(count, line, tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), np.uint8)
    gan = WGANGP(**TINY, held_back=0.4)
    gan.train(images, 4, 1, tmp_path, n_critic=1, using_generator=False)
    assert capsys.readouterr().out.count(line) == 1


def test_run_folder_is_named_after_id_and_data():
    assert str(runs.run_folder("0001", "some/output.zip")) == "run/gan/0001_output"
    assert str(runs.run_folder("0002", "drawings/")) == "run/gan/0002_drawings"
