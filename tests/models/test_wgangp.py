"""The algorithm: losses and updates checked by hand; arguments refused by name."""

import keras
import numpy as np
import pytest
from keras import ops

from models import losses
from models.presets import PRESETS, preset
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, batches, linear_critic

GRAD_WEIGHT = TINY["grad_weight"]


def weights(network):
    return [ops.convert_to_numpy(variable) for variable in network.variables]


def penalty_of(gan, images):
    return losses.one_centred(gan.squared_slopes(images))


def critic_step(gan, real, z, mix):
    tensors = (ops.convert_to_tensor(array) for array in (real, z, mix))
    losses = gan.critic_step(*tensors, GRAD_WEIGHT)
    return ops.convert_to_numpy(losses)


def changed(before, after):
    return any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("norm", [0.5, 1.0, 3.0])
def test_penalty_of_a_linear_critic_is_exact(norm):
    gan = WGANGP(**TINY)
    w = np.random.default_rng(0).standard_normal(768)
    gan.critic = linear_critic(w / np.linalg.norm(w) * norm)
    penalty = float(penalty_of(gan, batches(np.random.default_rng(1))[0]))
    assert penalty == pytest.approx((norm - 1) ** 2, abs=1e-6)


def test_penalty_at_zero_gradient_and_its_gradient_are_finite():
    gan = WGANGP(**TINY)
    gan.critic = linear_critic(np.zeros(768))
    images = batches(np.random.default_rng(1))[0]

    def loss():
        value = penalty_of(gan, images)
        return value, value

    value, (gradient,) = gan._engine.gradients(loss, gan.critic.trainable_variables)
    assert float(value) == pytest.approx(1, abs=1e-5)  # (√ε − 1)², ε = 1e-12
    assert np.isfinite(ops.convert_to_numpy(gradient)).all()


def test_losses_of_a_linear_critic():
    gan = WGANGP(**TINY)
    gan.critic = linear_critic(np.full(768, 1 / np.sqrt(768)))
    real = np.full((4, 16, 16, 3), 0.5, np.float32)
    fake = np.full((4, 16, 16, 3), -0.25, np.float32)
    mix = np.full((4, 1, 1, 1), 0.3, np.float32)
    losses = gan.critic_losses(
        *(ops.convert_to_tensor(array) for array in (real, fake, mix)), GRAD_WEIGHT
    )
    losses = ops.convert_to_numpy(losses)
    root = np.sqrt(768)
    assert losses == pytest.approx([-0.75 * root, -0.5 * root, -0.25 * root, 0], abs=1e-4)


def test_interpolation_lies_between_real_and_fake():
    gan = WGANGP(**TINY)
    seen = []

    def squared_slopes(images):
        seen.append(images)
        return ops.ones(4)

    gan.squared_slopes = squared_slopes
    mix = np.array([0, 1, 0.25, 0.5], np.float32).reshape(4, 1, 1, 1)
    white = ops.ones((4, 16, 16, 3))
    gan.critic_losses(white, -white, ops.convert_to_tensor(mix), GRAD_WEIGHT)
    assert ops.convert_to_numpy(seen[0])[:, 0, 0, 0].tolist() == [-1, 1, -0.5, 0]


def test_each_step_changes_its_own_network_only():
    gan = WGANGP(**TINY | {"critic_batch_norm_momentum": 0.9, "generator_dropout_rate": 0.1})
    z, mix, _ = gan.noise(0, 1)
    before = weights(gan.critic), gan.generator.get_weights()
    critic_step(gan, batches(np.random.default_rng(0))[0], z[0], mix[0])
    middle = weights(gan.critic), gan.generator.get_weights()
    gan.generator_step(z[1])
    after = weights(gan.critic), gan.generator.get_weights()
    assert changed(before[0], middle[0]) and not changed(before[1], middle[1])
    assert not changed(middle[0], after[0]) and changed(middle[1], after[1])


