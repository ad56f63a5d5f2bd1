"""Scores during a training: metrics.csv, the log, the best checkpoint, a collapse, their cost."""

import csv
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from lines.dataset import write_zip
from lines.judge import LineJudge
from lines.judge.judge import CHEAP
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, state, train
from utils.drawing.latents import draw, seed_latents
from utils.drawing.selection import critic_scores
from utils.generator.load import load_generator
from utils.loaders import load_images, read_images
from utils.quality.critic import CriticScores
from utils.quality.scores import Scores
from utils.quality.similarity import diversity
from utils.runs.state import read_scores


class Scripted:
    """A judge of one's own, whose `quality` is one of the given values after the other."""

    def __init__(self, *values):
        self.values = iter(values)
        self.seen = []

    def measure(self, images):
        self.seen.append(images)
        return {"quality": next(self.values), "other": -1.0}


def rows(folder):
    with open(folder / "metrics.csv") as file:
        return list(csv.DictReader(file))


def test_scores_of_a_run(tiny_zip, tmp_path):
    judge = Scripted(0.1, 0.5, 0.3)
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, tmp_path, 5, judge=judge, evaluate_every=2)
    assert [row["epoch"] for row in rows(tmp_path)] == ["0", "2", "4"]
    assert [row["quality"] for row in rows(tmp_path)] == ["0.1", "0.5", "0.3"]
    assert [len(images) for images in judge.seen] == [500] * 3
    expected = draw(gan.generator, seed_latents(list(range(500)), 5))
    assert np.array_equal(judge.seen[-1], expected)
    of_data = diversity(read_images(tiny_zip, 16))
    ratio = float(rows(tmp_path)[-1]["diversity_ratio"])
    assert ratio == pytest.approx(diversity(expected) / of_data, rel=1e-4)
    log = (tmp_path / "log.txt").read_text().splitlines()
    assert len(log) == 8 and log[4].startswith("scores after epoch 2: diversity_ratio 0.")
    assert log[4].endswith(", quality 0.5, other -1") and log[3].startswith("2 (2, 1) [D loss")


def test_the_best_is_kept(tiny_zip, tmp_path):
    """`best.h5` and `generator_best.h5` are those of epoch 2, as if the training ended there."""
    train(WGANGP(**TINY), tiny_zip, tmp_path / "a", 3, evaluate_every=0)
    train(
        WGANGP(**TINY),
        tiny_zip,
        tmp_path / "b",
        6,
        judge=Scripted(0.1, 0.5, 0.3, 0.9),  # the last is of the end, which decides nothing
        evaluate_every=2,
    )
    best, expected = WGANGP(**TINY), WGANGP(**TINY)
    best.load_weights(tmp_path / "b" / "weights" / "best.h5")
    expected.load_weights(tmp_path / "a" / "weights")
    assert best.epoch == 3
    for name, value in state(expected).items():
        assert np.array_equal(state(best)[name], value), name
    z = seed_latents([1, 2], 5)
    drawn = draw(load_generator(tmp_path / "b" / "generator_best.h5"), z)
    assert np.array_equal(drawn, draw(expected.generator, z))
    assert len(list((tmp_path / "b" / "weights").iterdir())) == 2
    assert best.best_rank(tmp_path / "b") == (0.5,)  # by the first measure alone


def test_scores_continue_where_the_training_does(tiny_zip, tmp_path):
    judge = LineJudge(16, 1)
    train(WGANGP(**TINY), tiny_zip, tmp_path / "whole", 7, judge=judge, evaluate_every=3)
    train(WGANGP(**TINY), tiny_zip, tmp_path / "parts", 5, judge=judge, evaluate_every=3)
    # As if it had been killed after epoch 6 with the checkpoint of epoch 5.
    shutil.copy(tmp_path / "whole" / "metrics.csv", tmp_path / "parts" / "metrics.csv")
    again = WGANGP(**TINY)
    again.load_weights(tmp_path / "parts" / "weights")
    train(again, tiny_zip, tmp_path / "parts", 7, judge=judge, evaluate_every=3)
    for name in ("metrics.csv", "log.txt", "losses.csv"):
        assert (tmp_path / "parts" / name).read_text() == (tmp_path / "whole" / name).read_text()
    assert list(rows(tmp_path / "parts")[0]) == ["epoch", "diversity_ratio", *CHEAP]
    assert [row["epoch"] for row in read_scores(tmp_path / "parts" / "metrics.csv")] == [0, 3, 6]


