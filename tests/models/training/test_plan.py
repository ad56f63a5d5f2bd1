"""A time instead of a number of epochs, for a recipe whose learning rate falls."""

import json

import numpy as np
import pytest

from models.recipe import Recipe
from models.schedules import describe_extension
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, StopAt, state, train

DECAYING = TINY | {"learning_rate_decay": 0.5, "generator_average": 100}


def planned(folder):
    return json.loads((folder / "params.json").read_text())["training"]["epochs"]


def test_the_plan_is_measured_once_and_kept(tiny_zip, tmp_path, monkeypatch, capsys):
    """An epoch takes 6 s: of 0.8 minutes, 48 s, nine tenths are 7.2 epochs."""
    calls, timed = [], WGANGP.time_epoch

    def time_epoch(gan, *arguments):
        calls.append(timed(gan, *arguments))  # trains, which must leave no trace
        return 6.0

    monkeypatch.setattr(WGANGP, "time_epoch", time_epoch)
    parts = tmp_path / "parts"
    train(WGANGP(**DECAYING), tiny_zip, parts, None, minutes=0.8, callbacks=(StopAt(2),))
    assert planned(parts) == 7 and len(calls) == 5
    assert "0.8 minutes: 7 epochs are planned" in capsys.readouterr().out
    gan = WGANGP(**DECAYING)
    gan.load_weights(parts / "weights")
    assert gan.epoch == 3
    train(gan, tiny_zip, parts, None, minutes=9.0)
    assert gan.epoch == planned(parts) == 7 and len(calls) == 5
    whole = WGANGP(**DECAYING)
    train(whole, tiny_zip, tmp_path / "whole", 7)
    for name, value in state(whole).items():
        assert np.array_equal(state(gan)[name], value), name
    assert (parts / "losses.csv").read_text() == (tmp_path / "whole" / "losses.csv").read_text()
    capsys.readouterr()
    train(gan, tiny_zip, parts, 14)
    assert (
        "7 epochs were planned, and now 14: the learning rate goes from" in capsys.readouterr().out
    )


def test_without_a_time_the_number_is_needed(tiny_zip, tmp_path):
    with pytest.raises(ValueError, match="needs the number of epochs, received epochs=None"):
        train(WGANGP(**DECAYING), tiny_zip, tmp_path, None)


def test_what_an_extension_says():
    """Of 100, epoch 99 has (1 - 0.99) / 0.5 = 2 %; of 200, epoch 100 has 0.5 / 0.5 = 100 %."""
    recipe = Recipe(learning_rate_decay=0.5)
    assert describe_extension(100, 100, 200, recipe) == (
        "100 epochs were planned, and now 200: the learning rate goes from 2% to 100% of its full "
        "value, and falls again to the end. The images may get worse for a while."
    )
    assert "worse" not in describe_extension(50, 200, 100, recipe)
