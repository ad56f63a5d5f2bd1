"""The end of a session: a grid and scores of the generator that one has, gone when it goes on."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from lines.judge import LineJudge
from models.build import build_gan
from models.networks.shapes import Tables
from models.recipe import Recipe
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, StopAt, check_same_files, contents, train
from utils import runs
from utils.drawing import draw, seed_latents
from utils.generator import load_generator
from utils.images import grid
from utils.loaders import load_images
from utils.watch import snapshot


@pytest.fixture(scope="module")
def stopped(tiny_zip, tmp_path_factory):
    """A run of 7 epochs, sampled every 2 and scored every 3, that was stopped after epochs 1, 3."""
    folder = tmp_path_factory.mktemp("run") / "stopped"
    for epoch in (1, 3):
        gan = WGANGP(**TINY)
        if epoch > 1:
            gan.load_weights(folder / "weights")
        options = {"judge": LineJudge(16, 1), "evaluate_every": 3, "callbacks": (StopAt(epoch),)}
        train(gan, tiny_zip, folder, 7, keep=1, **options)
    return folder


def test_a_stop_shows_the_generator_that_one_has(stopped):
    assert [epoch for epoch, _ in runs.find_samples(stopped)] == [0, 2, 3]  # 1 is gone again
    shown = np.asarray(Image.open(stopped / "images" / "sample_3.png").convert("RGB"))
    images = draw(load_generator(stopped / "generator.h5"), seed_latents(list(range(6)), 5))
    assert np.array_equal(shown, grid(images, 2, 3))
    end = json.loads((stopped / "end.json").read_text())
    assert end == {"reason": "interrupted", "epochs": 4, "sample": True, "scores": None}
    assert [row["epoch"] for row in runs.find_scores(stopped)] == [0, 3]  # 3 is a regular one


def test_a_run_that_was_stopped_ends_like_one_that_was_not(stopped, tiny_zip, tmp_path):
    shutil.copytree(stopped, tmp_path / "parts")
    judge = {"judge": LineJudge(16, 1), "evaluate_every": 3, "keep": 1}
    train(WGANGP(**TINY), tiny_zip, tmp_path / "whole", 6, **judge)
    gan = WGANGP(**TINY)
    gan.load_weights(tmp_path / "parts" / "weights")
    train(gan, tiny_zip, tmp_path / "parts", 6, **judge)
    check_same_files(tmp_path / "whole", tmp_path / "parts")
    folder = tmp_path / "whole"
    # Neither grid nor scores of epoch 5 are regular ones: they are shown, and decide nothing.
    assert [epoch for epoch, _ in runs.find_samples(folder)] == [0, 2, 4, 5]
    rows, shown = runs.find_scores(folder), runs.shown_scores(folder)
    assert [row["epoch"] for row in rows] == [0, 3] and shown[:2] == rows
    assert shown[2]["epoch"] == 5 and shown[2].keys() == rows[0].keys()
    log = (folder / "log.txt").read_text().splitlines()
    assert log[-1].startswith("scores after epoch 5: diversity_ratio ") and len(log) == 9
    state = snapshot(folder)
    assert state["scores"][-1]["epoch"] == 5 and state["samples"][-1] == 5
    assert state["best"] == max(shown, key=runs.rank)["epoch"]
    again = WGANGP(**TINY)
    again.load_weights(folder / "weights")
    assert again.best_rank(folder) == max(map(runs.rank, rows))


def test_a_generator_of_chosen_variants_is_shown_where_the_training_has_a_grid(tiny_zip, tmp_path):
    """Its grid and scores stand in the place of regular ones, which come back with the training."""

    def train_table(folder, epochs, *stops):
        palette = load_images(tiny_zip, 16, 4).palette().colours
        gan = build_gan(Tables(16, variants=4), 4, Recipe(choose_variants=True), palette)
        gan.resume(folder)
        options = {"judge": Mean(), "evaluate_every": 2, "keep": 1, "callbacks": stops}
        train(gan, tiny_zip, folder, epochs, **options)

    train_table(tmp_path / "whole", 5)
    train_table(tmp_path / "parts", 5, StopAt(2))
    folder = tmp_path / "parts"
    shown = np.asarray(Image.open(folder / "images" / "sample_2.png").convert("RGB"))
    images = draw(load_generator(folder / "generator.h5"), seed_latents(list(range(6)), 24))
    assert np.array_equal(shown, grid(images, 2, 3))
    rows, shown = runs.find_scores(folder), runs.shown_scores(folder)
    assert [row["epoch"] for row in rows] == [row["epoch"] for row in shown] == [0, 2]
    assert shown[0] == rows[0] and shown[1]["mean"] != rows[1]["mean"]
    train_table(folder, 5)
    check_same_files(tmp_path / "whole", folder)
    assert runs.shown_scores(folder)[-1]["epoch"] == 4


class Mean:
    """A judge."""

    def measure(self, images):
        return {"mean": float(images.mean())}


def test_regular_ends_leave_no_file_of_their_own(tiny_zip, tmp_path):
    train(WGANGP(**TINY), tiny_zip, tmp_path, 3)
    assert not {"end.json"} & contents(tmp_path).keys() and runs.run_status(tmp_path) == "finished"


def test_a_run_whose_time_is_over_is_finished(tiny_zip, tmp_path):
    train(WGANGP(**TINY), tiny_zip, tmp_path, None, minutes=0.0001)
    assert json.loads((tmp_path / "end.json").read_text())["reason"] == "time"
    assert runs.run_status(tmp_path) == "finished"


def test_scores_that_cost_too_much_are_left_out_at_the_end(tiny_zip, tmp_path, monkeypatch):
    for name, cost in (("a", 1e9), ("b", 0.0)):
        monkeypatch.setattr("utils.quality.scores.Scores._cost", lambda self, cost=cost: cost)
        train(WGANGP(**TINY), tiny_zip, tmp_path / name, 2, evaluate_every=None)
    assert runs.shown_scores(tmp_path / "a") == []
    (row,) = runs.shown_scores(tmp_path / "b")
    assert row["epoch"] == 1 and not (tmp_path / "b" / "metrics.csv").exists()


def test_a_damaged_end_is_passed_over(stopped, tmp_path):
    shutil.copytree(stopped, tmp_path / "run")
    for text in (
        "{",
        "[]",
        '{"reason": 3, "epochs": "9", "sample": true, "scores": {"epoch": 1.5}}',
    ):
        (tmp_path / "run" / "end.json").write_text(text)
        assert len(runs.shown_scores(tmp_path / "run")) == 2
        assert runs.run_status(tmp_path / "run") == "stopped"
        runs.remove_end(tmp_path / "run")
        assert len(runs.find_samples(tmp_path / "run")) == 3
        assert not (tmp_path / "run" / "end.json").exists()