def test_a_collapse_is_reported(tiny_zip, tmp_path, capsys, monkeypatch):
    """A collapse at epochs 0 and 4 is reported twice, as epoch 2 is as diverse as the data."""
    black = np.zeros((500, 16, 16, 3), np.uint8)
    images = iter([black, read_images(tiny_zip, 16), black])
    monkeypatch.setattr("utils.quality.scores.draw_images", lambda generator, count: next(images))
    train(WGANGP(**TINY), tiny_zip, tmp_path, 5, judge=Scripted(1, 2, 3), evaluate_every=2)
    said = capsys.readouterr().out
    assert said.count("are almost all alike: their diversity is 0% of that of the data") == 2
    assert "epoch 0" in said and "epoch 4 are" in said and "epoch 2 are" not in said


def test_scores_are_fewer_if_they_cost_too_much(tiny_zip, tmp_path, capsys, monkeypatch):
    """The limits are set, as the real share depends on what else the machine does."""
    monkeypatch.setattr("utils.quality.scores.AFFORDABLE", 1e-9)
    monkeypatch.setattr("utils.quality.scores.AFFORDABLE_AT_END", 0.0)
    train(WGANGP(**TINY), tiny_zip, tmp_path / "a", 5, evaluate_every=None)
    assert re.search(r"Scored every [\d,]+ epochs and at the end", capsys.readouterr().out)
    assert not (tmp_path / "a" / "metrics.csv").exists()
    assert "scores" not in (tmp_path / "a" / "log.txt").read_text()
    monkeypatch.setattr("utils.quality.scores.AFFORDABLE_AT_END", 1e9)
    train(WGANGP(**TINY), tiny_zip, tmp_path / "b", 5, evaluate_every=None)
    assert "scores after epoch 4" in (tmp_path / "b" / "log.txt").read_text().splitlines()[-1]
    monkeypatch.setattr("utils.quality.scores.AFFORDABLE", 1.0)
    capsys.readouterr()
    train(WGANGP(**TINY), tiny_zip, tmp_path / "c", 7, evaluate_every=None)
    assert "Scored every" not in capsys.readouterr().out
    assert [row["epoch"] for row in rows(tmp_path / "c")] == ["2", "4", "6"]


def test_how_many_epochs_between_two_scores(tiny_zip, tmp_path, monkeypatch):
    """A second an epoch, a grid every 2: 5 s are 3 % of 167 s, so 81 grids, so every 100th."""
    gan = WGANGP(**TINY)
    gan.epoch = 3
    scores = Scores(tmp_path, load_images(tiny_zip, 16, 4), None, None, 2)
    scores.set_model(gan)
    scores.began, scores.first = 0.0, 0
    monkeypatch.setattr("utils.quality.scores.time.monotonic", lambda: 3.0)
    monkeypatch.setattr(scores, "_cost", lambda: 5.0)
    assert scores._affordable() == 200
    monkeypatch.setattr(scores, "_cost", lambda: 0.06)
    assert scores._affordable() == 2


def test_another_judge_begins_a_new_file(tiny_zip, tmp_path):
    train(WGANGP(**TINY), tiny_zip, tmp_path, 3, judge=LineJudge(16, 1), evaluate_every=2)
    before = (tmp_path / "metrics.csv").read_text()
    gan = WGANGP(**TINY)
    gan.load_weights(tmp_path / "weights")
    train(gan, tiny_zip, tmp_path, 5, evaluate_every=2)
    assert (tmp_path / "metrics_before_4.csv").read_text() == before
    (row,) = rows(tmp_path)
    assert row["epoch"] == "4" and "swd" in row and "validity" not in row


