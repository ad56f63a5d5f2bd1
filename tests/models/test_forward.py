"""The forward pass of training: Keras's own numbers, and slopes that Keras's are not always."""

import keras
import numpy as np
import pytest
from keras import ops

from models import engines, losses
from models.forward import forward
from models.WGANGP import WGANGP
from tests.helpers.graphs import graph_generator
from tests.helpers.small import TINY


def numbers(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def array(tensor):
    return ops.convert_to_numpy(ops.stop_gradient(tensor))


def lively(gan):
    """`gan` with weights large enough for its activations to matter."""
    rng = np.random.default_rng(5)
    for variable in (*gan.critic.trainable_variables, *gan.generator.trainable_variables):
        variable.assign(variable + 0.2 * rng.standard_normal(variable.shape).astype(np.float32))
    return gan


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"generator_conv_kernel_size": [6, 6], "critic_batch_norm_momentum": 0.8},
        {"generator_conv_kernel_size": [3, 5], "critic_conv_kernel_size": [4, 5]},
        {"generator_upsample": [2, 2], "generator_conv_strides": [1, 1]},
        {"generator_activation": "elu", "critic_activation": "relu"},
    ],
)
def test_forward_is_the_call_of_the_network(changes):
    gan = lively(WGANGP(**TINY | changes))
    for network in (gan.generator, gan.critic):
        x = numbers((4, *network.input_shape[1:]))
        before = [array(v) for v in network.non_trainable_variables]
        ours = array(forward(network, x))
        left = [array(v) for v in network.non_trainable_variables]
        array(forward(network, x, update_statistics=True))
        moved = [array(v) for v in network.non_trainable_variables]
        for variable, value in zip(network.non_trainable_variables, before, strict=True):
            variable.assign(value)
        assert ours == pytest.approx(array(network(x, training=True)), abs=2e-5)
        for old, same, new, variable in zip(
            before, left, moved, network.non_trainable_variables, strict=True
        ):
            assert np.array_equal(old, same) and not np.array_equal(old, new)
            assert new == pytest.approx(array(variable), abs=1e-5)


def test_forward_of_a_graph_is_its_call():
    network = graph_generator()
    z = numbers((16, 8))
    assert array(forward(network, z)) == pytest.approx(array(network(z, training=True)), abs=1e-5)


@pytest.mark.parametrize("strides", [1, 2, (2, 1)])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 6, (6, 3)])
def test_transposed_convolution_of_any_kernel_and_stride(kernel_size, strides):
    images = keras.Input((5, 7, 3))
    layer = keras.layers.Conv2DTranspose(
        4, kernel_size, strides, padding="same", bias_initializer="random_normal"
    )
    network = keras.Model(images, layer(images))
    x = numbers((2, 5, 7, 3))
    assert array(forward(network, x)) == pytest.approx(array(network(x)), abs=1e-5)


def penalty_and_slopes(gan, images):
    def loss():
        value = losses.one_centred(gan.squared_slopes(images))
        every_weight = 0 * ops.mean(gan.critic(images))  # PyTorch wants each to be in the graph
        return value + every_weight, ops.reshape(value, (1,))

    value, slopes = engines.load().gradients(loss, gan.critic.trainable_variables)
    return array(value), [array(slope) for slope in slopes]


def test_skipping_the_second_derivative_of_leaky_relu_changes_nothing(monkeypatch):
    gan = lively(WGANGP(**TINY))
    images = numbers((4, 16, 16, 3))
    ours = penalty_and_slopes(gan, images)
    monkeypatch.setattr("models.WGANGP.forward", lambda network, x, *_: network(x, training=True))
    plain = penalty_and_slopes(gan, images)
    assert ours[0] == pytest.approx(plain[0], rel=1e-5)
    for a, b in zip(ours[1], plain[1], strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("momentum", [None, 0.9])
def test_gradient_of_the_penalty_against_finite_differences(momentum):
    # Down to one pixel: the fewer values batch norm has, the more an inexact slope would show.
    critic = {"critic_conv_filters": [4, 8, 8], "critic_conv_kernel_size": [3, 3, 3]}
    critic |= {"critic_conv_strides": [2, 4, 2], "critic_activation": "tanh"}
    gan = WGANGP(**TINY | critic | {"critic_batch_norm_momentum": momentum})
    images = numbers((4, 16, 16, 3))
    variables = lively(gan).critic.trainable_variables
    start, (_, slopes) = (
        [array(variable) for variable in variables],
        penalty_and_slopes(gan, images),
    )
    length = np.sqrt(sum(np.square(slope, dtype=float).sum() for slope in slopes))
    step, values = 0.001, []
    for sign in (1, -1):
        for variable, value, slope in zip(variables, start, slopes, strict=True):
            variable.assign(value + sign * step * slope / length)
        values.append(float(losses.one_centred(gan.squared_slopes(images))))
    assert length > 0.1
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(length, rel=0.005)
