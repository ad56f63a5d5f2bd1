"""Recipes other than the reference: losses, penalties, EMA and decay, checked by hand."""

import json
import math

import keras
import numpy as np
import pytest
from keras import ops

from models.average import Average
from models.training import checkpoint
from models.WGANGP import WGANGP
from tests.helpers.graphs import graph_generator
from tests.helpers.small import TINY, batches, linear_critic, state, train
from utils.drawing.latents import draw, seed_latents
from utils.generator.load import load_generator

RECIPE = TINY | {
    "loss": "relativistic",
    "penalty": "zero-centred",
    "penalty_every": 2,
    "adam_betas": (0.0, 0.99),
    "generator_weight_decay": 0.1,
    "generator_epsilon": 1e-5,
    "initial_weights": "he",
    "generator_average": 100,
    "learning_rate_decay": 0.5,
}
"""Every field different from the reference."""


def tensors(*arrays):
    return [ops.convert_to_tensor(array) for array in arrays]


def test_relativistic_losses_of_a_linear_critic():
    gan = WGANGP(**RECIPE)
    slope = np.full(768, 0.1 / math.sqrt(768), np.float32)
    gan.critic = linear_critic(slope)
    real = np.full((4, 16, 16, 3), 0.5, np.float32)
    fake = np.full((4, 16, 16, 3), -0.25, np.float32)
    losses = ops.convert_to_numpy(gan.critic_losses(*tensors(real, fake), None, 10.0))
    above = 0.75 * 0.1 * math.sqrt(768)  # real score minus fake score
    scores = [-0.05 * math.sqrt(768), -0.025 * math.sqrt(768)]
    penalty = 0.1**2  # half of ‖slope‖² at real, half at generated images
    total = math.log1p(math.exp(-above)) + 10 * 2 * penalty  # taken every other time, twice
    assert losses == pytest.approx([total, *scores, penalty], rel=1e-4)
    without = ops.convert_to_numpy(gan.critic_losses(*tensors(real, fake), None, None))
    assert without == pytest.approx([math.log1p(math.exp(-above)), *scores, 0], rel=1e-4)
    gan.generator = lambda z: z
    gan._forward = lambda network, x, update_statistics=False: network(x)
    loss = float(gan.generator_loss(*tensors(fake, real)))
    assert loss == pytest.approx(math.log1p(math.exp(above)), rel=1e-4)


def test_weight_decay_takes_a_share_off_the_generator_alone():
    gan = WGANGP(**TINY | {"generator_weight_decay": 10.0})
    gan.generator_optimiser.learning_rate = gan.critic_optimiser.learning_rate = 0.01
    before = [[ops.convert_to_numpy(w) for w in n.weights] for n in (gan.generator, gan.critic)]
    for optimiser, network in (
        (gan.generator_optimiser, gan.generator),
        (gan.critic_optimiser, gan.critic),
    ):
        optimiser.apply([ops.zeros_like(w) for w in network.trainable_variables])
    generator, critic = (
        [ops.convert_to_numpy(w) for w in n.weights] for n in (gan.generator, gan.critic)
    )
    for old, new, weight in zip(before[0], generator, gan.generator.weights, strict=True):
        assert new == pytest.approx(0.9 * old if weight.trainable else old)
    for old, new in zip(before[1], critic, strict=True):
        assert np.array_equal(new, old)


def test_a_gradient_as_large_as_epsilon_moves_a_weight_by_half_a_step():
    gan = WGANGP(**TINY | {"adam_betas": (0.0, 0.0), "generator_epsilon": 0.5})
    gan.generator_optimiser.learning_rate = 0.01
    weights = gan.generator.trainable_variables
    before = [ops.convert_to_numpy(w).copy() for w in weights]
    gan.generator_optimiser.apply([ops.ones_like(w) * 0.5 for w in weights])
    for old, weight in zip(before, weights, strict=True):
        assert ops.convert_to_numpy(weight) == pytest.approx(old - 0.005, abs=1e-6)