def test_resuming_from_the_best(tiny_zip, tmp_path):
    """Later checkpoints are set aside, and the best one stays until a score is better."""
    judge = Scripted(0.1, 0.5, 0.3, 0.9, 0.4)
    train(WGANGP(**TINY), tiny_zip, tmp_path, 6, judge=judge, evaluate_every=2, save_epochs=2)
    gan = WGANGP(**TINY)
    gan.load_weights(tmp_path / "weights" / "best.h5")
    assert gan.epoch == 3
    best = (tmp_path / "weights" / "best.h5").read_bytes()
    train(gan, tiny_zip, tmp_path, 5, judge=judge, evaluate_every=2, save_epochs=1)
    names = {path.name for path in (tmp_path / "weights").iterdir()}
    assert names >= {"best.h5", "checkpoint_4.h5", "checkpoint_5.h5", "left_6.h5"}
    assert (tmp_path / "weights" / "best.h5").read_bytes() == best  # 0.4 is not better than 0.5
    again = WGANGP(**TINY)
    again.load_weights(tmp_path / "weights")
    assert again.epoch == 5


def test_data_of_one_picture(tmp_path):
    (tmp_path / "data").mkdir()
    for i in range(4):
        Image.new("RGB", (16, 16), "red").save(tmp_path / "data" / f"{i}.png")
    train(WGANGP(**TINY), tmp_path / "data", tmp_path / "run", 3, evaluate_every=2)
    assert [row["diversity_ratio"] for row in rows(tmp_path / "run")] == ["1", "1"]


def test_data_that_cannot_be_scored_are_trained_on(tmp_path, capsys, monkeypatch):
    model = TINY | {"input_dim": (16, 16, 4), "generator_conv_filters": [4, 4]}
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 4), np.uint8)
    options = {"batch_size": 4, "n_critic": 1, "using_generator": False, "rows": 1, "columns": 1}
    gan = WGANGP(**model)
    gan.sample_images = lambda *arguments: None  # four channels are no picture
    monkeypatch.setattr("models.training.outputs.save_real", lambda *arguments: None)
    gan.train(images, epochs=4, run_folder=tmp_path, print_every_n_batches=2, **options)
    assert "Not scored during this training: expected uint8" in capsys.readouterr().out
    assert gan.epoch == 4


def test_metrics_that_are_not_numbers(tiny_zip, tmp_path):
    train(WGANGP(**TINY), tiny_zip, tmp_path, 2)
    (tmp_path / "metrics.csv").write_text("epoch,quality\n0,good\n")
    gan = WGANGP(**TINY)
    gan.load_weights(tmp_path / "weights")
    with pytest.raises(ValueError, match=r"metrics\.csv: not the scores of a training"):
        train(gan, tiny_zip, tmp_path, 4)


@pytest.fixture(scope="module")
def fifty(tmp_path_factory):
    """50 line images of 16 pixels, of which half can be held back."""
    path = tmp_path_factory.mktemp("data") / "fifty.zip"
    write_zip(path, count=50, size=16, weight=1)
    return path


CRITIC = ["critic_training", "critic_held_back", "critic_generated"]


def test_scores_of_the_critic_stand_in_the_last_columns(fifty, tmp_path):
    gan = WGANGP(**TINY, held_back=0.5)
    train(gan, fifty, tmp_path, 3, judge=Scripted(0.1, 0.5), evaluate_every=2)
    first, last = rows(tmp_path)
    assert list(first) == ["epoch", "diversity_ratio", "quality", "other", *CRITIC]
    stream = load_images(fifty, 16, 4, held_back=0.5)
    generated = draw(gan.generator, seed_latents(list(range(500)), 5))
    sets = stream.first(25), stream.held_back(25), generated
    means = [critic_scores(gan.critic, images).mean() for images in sets]
    assert [float(last[name]) for name in CRITIC] == pytest.approx(means, rel=1e-6)
    assert gan.best_rank(tmp_path) == (0.5,)
    assert ", critic_generated " in (tmp_path / "log.txt").read_text()


