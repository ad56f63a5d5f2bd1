"""Scores along a training: metrics.csv, the log, the best checkpoint, collapse, what they cost."""

import csv
import shutil

import numpy as np
import pytest

from lines.judge import CHEAP, LineJudge
from models.WGANGP import WGANGP
from tests.conftest import TINY, train
from tests.test_training import state
from utils.latents import draw, latents
from utils.loaders import load_generator, read_images
from utils.scores import read_scores
from utils.similarity import diversity


class Scripted:
    """A judge that gives what it is told to give, in turn."""

    def __init__(self, *values):
        self.values = iter(values)
        self.seen = []

    def measure(self, images):
        self.seen.append(images)
        return {"quality": next(self.values)}

    @staticmethod
    def rank(measured):
        return (measured["quality"],)


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
    expected = draw(gan.generator, latents(list(range(500)), 5))
    assert np.array_equal(judge.seen[-1], expected)
    of_data = diversity(read_images(tiny_zip, 16))
    ratio = float(rows(tmp_path)[-1]["diversity_ratio"])
    assert ratio == pytest.approx(diversity(expected) / of_data, rel=1e-4)
    log = (tmp_path / "log.txt").read_text().splitlines()
    assert len(log) == 8 and log[4].startswith("scores after epoch 2: diversity_ratio 0.")
    assert log[4].endswith(", quality 0.5") and log[3].startswith("2 (2, 1) [D loss")


def test_the_best_is_kept(tiny_zip, tmp_path):
    train(WGANGP(**TINY), tiny_zip, tmp_path / "a", 3, evaluate_every=0)
    train(
        WGANGP(**TINY),
        tiny_zip,
        tmp_path / "b",
        6,
        judge=Scripted(0.1, 0.5, 0.3),
        evaluate_every=2,
    )
    best, expected = WGANGP(**TINY), WGANGP(**TINY)
    best.load_weights(tmp_path / "b" / "weights" / "best.h5")
    expected.load_weights(tmp_path / "a" / "weights")
    assert best.epoch == 3
    for name, value in state(expected).items():
        assert np.array_equal(state(best)[name], value), name
    z = latents([1, 2], 5)
    drawn = draw(load_generator(tmp_path / "b" / "generator_best.h5"), z)
    assert np.array_equal(drawn, draw(expected.generator, z))
    assert len(list((tmp_path / "b" / "weights").iterdir())) == 2


def test_scores_go_on_where_the_training_does(tiny_zip, tmp_path):
    judge = LineJudge(16, 1)
    whole = WGANGP(**TINY)
    train(whole, tiny_zip, tmp_path / "whole", 7, judge=judge, evaluate_every=3)
    train(WGANGP(**TINY), tiny_zip, tmp_path / "parts", 5, judge=judge, evaluate_every=3)
    # As if it had been killed after epoch 6 with a checkpoint of epoch 5.
    shutil.copy(tmp_path / "whole" / "metrics.csv", tmp_path / "parts" / "metrics.csv")
    again = WGANGP(**TINY)
    again.load_weights(tmp_path / "parts" / "weights")
    train(again, tiny_zip, tmp_path / "parts", 7, judge=judge, evaluate_every=3)
    for name in ("metrics.csv", "log.txt", "losses.csv"):
        assert (tmp_path / "parts" / name).read_text() == (tmp_path / "whole" / name).read_text()
    assert list(rows(tmp_path / "parts")[0]) == ["epoch", "diversity_ratio", *CHEAP]
    assert [row["epoch"] for row in read_scores(tmp_path / "parts" / "metrics.csv")] == [0, 3, 6]


def test_a_collapse_is_said_aloud(tiny_zip, tmp_path, capsys, monkeypatch):
    few = [np.zeros((500, 16, 16, 3), np.uint8) for _ in range(3)]
    few[1] = read_images(tiny_zip, 16)
    images = iter(few)
    monkeypatch.setattr("utils.scores.draw_images", lambda generator, count: next(images))
    train(WGANGP(**TINY), tiny_zip, tmp_path, 5, judge=Scripted(1, 2, 3), evaluate_every=2)
    said = capsys.readouterr().out
    assert said.count("are all much alike: 0% of the diversity of the data") == 2
    assert "epoch 0" in said and "epoch 4 are" in said and "epoch 2 are" not in said


def test_scores_are_off_where_they_cost_too_much(tiny_zip, tmp_path, capsys, monkeypatch):
    """The tiny networks train faster than they are judged; another clock says otherwise."""
    train(WGANGP(**TINY), tiny_zip, tmp_path / "a", 5, evaluate_every=None)
    assert "Not scored along the way, which would take" in capsys.readouterr().out
    assert not (tmp_path / "a" / "metrics.csv").exists()
    monkeypatch.setattr("utils.scores.AFFORDABLE", 1.0)
    train(WGANGP(**TINY), tiny_zip, tmp_path / "b", 7, evaluate_every=None)
    assert "Not scored" not in capsys.readouterr().out
    assert [row["epoch"] for row in rows(tmp_path / "b")] == ["2", "4", "6"]


def test_metrics_that_are_none(tiny_zip, tmp_path):
    train(WGANGP(**TINY), tiny_zip, tmp_path, 2)
    (tmp_path / "metrics.csv").write_text("epoch,quality\n0,good\n")
    gan = WGANGP(**TINY)
    gan.load_weights(tmp_path / "weights")
    with pytest.raises(ValueError, match=r"metrics\.csv: not the scores of a training"):
        train(gan, tiny_zip, tmp_path, 4)
