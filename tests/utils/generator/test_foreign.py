"""Networks as other people save them: nested, with other layers, ranges and shapes of latents."""

import keras
import numpy as np
import pytest
from keras import layers

from utils.drawing import draw
from utils.generator import load_generator

Z = np.random.default_rng(0).standard_normal((4, 8), np.float32)


def with_weights(network):
    """The network with weights that are not 0, its moving averages too."""
    rng = np.random.default_rng(1)
    for variable in network.weights:
        if "seed" not in variable.path:
            values = rng.standard_normal(variable.shape) * 0.3
            variable.assign(np.abs(values) if "variance" in variable.path else values)
    return network


def check(network, path, z=Z, **options):
    """Asserts that a network, saved to `path`, draws as Keras does; returns what is loaded."""
    with_weights(network).save(path)
    loaded = load_generator(path, **options)
    expected = network.predict(z, verbose=0)
    assert np.ptp(expected) > 0.1
    found = loaded.predict(Z, verbose=0)
    return loaded, found, expected


def small(*ends):
    return [
        layers.Dense(48),
        layers.Reshape((4, 4, 3)),
        layers.Conv2D(3, 3, padding="same"),
        *ends,
    ]


def test_networks_in_networks(tmp_path):
    inner = keras.Sequential([layers.Input((8,)), *small()], name="inner")
    z = layers.Input((8,))
    middle = keras.Model(z, layers.LeakyReLU(0.2)(inner(z)), name="middle")
    outer = keras.Sequential([layers.Input((8,)), middle, layers.Activation("tanh")])
    for i, network in enumerate((outer, keras.Model(z, layers.Activation("tanh")(middle(z))))):
        loaded, found, expected = check(network, tmp_path / f"{i}.h5")
        assert np.abs(found - expected).max() < 1e-6
        assert [type(layer).__name__ for layer in loaded.layers] == [
            *("InputLayer", "Dense", "Reshape", "Conv2D", "LeakyReLU", "Activation")
        ]


def test_the_same_names_in_two_inner_networks(tmp_path):
    halves = [
        keras.Sequential([layers.Input((8,)), layers.Dense(8, name="same")], name=name)
        for name in ("one", "two")
    ]
    z = layers.Input((8,))
    x = layers.Reshape((4, 2, 1))(halves[1](halves[0](z)))
    _, found, expected = check(keras.Model(z, layers.Activation("tanh")(x)), tmp_path / "a.h5")
    assert np.abs(found - expected).max() < 1e-6


def test_every_further_kind_of_layer(tmp_path):
    z = layers.Input((1, 1, 8))
    x = layers.Conv2DTranspose(8, 4)(z)
    x = layers.PReLU(shared_axes=[1, 2])(layers.LayerNormalization()(x))
    x = layers.Cropping2D(((1, 0), (2, 1)))(layers.ZeroPadding2D(((1, 2), (3, 1)))(x))
    x = layers.AveragePooling2D(2)(layers.UpSampling2D(4)(x))
    x = layers.MaxPooling2D(2, strides=1, padding="same")(x)
    x = layers.ELU(0.5)(layers.GroupNormalization(4)(x))
    x = layers.Dropout(0.3)(layers.GaussianNoise(0.3)(layers.SpatialDropout2D(0.2)(x)))
    x = layers.LayerNormalization(axis=[1, 2, 3])(layers.PReLU()(x))
    network = keras.Model(z, layers.Conv2D(3, 3, padding="same", activation="tanh")(x))
    loaded, found, expected = check(network, tmp_path / "a.h5", Z[:, None, None])
    assert loaded.input_shape == (None, 8)  # (1, 1, 8) in the file
    assert np.abs(found - expected).max() < 1e-5


RANGES = {
    "sigmoid": ([layers.Activation("sigmoid")], None, (0, 1)),
    "sigmoid in a convolution": (
        [layers.Conv2D(3, 3, padding="same", activation="sigmoid")],
        None,
        (0, 1),
    ),
    "tanh, rescaled": (
        [layers.Activation("tanh"), layers.Rescaling(127.5, 127.5)],
        None,
        (0, 255),
    ),
    "sigmoid, rescaled": (
        [layers.Activation("sigmoid"), layers.Rescaling(2, -1), layers.Cropping2D(1)],
        None,
        (-1, 1),
    ),
    "relu": ([layers.ReLU()], "sigmoid", (0, 1)),
    "nothing": ([], "bytes", (0, 255)),
    "nothing, to tanh": ([], "tanh", (-1, 1)),
}


@pytest.mark.parametrize("name", RANGES)
def test_images_come_to_lie_in_the_range_of_tanh(name, tmp_path):
    ends, value_range, (black, white) = RANGES[name]
    network = keras.Sequential([layers.Input((8,)), *small(*ends)])
    loaded, found, expected = check(network, tmp_path / "a.h5", value_range=value_range)
    assert np.abs(found - (2 * (expected - black) / (white - black) - 1)).max() < 1e-5
    levels = np.rint((expected - black) / (white - black) * 255).clip(0, 255)
    assert np.abs(draw(loaded, Z).astype(float) - levels).max() <= 1


@pytest.mark.parametrize(
    ("ends", "what"),
    [
        ([layers.ReLU()], "ReLU"),
        ([layers.Activation("relu")], "relu"),
        ([], "Conv2D"),
    ],
)
def test_a_range_that_nothing_tells_is_asked_for(ends, what, tmp_path):
    keras.Sequential([layers.Input((8,)), *small(*ends)]).save(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=rf"a\.h5: it ends with {what}, .*: say it by --range"):
        load_generator(tmp_path / "a.h5")