def test_without_held_back_images_there_are_no_scores_of_the_critic(tiny_zip, tmp_path):
    train(WGANGP(**TINY), tiny_zip, tmp_path / "a", 1, judge=Scripted(1), evaluate_every=1)
    gan = WGANGP(**TINY, held_back=0.5)  # of 30 images, which are too few
    train(gan, tiny_zip, tmp_path / "b", 1, judge=Scripted(1), evaluate_every=1)
    for name in "ab":
        assert list(rows(tmp_path / name)[0]) == ["epoch", "diversity_ratio", "quality", "other"]


def test_held_back_images_continue_where_the_training_does(fifty, tmp_path):
    model = TINY | {"held_back": 0.5}
    whole = WGANGP(**model)
    train(whole, fifty, tmp_path / "whole", 7, evaluate_every=3)
    train(WGANGP(**model), fifty, tmp_path / "parts", 4, evaluate_every=3)
    again = WGANGP(**model)
    again.load_weights(tmp_path / "parts" / "weights")
    train(again, fifty, tmp_path / "parts", 7, evaluate_every=3)
    for name in ("metrics.csv", "log.txt", "losses.csv"):
        assert (tmp_path / "parts" / name).read_text() == (tmp_path / "whole" / name).read_text()
    for name, value in state(whole).items():
        assert np.array_equal(state(again)[name], value), name
    with pytest.raises(ValueError, match=r"held_back was 0\.5 and is now 0\.4"):
        WGANGP(**TINY, held_back=0.4).load_weights(tmp_path / "whole" / "weights")


def critic_that_overfits(monkeypatch, *shares):
    """Held-back scores that have lost these shares of the way from 1 to 0, one after the other."""
    results = [CriticScores(np.ones(20), np.full(20, 1 - s), np.zeros(20)) for s in shares]
    monkeypatch.setattr(CriticScores, "measure", lambda *arguments: results.pop(0))
    return results


def test_a_critic_that_learns_by_heart_is_reported(fifty, tmp_path, capsys, monkeypatch):
    """Above 0.5 at epochs 1, 2 and 4: two warnings, as epoch 3 is a recovery."""
    left = critic_that_overfits(monkeypatch, 0.5, 0.625, 0.75, 0.25, 1.0)
    gan = WGANGP(**TINY, held_back=0.5)
    train(gan, fifty, tmp_path, 5, judge=Scripted(1, 2, 3, 4, 5), evaluate_every=1)
    said = capsys.readouterr().out
    assert said.count("knows the training images by heart") == 2 and not left
    assert (
        "At epoch 1 the critic knows the training images by heart: its mean score is 1 on them, "
        "0.375 on held-back ones and 0 on generated ones." in said
    )
    assert "At epoch 4 the critic knows" in said
    held_back = [float(row["critic_held_back"]) for row in rows(tmp_path)]
    assert held_back == [0.5, 0.375, 0.25, 0.75, 0]


def test_the_critic_is_watched_where_the_judge_costs_too_much(fifty, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("utils.quality.scores.Scores._affordable", lambda self: False)
    monkeypatch.setattr("utils.quality.scores.Scores._cost", lambda self: np.inf)
    left = critic_that_overfits(monkeypatch, 0.75, 0.75)
    gan = WGANGP(**TINY, held_back=0.5)
    train(gan, fifty, tmp_path, 5, evaluate_every=None)
    assert capsys.readouterr().out.count("At epoch 2 the critic knows the training images") == 1
    assert not left and not (tmp_path / "metrics.csv").exists()