def test_generator_uses_batch_statistics_while_the_critic_learns():
    gan = WGANGP(**TINY)
    seen = []

    def losses(real, fake, mix, grad_weight):
        seen.append(ops.convert_to_numpy(ops.stop_gradient(fake)))
        return ops.reshape(ops.sum(gan.critic(fake)), (1,))

    gan.critic_losses = losses
    z, mix, _ = gan.noise(0, 1)
    critic_step(gan, batches(np.random.default_rng(0))[0], z[0], mix[0])
    for training in (True, False):
        drawn = ops.convert_to_numpy(gan.generator(z[0], training=training))
        assert np.allclose(seen[0], drawn, atol=1e-6) == training


def test_dropout_differs_from_step_to_step():
    gan = WGANGP(**TINY | {"generator_dropout_rate": 0.5, "critic_dropout_rate": 0.5})
    real, (z, mix, _) = batches(np.random.default_rng(0))[0], gan.noise(0, 1)
    gan.critic_optimiser.learning_rate = 0.0
    first, second = (critic_step(gan, real, z[0], mix[0]) for _ in range(2))
    assert not np.allclose(first, second)


def test_the_compiled_epoch_equals_its_steps():
    stepwise, compiled = WGANGP(**TINY), WGANGP(**TINY)
    real = batches(np.random.default_rng(0), 3)
    for epoch in range(2):
        z, mix, _ = stepwise.noise(epoch, 3)
        for i in range(3):
            losses = critic_step(stepwise, real[i], z[i], mix[i])
        generator = stepwise.generator_step(z[3])
        compiled.train_epoch(iter([(batch,) for batch in real]), 3)
    assert compiled.d_losses[-1] == pytest.approx(losses.tolist(), rel=1e-4)
    assert compiled.g_losses[-1] == pytest.approx(float(generator[0]), rel=1e-4, abs=1e-6)
    assert compiled.epoch == 2 and compiled.batches_seen == 6
    for a, b in zip(weights(stepwise.critic), weights(compiled.critic), strict=True):
        assert np.allclose(a, b, atol=1e-5)


def test_noise_is_a_function_of_seed_and_step():
    z, mix, _ = WGANGP(**TINY, seed=1).noise(7, 5)
    assert z.shape == (6, 4, 5) and mix.shape == (5, 4, 1, 1, 1)
    again = WGANGP(**TINY, seed=1).noise(7, 5)
    assert np.array_equal(z, again[0]) and np.array_equal(mix, again[1])
    assert not np.array_equal(z, WGANGP(**TINY, seed=1).noise(8, 5)[0])
    assert not np.array_equal(z, WGANGP(**TINY, seed=2).noise(7, 5)[0])
    _, many, _ = WGANGP(**TINY).noise(0, 2000)
    assert 0 <= many.min() < 0.001 and 0.999 < many.max() < 1
    assert many.mean() == pytest.approx(0.5, abs=0.02)  # uniform; a normal would leave [0, 1]


def test_initial_weights_are_normal_and_depend_on_the_seed():
    arguments = TINY | {"critic_conv_filters": [64, 128], "generator_conv_filters": [64, 3]}
    a, b, c = (WGANGP(**arguments, seed=seed) for seed in (1, 1, 2))
    kernel = a.critic.get_layer("critic_conv_1").get_weights()[0]
    assert kernel.std() == pytest.approx(0.02, rel=0.02) and abs(kernel.mean()) < 0.001
    assert not changed(weights(a.generator), weights(b.generator))
    assert changed(weights(a.generator), weights(c.generator))


def test_parameters_of_the_reference_block():
    reference = PRESETS["lines128"].networks
    gan = WGANGP(**reference, batch_size=16)
    assert gan.critic.input_shape == (None, 128, 128, 3) and gan.critic.output_shape == (None, 1)
    assert gan.generator.output_shape == (None, 128, 128, 3)
    convolutions = 9 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 128 + 256 + 512 + 1024
    assert gan.critic.count_params() == convolutions + 8 * 8 * 1024 + 1
    dense = 101 * 8 * 8 * 512
    convolutions = 36 * (512 * 512 + 512 * 256 + 256 * 128 + 128 * 3) + 512 + 256 + 128 + 3
    assert gan.generator.count_params() == dense + convolutions + 4 * (
        8 * 8 * 512 + 512 + 256 + 128
    )


