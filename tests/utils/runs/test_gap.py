"""A critic that no longer tells real images from generated ones, by hand."""

import math

import numpy as np
import pytest

from utils.runs.gap import (
    LOST,
    WINDOW,
    chance_to_tell,
    describe_lost,
    lost_chance,
    lost_chance_of_run,
    lost_line,
)

MODEL = {"batch_size": 16, "warmup": 0}


def losses(gap, count=WINDOW, swing=1.0):
    """Rows whose gap −(R + F) is `gap` plus and minus `swing` in turn; R and F drift together."""
    drift = np.linspace(0, 50, count)
    turns = swing * (-1.0) ** np.arange(count)
    real, fake = -(drift + gap + turns), drift
    return np.stack([np.zeros(count), real, fake, np.zeros(count)], axis=1)


def test_the_chance_by_hand():
    """Consecutive gaps differ by 2: s = √(4 / 2) = √2, and √16 · √2 = 4√2."""
    assert chance_to_tell(losses(0.0), 16) == pytest.approx(0.5)
    expected = 0.5 * (1 + math.erf(4 / (4 * math.sqrt(2)) / math.sqrt(2)))
    assert chance_to_tell(losses(4.0), 16) == pytest.approx(expected)
    assert chance_to_tell(losses(-4.0), 16) == pytest.approx(1 - expected)
    # The unit of the scores does not matter.
    assert chance_to_tell(1000 * losses(4.0), 16) == pytest.approx(expected)
    for gap, chance in ((3.0, 1.0), (0.0, 0.5), (-1.0, 0.5)):
        assert chance_to_tell(losses(gap, swing=0), 16) == chance


def test_the_estimate_of_scores_that_are_drawn():
    """Single scores N(0.4, 1) and N(0, 1): a difference N(0.4, √2), so Φ(0.4 / √2) = 0.611."""
    rng = np.random.default_rng(0)
    real = rng.normal(0.4, 1, (20_000, 16)).mean(axis=1)
    fake = rng.normal(0.0, 1, (20_000, 16)).mean(axis=1)
    rows = np.stack([real, -real, fake, real], axis=1)
    assert chance_to_tell(rows, 16) == pytest.approx(0.611, abs=0.003)


def test_the_beginning_is_never_judged():
    for epochs in (1, WINDOW, 2 * WINDOW - 1):
        assert lost_chance(losses(0.0, epochs), epochs, MODEL) is None
    assert lost_chance(losses(0.0), 2 * WINDOW, MODEL) == pytest.approx(0.5)
    assert lost_chance(losses(4.0), 2 * WINDOW, MODEL) is None
    late = MODEL | {"warmup": 1000}
    assert lost_chance(losses(0.0), 1000 + WINDOW - 1, late) is None
    assert lost_chance(losses(0.0), 1000 + WINDOW, late) == pytest.approx(0.5)
    assert lost_chance(losses(0.0), 9000, {"batch_size": "16"}) is None


def test_it_is_said_once_until_the_critic_recovers():
    """Of six windows the first is never judged; 2 and 3 are lost, 4 and 5 not, 6 is lost again."""
    rows = np.concatenate([losses(gap) for gap in (0, 0, 0, 4, 4, 0)]).tolist()
    said = {epoch: lost_line(epoch, rows, MODEL) for epoch in range(len(rows))}
    said = {epoch: line for epoch, line in said.items() if line}
    assert list(said) == [2 * WINDOW - 1, 6 * WINDOW - 1]
    assert said[399] == f"after epoch 399: {describe_lost(0.5)}"
    assert "scores the real one higher in 50% of pairs" in said[399] and "\n" not in said[399]


def test_the_state_of_a_run_folder(tmp_path):
    assert lost_chance_of_run(tmp_path, MODEL) is None
    table = np.concatenate([losses(4.0, 300), losses(0.0, 300)])
    text = "epoch,critic,real,fake,penalty,generator\n" + "".join(
        f"{epoch},{','.join(map(repr, row))},1\n" for epoch, row in enumerate(table.tolist())
    )
    (tmp_path / "losses.csv").write_text(text + "600,1")  # half a line does not count
    assert lost_chance_of_run(tmp_path, MODEL) == pytest.approx(0.5)
    assert lost_chance_of_run(tmp_path, {}) is None
    (tmp_path / "losses.csv").write_text(text + "600,1,1,nan,1,1\n")
    assert lost_chance_of_run(tmp_path, MODEL) is None
    assert 0.5 < LOST < 0.58
