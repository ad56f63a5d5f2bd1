"""Convolutions in fewer bits: nearly the same losses, float32 files, and float16's loss scaling."""

import h5py
import numpy as np
import pytest
from keras import ops

from models.WGANGP import WGANGP
from tests.helpers.small import TINY


def lively(precision, **changes):
    """A model whose losses are far from nothing."""
    gan = WGANGP(**TINY | changes, precision=precision)
    for variable in (*gan.critic.variables, *gan.generator.variables):
        if variable.name == "kernel":
            variable.assign(8 * variable)
    return gan


def batches(count):
    rng = np.random.default_rng(0)
    return iter([(rng.uniform(-1, 1, (4, 16, 16, 3)).astype(np.float32),) for _ in range(count)])


def weights(gan):
    return [*gan.critic.get_weights(), *gan.generator.get_weights()]


@pytest.mark.parametrize(
    ("precision", "difference"), [("tf32", 1e-3), ("bfloat16", 0.05), ("float16", 0.01)]
)
def test_losses_are_those_of_float32_within_the_precision(precision, difference):
    exact, other = lively("float32"), lively(precision)
    for gan in (exact, other):
        stream = batches(6)
        for _ in range(3):
            gan.train_epoch(stream, 2)
    d_losses, expected = np.array(other.d_losses), np.array(exact.d_losses)
    assert np.abs(expected).max() > 1
    assert np.abs(d_losses - expected).max() < difference * np.abs(expected).max()
    assert (precision in ("bfloat16", "float16")) == (not np.array_equal(d_losses, expected))
    assert {variable.dtype for variable in other.generator.variables} == {"float32"}


def test_an_update_that_overflows_is_skipped_and_the_scale_is_halved():
    gan = lively("float16", generator_batch_norm_momentum=None)
    for optimiser in (gan.critic_optimiser, gan.generator_optimiser):
        optimiser.dynamic_scale.assign(2.0**126)
    before = weights(gan)
    gan.train_epoch(batches(1), 1)
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(gan), strict=True))
    assert float(ops.convert_to_numpy(gan.critic_optimiser.dynamic_scale)) == 2.0**125
    assert np.isfinite(gan.d_losses).all()
    gan.critic_optimiser.dynamic_scale.assign(2.0**10)
    gan.train_epoch(batches(1), 1)
    assert not np.array_equal(before[0], weights(gan)[0])


def test_float16_continues_bit_for_bit(tmp_path):
    straight, first, second = (lively("float16") for _ in range(3))
    stream = batches(8)
    for _ in range(4):
        straight.train_epoch(stream, 2)
    stream = batches(8)
    for _ in range(2):
        first.train_epoch(stream, 2)
    first.save_weights(tmp_path)
    with h5py.File(tmp_path / "weights" / "checkpoint_2.h5") as file:
        assert file["critic_scaled_optimiser/dynamic_scale"][()] == 2.0**15
    second.load_weights(tmp_path / "weights")
    for _ in range(2):
        second.train_epoch(stream, 2)
    assert second.d_losses == straight.d_losses
    assert all(
        np.array_equal(a, b) for a, b in zip(weights(straight), weights(second), strict=True)
    )


def test_unknown_precision():
    with pytest.raises(
        ValueError, match="one of float32, tf32, bfloat16, float16, received 'int8'"
    ):
        WGANGP(**TINY, precision="int8")
