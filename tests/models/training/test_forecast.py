"""What a training says when it begins; the times are made up."""

import re

import pytest

from models.training import forecast
from models.training.forecast import Forecast, duration, foreseen, start_line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7199, "120 minutes"),
        (7200, "2.0 hours"),
        (100_000, "27.8 hours"),
        (200_000, "2.3 days"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_shorter_of_two_limits_is_foreseen():
    assert foreseen(1.25, 1200, None) == "about 25 minutes for 1,200 epochs"
    assert foreseen(1.25, 1200, 30) == "about 25 minutes for 1,200 epochs"
    assert foreseen(0.1, 100_000, 10) == "about 6,000 epochs in 10 minutes"
    assert foreseen(0.1, None, 0.5) == "about 300 epochs in 0.5 minutes"
    assert foreseen(1.25, 1, None) == "about 1 second for 1 epoch"
    assert foreseen(1.25, 0, 10) == "no epoch is left"
    assert foreseen(0.1, None, None) == "no end is planned"


def test_the_first_cycle_is_not_measured_and_the_rest_until_it_takes_a_second(monkeypatch, capsys):
    times = iter([100, 100.5, 101.5, 999])
    monkeypatch.setattr(forecast.time, "monotonic", lambda: next(times))
    callback = Forecast(100, None, cycle=2)
    for epoch in range(6):  # the clock is read after epochs 1, 3 and 5
        callback.on_epoch_end(epoch)
    # 1.5 s for 4 epochs, and 94 are left.
    assert capsys.readouterr().out == "0.38 s per epoch: about 35 seconds for 94 epochs\n"
    for epoch in range(6, 10):
        callback.on_epoch_end(epoch)
    assert capsys.readouterr().out == "" and next(times) == 999


def test_where_it_trains(run):
    line = start_line(run[0])
    pattern = r"Training on (CPU \(no GPU found; see docs/training\.md\), .+, float32|[^C].+)"
    assert re.fullmatch(pattern, line)
    assert re.search(r", (TensorFlow|JAX|PyTorch) \d+\.\d+, ", line)