def test_every_argument_is_honoured():
    gan = WGANGP(
        **TINY
        | {
            "critic_batch_norm_momentum": 0.7,
            "critic_dropout_rate": 0.3,
            "critic_activation": "relu",
            "critic_learning_rate": 0.01,
            "generator_upsample": [2, 2],
            "generator_conv_strides": [1, 1],
            "generator_batch_norm_momentum": None,
            "generator_dropout_rate": 0.2,
            "generator_learning_rate": 0.03,
            "optimiser": "rmsprop",
        }
    )
    kinds = [type(layer).__name__ for layer in gan.critic.layers]
    assert kinds == [
        "InputLayer",
        "Conv2D",
        "Activation",
        "Dropout",
        "Conv2D",
        "BatchNormalization",
        "Activation",
        "Dropout",
        "Flatten",
        "Dense",
    ]
    assert gan.critic.get_layer("critic_batch_norm_1").momentum == 0.7
    assert gan.critic.get_layer("critic_dropout_0").rate == 0.3
    kinds = [type(layer).__name__ for layer in gan.generator.layers]
    assert kinds == [
        "InputLayer",
        "Dense",
        "LeakyReLU",
        "Dropout",
        "Reshape",
        "UpSampling2D",
        "Conv2D",
        "LeakyReLU",
        "Dropout",
        "UpSampling2D",
        "Conv2D",
        "Activation",
    ]
    assert isinstance(gan.critic_optimiser, keras.optimizers.RMSprop)
    assert float(gan.critic_optimiser.learning_rate) == pytest.approx(0.01)
    assert float(gan.generator_optimiser.learning_rate) == pytest.approx(0.03)
    gan.train_epoch(iter([(batch,) for batch in batches(np.random.default_rng(0), 2)]), 2)
    assert np.isfinite(gan.d_losses).all()


def test_reference_layers():
    gan = WGANGP(**TINY)
    kinds = [type(layer).__name__ for layer in gan.generator.layers]
    assert kinds == [
        "InputLayer",
        "Dense",
        "BatchNormalization",
        "LeakyReLU",
        "Reshape",
        "Conv2DTranspose",
        "BatchNormalization",
        "LeakyReLU",
        "Conv2DTranspose",
        "Activation",
    ]
    assert gan.generator.layers[-1].activation is keras.activations.tanh
    assert gan.critic.get_layer("critic_activation_0").negative_slope == pytest.approx(0.2)
    assert gan.critic_optimiser.beta_1 == 0.5


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("critic_conv_strides", [2], "critic_conv_strides has 1"),
        ("generator_conv_filters", [4, 4, 3], "generator_conv_filters has 3"),
        ("generator_upsample", [1, 3], r"received \[1, 3\]"),
        ("generator_conv_filters", [4, 1], r"draws images of \(16, 16, 1\), but input_dim is"),
        (
            "input_dim",
            (32, 32, 3),
            r"draws images of \(16, 16, 3\), but input_dim is \(32, 32, 3\)",
        ),
        ("critic_activation", "leeky", "critic_activation must .* received 'leeky'"),
        ("generator_activation", None, "generator_activation must .* received None"),
        ("optimiser", "sgd", "optimiser must be 'adam' or 'rmsprop', received 'sgd'"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(argument, value, message):
    with pytest.raises(ValueError, match=message) as caught:
        WGANGP(**TINY | {argument: value})
    assert "\n" not in str(caught.value)


def test_unknown_preset():
    with pytest.raises(
        ValueError, match=r"one of reference, fast, lines, lines128, .*, received 'circles'"
    ):
        preset("circles")


def test_the_networks_learn():
    # Real images are all white: the generator must become brighter, the critic prefer white.
    gan = WGANGP(**TINY | {"generator_learning_rate": 0.005, "critic_learning_rate": 0.005})
    white = np.ones((4, 16, 16, 3), np.float32)
    z = np.random.default_rng(0).standard_normal((64, 5)).astype(np.float32)
    before = float(ops.mean(gan.generator(z, training=True)))
    for _ in range(60):
        gan.train_epoch(iter([(white,)] * 5), 5)
    after = float(ops.mean(gan.generator(z, training=True)))
    assert before < 0.1 and after > 0.5