def test_a_penalty_every_third_update_is_three_times_as_strong():
    gan = WGANGP(**TINY | {"penalty_every": 3})
    gan.critic = linear_critic(np.full(768, 3 / math.sqrt(768), np.float32))
    real, mix = np.zeros((4, 16, 16, 3), np.float32), np.zeros((4, 1, 1, 1), np.float32)
    losses = ops.convert_to_numpy(gan.critic_losses(*tensors(real, real, mix), 10.0))
    assert losses == pytest.approx([10 * 3 * 4, 0, 0, 4], rel=1e-4)  # (3 − 1)² = 4


def test_the_log_repeats_the_last_penalty_between_two_penalties():
    gan = WGANGP(**TINY | {"penalty_every": 2})
    real = [(batch,) for batch in batches(np.random.default_rng(0), 6)]
    for _ in range(4):
        gan.train_epoch(iter([real[gan.epoch]]), 1)
    penalties = [row[3] for row in gan.d_losses]
    assert penalties[0] == penalties[1] != penalties[2] == penalties[3]
    for d, r, f, _ in gan.d_losses[1::2]:
        assert d == pytest.approx(r + f, rel=1e-4, abs=1e-6)
    for d, r, f, g in gan.d_losses[::2]:
        assert d == pytest.approx(r + f + 2 * 10 * g, rel=1e-4)
    gan.train_epoch(iter(real[4:]), 2)  # of two critic updates the first takes it
    d, r, f, g = gan.d_losses[-1]
    assert 0 != g != gan.d_losses[-2][3] and d == pytest.approx(r + f, rel=1e-4, abs=1e-6)


def test_he_weights_keep_the_variance():
    gan = WGANGP(
        **TINY
        | {
            "initial_weights": "he",
            "generator_batch_norm_momentum": None,
            "critic_conv_filters": [64, 256],
            "generator_initial_dense_layer_size": (4, 4, 256),
            "generator_conv_filters": [256, 3],
            "z_dim": 100,
        }
    )
    for network, inputs in (
        (gan.generator, np.random.default_rng(0).standard_normal((200, 100), np.float32)),
        (gan.critic, np.random.default_rng(0).standard_normal((200, 16, 16, 3), np.float32)),
    ):
        x = inputs
        before = np.square(x).mean()
        for layer in network.layers[1:-1]:
            x = layer(x)
            if isinstance(layer, keras.layers.LeakyReLU):
                # Borders of zeros take a little of what a convolution sees.
                after = float(ops.mean(ops.square(x)))
                assert 0.55 * before < after < 1.3 * before
                before = after


def test_average_by_hand():
    generator = WGANGP(**TINY).generator
    average = Average(generator, 1000)
    assert average.decay(0, 4) == 0  # initial weights are forgotten
    assert average.decay(10, 4) == 0.5 ** (4 / 4)  # a tenth of 40 images
    assert average.decay(10**6, 4) == 0.5 ** (4 / 1000)
    first = [np.array(w) for w in average.generator.get_weights()]
    assert all(map(np.array_equal, first, generator.get_weights()))
    for variable in generator.trainable_variables:
        variable.assign(variable + 8)
    average.update(generator, 0.75)
    for mean, variable in zip(
        average.generator.trainable_variables, generator.trainable_variables, strict=True
    ):
        assert np.allclose(ops.convert_to_numpy(variable - mean), 6, atol=1e-5)


def test_batch_statistics_of_the_average_are_its_own():
    generator = WGANGP(**TINY).generator
    for layer in generator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(layer.moving_mean + 5)  # those of other weights
    settled = Average(generator, 1000).with_statistics()
    z = np.random.default_rng(0).standard_normal((512, 5), np.float32)
    x = z
    for layer in settled.layers[1:]:
        x = layer(x, training=False)
        if isinstance(layer, keras.layers.BatchNormalization):
            flat = ops.convert_to_numpy(x).reshape(-1, x.shape[-1])
            assert np.allclose(flat.mean(axis=0), 0, atol=1e-3)
            assert np.allclose(flat.var(axis=0), 1, atol=0.05) or flat.var(axis=0).max() < 1


