"""Learning rates and the penalty's weight as functions of the epoch."""

import numpy as np
import pytest

from models.schedules import between, rate_factor
from models.WGANGP import WGANGP
from tests.helpers.small import TINY


def test_rates_rise_stay_and_fall():
    factors = [rate_factor(epoch, 10, 0.4, 1) for epoch in range(10)]
    assert factors == pytest.approx([0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25])
    assert rate_factor(1000, 1000, 0.4, 0) == 0.01  # never less
    assert rate_factor(5, None, 0, 9) == pytest.approx(0.6)  # without a number of epochs


def test_a_value_follows_half_a_cosine():
    assert [between(5, 3, epoch, 4) for epoch in (0, 2, 4, 9)] == pytest.approx([5, 4, 3, 3])
    assert between(5, 3, 1, 4) == pytest.approx(4 + np.sqrt(2) / 2)


def test_the_schedules_of_a_recipe():
    gan = WGANGP(**TINY, warmup=3, grad_weight_end=2.0)
    gan.epoch = 1
    gan.follow_schedules(2)
    rate = TINY["critic_learning_rate"]
    assert float(gan.critic_optimiser.learning_rate) == pytest.approx(rate / 2)
    assert float(gan.generator_optimiser.learning_rate) == pytest.approx(rate / 2)
    assert gan.grad_weight == pytest.approx(6)  # between 10 and 2
    assert gan.config["grad_weight"] == 10
