"""Parts of networks: activations, one-hot latents, a palette as the last layer."""

import keras
import numpy as np
from keras import layers

LEAKY_SLOPE = 0.2
WEIGHT_STDDEV = 0.02

SHARPNESS = 1e4
"""Factor of the latents before the softmax that makes them one-hot."""

PALETTE_NAME = "generator_palette"
"""Name of the layer whose weights are the colours of a palette."""


def activated(
    x,
    name: str,
    batch_norm_momentum: float | None,
    activation: str = "leaky_relu",
    dropout_rate: float | None = None,
):
    """What follows a generator's layer but the last: batch norm, activation, dropout.

    Args:
        x: the layer's output.
        name: last part of the new layers' names.
        batch_norm_momentum, activation, dropout_rate: as for `models.networks.reference`.
    """
    if batch_norm_momentum is not None:
        norm = layers.BatchNormalization(
            momentum=batch_norm_momentum, name=f"generator_batch_norm_{name}"
        )
        x = norm(x)
    x = activation_layer(activation, f"generator_activation_{name}")(x)
    if dropout_rate is not None:
        x = dropout_layer(dropout_rate, f"generator_dropout_{name}")(x)
    return x


def one_hot(z, groups: int, variants: int):
    """Latents (B, groups·variants) to one one-hot vector per group, (B, groups, variants).

    The softmax of very large values is one-hot, and a standard normal z chooses uniformly.

    Raises:
        ValueError: no choice.
    """
    if groups < 1 or variants < 2:
        raise ValueError(
            f"expected 1 or more groups of 2 or more variants, received {groups} of {variants}"
        )
    choice = layers.Reshape((groups, variants), name="generator_groups")(z)
    choice = layers.Rescaling(SHARPNESS, name="generator_sharpen")(choice)
    return layers.Softmax(name="generator_choice")(choice)


def checked_palette(palette: np.ndarray, channels: int) -> np.ndarray:
    """A palette, uint8 (K, channels) with K at least 2, as it is.

    Raises:
        ValueError: another shape.
    """
    palette = np.asarray(palette)
    if palette.ndim != 2 or palette.shape[1] != channels or len(palette) < 2:
        raise ValueError(
            f"palette must hold 2 or more colours of {channels} channels, received {palette.shape}"
        )
    return palette


def mixed(shares, palette: np.ndarray):
    """Shares of the K colours of a palette (B, H, W, K) to images (B, H, W, C) in [-1, 1].

    A 1×1 convolution, whose weights are the colours, uint8 (K, C), and are not trained.
    """
    mix = layers.Conv2D(palette.shape[1], 1, use_bias=False, trainable=False, name=PALETTE_NAME)
    images = mix(shares)
    mix.kernel.assign(palette.astype(np.float32)[None, None] / 127.5 - 1)
    return images


def critic_dense(x, units: int, name: str):
    """A dense layer of a critic and its activation: (B, …, units)."""
    x = layers.Dense(units, name=f"critic_{name}", **weights())(x)
    return activation_layer("leaky_relu", f"critic_{name}_activation")(x)


def strips(images, units: int) -> list:
    """What a critic sees in every row of pixels and in every column: [(B, 8·H), (B, 8·W)].

    Two layers, of `units` and of 8, are the same for all rows of images (B, H, W, C), and two
    others for all columns. So a critic sees whether a line goes from edge to edge.
    """
    _, height, width, channels = images.shape
    rows = layers.Reshape((height, width * channels), name="critic_rows")(images)
    turned = layers.Permute((2, 1, 3), name="critic_turned")(images)
    columns = layers.Reshape((width, height * channels), name="critic_columns")(turned)
    branches = []
    for name, x in (("row", rows), ("column", columns)):
        x = critic_dense(critic_dense(x, units, f"{name}_1"), 8, f"{name}_2")
        branches.append(layers.Flatten(name=f"critic_{name}_flatten")(x))
    return branches


def weights() -> dict:
    """The initial weights of a layer, which `initialise` draws."""
    return {"kernel_initializer": keras.initializers.RandomNormal(0.0, WEIGHT_STDDEV)}


def dropout_layer(rate: float, name: str) -> layers.Layer:
    # The seed is replaced by `initialise`. Without one, Keras on PyTorch draws from a state of the
    # whole process, and no training could be resumed exactly.
    return layers.Dropout(rate, seed=0, name=name)


def activation_layer(name: str, layer_name: str) -> layers.Layer:
    if name == "leaky_relu":
        return layers.LeakyReLU(LEAKY_SLOPE, name=layer_name)
    return layers.Activation(name, name=layer_name)