def test_batch_statistics_of_an_averaged_graph():
    averaged = Average(graph_generator(), 1000).with_statistics()
    outputs = keras.Model(averaged.input, averaged.get_layer("norm").output)
    z = np.random.default_rng(0).standard_normal((512, 8), np.float32)
    normalised = ops.convert_to_numpy(outputs(z, training=False))
    assert np.allclose(normalised.mean(axis=0), 0, atol=1e-3)
    assert np.allclose(normalised.std(axis=0), 1, atol=0.05)


def test_the_average_is_saved_and_resumed(tiny_zip, tmp_path):
    whole, first = WGANGP(**RECIPE), WGANGP(**RECIPE)
    train(whole, tiny_zip, tmp_path / "whole", 6)
    train(first, tiny_zip, tmp_path / "parts", 6, callbacks=[StopAfter(3)])
    second = WGANGP(**RECIPE)
    second.load_weights(tmp_path / "parts" / "weights")
    assert second.epoch == 3
    train(second, tiny_zip, tmp_path / "parts", 6)
    states = state(whole), state(second)
    assert any(name.startswith("average/") for name in states[0])
    for name, value in states[0].items():
        assert np.array_equal(states[1][name], value), name
    z = seed_latents([1, 2, 3], 5)
    saved = draw(load_generator(tmp_path / "parts" / "generator.h5"), z)
    assert np.array_equal(saved, draw(whole.drawing_generator(), z))
    assert not np.array_equal(saved, draw(whole.generator, z))
    assert len(checkpoint.find(tmp_path / "parts" / "weights")) == 2


class StopAfter(keras.callbacks.Callback):
    """Ends the training after a number of epochs, as a signal does."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 == self.epochs


def test_learning_rates_fall_at_the_end(tiny_zip, tmp_path):
    rates = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            for optimiser in (self.model.critic_optimiser, self.model.generator_optimiser):
                rates.append(float(ops.convert_to_numpy(optimiser.learning_rate)))

    gan = WGANGP(**TINY | {"learning_rate_decay": 0.5, "generator_learning_rate": 0.001})
    train(gan, tiny_zip, tmp_path, 8, callbacks=[Watch()])
    shares = [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert rates[::2] == pytest.approx([0.0002 * share for share in shares])
    assert rates[1::2] == pytest.approx([0.001 * share for share in shares])


def test_a_run_without_a_newer_option_has_its_default(tiny_zip, tmp_path):
    train(WGANGP(**TINY), tiny_zip, tmp_path, 2)
    content = json.loads((tmp_path / "params.json").read_text())
    assert content["model"].pop("adam_betas") == [0.5, 0.999]
    del content["model"]["penalty_every"]
    (tmp_path / "params.json").write_text(json.dumps(content))
    other = WGANGP(**TINY | {"penalty_every": 2})
    with pytest.raises(ValueError, match="penalty_every was 1 and is now 2"):
        other.load_weights(tmp_path / "weights")
    gan = WGANGP(**TINY)
    gan.load_weights(tmp_path / "weights")
    train(gan, tiny_zip, tmp_path, 3)
    assert gan.epoch == 3


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"loss": "hinge"}, "loss must be one of wasserstein, relativistic, received 'hinge'"),
        ({"penalty": 2}, "penalty must be one of one-centred, zero-centred, received 2"),
        ({"penalty_every": 0}, "penalty_every must be at least 1, received 0"),
        ({"initial_weights": "big"}, "initial_weights must be one of normal, he, received 'big'"),
        ({"generator_average": -1}, "generator_average must be a number of images, received -1"),
        ({"learning_rate_decay": 2}, "learning_rate_decay must be a share from 0 to 1, received 2"),
    ],
)
def test_wrong_options_are_refused(option, expected):
    with pytest.raises(ValueError, match=f"^{expected}$"):
        WGANGP(**TINY | option)
