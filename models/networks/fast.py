"""Networks for pictures of any kind and size, which train on a processor of two cores."""

import keras
import numpy as np
from keras import layers

from models.networks.parts import (
    activated,
    checked_palette,
    critic_dense,
    mixed,
    one_hot,
    strips,
    weights,
)
from models.networks.reference import convolved
from models.networks.shapes import COARSEST, Fast, FewColours

_MOMENTUM = 0.9  # of batch norm


def build_fast_generator(networks: Fast, palette: np.ndarray | None = None) -> keras.Model:
    """Latents (B, groups·variants) to images (B, H, W, C) in [-1, 1].

    The same latents act twice. Each group of them chooses one of its variants, a one-hot vector,
    for what a picture has or has not. All of them, as they are, move what may change smoothly. A
    trunk of two dense layers, the second of them residual, sees both. Transposed convolutions then
    draw from coarse to fine; only the last one's patches overlap, so that no grid shows.

    Args:
        networks: their shapes.
        palette: colours of the images, uint8 (K, C) with K at least 2: the last layers are a
            softmax over them and a 1×1 convolution with fixed weights. None for tanh.

    Raises:
        ValueError: a palette of another shape, or no choice.
    """
    if palette is not None:
        palette = checked_palette(palette, networks.channels)
    z = layers.Input((networks.groups * networks.variants,), name="generator_input")
    choice = one_hot(z, networks.groups, networks.variants)
    choice = layers.Flatten(name="generator_one_hot")(choice)
    # The vector of a choice has a length of 1; so has that of the latents of its group, about.
    smooth = layers.Rescaling(networks.variants**-0.5, name="generator_smooth")(z)
    x = layers.Concatenate(name="generator_latents")([choice, smooth])
    x = _dense(x, networks.trunk_units, "trunk_1")
    x = layers.Add(name="generator_residual")([x, _dense(x, networks.trunk_units, "trunk_2")])
    finest, *strides = networks.strides
    *filters, coarsest = networks.filters
    x = _dense(x, COARSEST**2 * coarsest, "first")
    x = layers.Reshape((COARSEST, COARSEST, coarsest), name="generator_reshape")(x)
    for i in reversed(range(len(strides))):
        name = f"{len(strides) - i}"
        x = _transposed(x, filters[i], strides[i], strides[i], name)
        x = activated(x, name, _MOMENTUM)
    colours = networks.channels if palette is None else len(palette)
    x = _transposed(x, colours, 2 * finest, finest, "last")
    if palette is None:
        images = layers.Activation("tanh", name="generator_tanh")(x)
    else:
        images = mixed(layers.Softmax(name="generator_colours")(x), palette)
    return keras.Model(z, images, name="generator")


def build_fast_critic(networks: Fast) -> keras.Model:
    """Images (B, H, W, C) in [-1, 1] to one unbounded score each (B, 1).

    The generator's layers the other way round; the last convolution sees the whole image. The
    patches of the first one overlap: otherwise it would not see the edges between them, and a grid
    would show in photographs. Where colours are few, every row and every column of pixels is seen
    as a whole, too, and a hidden layer joins all: lines that go far become straight much sooner.
    """
    finest, *strides = networks.strides
    strides.append(COARSEST)
    size = networks.image_size
    images = layers.Input((size, size, networks.channels), name="critic_input")
    filters = [*networks.filters, 2 * networks.filters[-1]]
    x = convolved(images, filters, [2 * finest, *strides], [finest, *strides])
    if isinstance(networks, FewColours):
        branches = [
            critic_dense(strip, networks.strip_units, f"strip_{i}")
            for i, strip in enumerate(strips(images, networks.strip_units // 2))
        ]
        x = layers.Concatenate(name="critic_joined")([x, *branches])
        x = critic_dense(x, networks.trunk_units, "hidden")
    scores = layers.Dense(1, name="critic_score", **weights())(x)
    return keras.Model(images, scores, name="critic")


def _dense(x, units, name):
    x = layers.Dense(units, name=f"generator_{name}", **weights())(x)
    return activated(x, name, _MOMENTUM)


def _transposed(x, filters, kernel_size, stride, name):
    layer = layers.Conv2DTranspose(
        filters, kernel_size, stride, padding="same", name=f"generator_conv_{name}", **weights()
    )
    return layer(x)
