"""Networks for pictures made of rows and columns: a generator that is a table, a critic of strips.

The generator knows three things about its data: pictures are sums of a profile along the rows and
one along the columns, a fixed number of independent things are in them, and which colours they
have. It does not know where a line lies, how wide it is, its colour, or which line is on top.
"""

import keras
import numpy as np
from keras import layers, ops

from models.networks.parts import LEAKY_SLOPE, checked_palette, mixed, one_hot

TABLE_STDDEV = 0.96
"""Standard deviation of the table's initial entries, about; see `give_roles`."""

_ROLE = 2.0  # how much more the first group's columns vary than the middle one's


def build_table_generator(
    input_dim: tuple[int, int, int], groups: int, variants: int, palette: np.ndarray
) -> keras.Model:
    """Latents (B, groups·variants) to images (B, H, W, C) in [-1, 1].

    Each group of latents chooses one of its variants: the softmax of very large values is one-hot,
    and a standard normal z chooses uniformly. A variant is a row of two tables: a profile along the
    rows and one along the columns, with a logit for each colour of the palette. The logits of the
    groups are added, rows to columns; a softmax over the colours, mixed with the palette, gives the
    image.

    Args:
        input_dim: (H, W, C).
        groups: number of independent choices.
        variants: of each group.
        palette: colours, uint8 (K, C) with K at least 2; their weights are not trained.

    Raises:
        ValueError: a palette of another shape, or no choice.
    """
    height, width, channels = input_dim
    palette = checked_palette(palette, channels)
    colours = len(palette)
    z = layers.Input((groups * variants,), name="generator_input")
    choice = one_hot(z, groups, variants)
    profiles = []
    for name, side, shape in (
        ("rows", height, (colours, height, 1)),
        ("columns", width, (colours, 1, width)),
    ):
        table = layers.Dense(
            side * colours,
            use_bias=False,
            kernel_initializer=keras.initializers.RandomNormal(0.0, TABLE_STDDEV),
            name=f"generator_{name}",
        )
        profiles.append(layers.Reshape(shape, name=f"generator_{name}_profile")(table(choice)))
    logits = layers.Add(name="generator_sum")(profiles)  # (B, K, H, W)
    shares = layers.Softmax(axis=1, name="generator_colours")(logits)
    shares = layers.Permute((2, 3, 1), name="generator_channels_last")(shares)
    return keras.Model(z, mixed(shares, palette), name="generator")


def give_roles(generator: keras.Model, groups: int) -> None:
    """Scales the initial entries of a table so that its groups take different roles soon.

    From the first group to the last one, columns vary less and less, and rows more and more: by
    factors from 2 to 1/2, and from 1/2 to 2. Otherwise some variants of a group would draw columns
    and others rows, and a picture would have too many of one. Which group draws what is learned.

    Args:
        generator: of `build_table_generator`, with its initial weights, which are changed.
        groups: their number.
    """
    columns = _ROLE ** np.linspace(1, -1, groups) if groups > 1 else np.ones(1)
    for name, factors in (("generator_rows", 1 / columns), ("generator_columns", columns)):
        kernel = generator.get_layer(name).kernel
        entries = ops.convert_to_numpy(kernel).reshape(groups, -1)
        kernel.assign((entries * factors[:, None].astype(np.float32)).reshape(kernel.shape))


def build_strip_critic(input_dim: tuple[int, int, int]) -> keras.Model:
    """Images (B, H, W, C) in [-1, 1] to one unbounded score each (B, 1).

    Three branches: every row of pixels, every column of pixels, and 4×4 patches of 4×4 patches.
    Each ends in 128 values; a hidden layer of 256 joins them.
    """
    height, width, channels = input_dim
    images = layers.Input(input_dim, name="critic_input")

    def active(x, name):
        return layers.LeakyReLU(LEAKY_SLOPE, name=f"critic_{name}_activation")(x)

    def dense(x, units, name):
        return active(layers.Dense(units, name=f"critic_{name}")(x), name)

    def convolution(x, filters, name):
        layer = layers.Conv2D(filters, 4, 4, padding="same", name=f"critic_{name}")
        return active(layer(x), name)

    rows = layers.Reshape((height, width * channels), name="critic_rows")(images)
    turned = layers.Permute((2, 1, 3), name="critic_turned")(images)
    columns = layers.Reshape((width, height * channels), name="critic_columns")(turned)
    branches = []
    for name, strips in (("row", rows), ("column", columns)):
        x = dense(dense(strips, 64, f"{name}_1"), 8, f"{name}_2")
        branches.append(layers.Flatten(name=f"critic_{name}_flatten")(x))
    x = convolution(convolution(images, 32, "patch_1"), 64, "patch_2")
    branches.append(layers.Flatten(name="critic_patch_flatten")(x))
    joined = [dense(x, 128, f"branch_{i}") for i, x in enumerate(branches)]
    x = dense(layers.Concatenate(name="critic_joined")(joined), 256, "hidden")
    return keras.Model(images, layers.Dense(1, name="critic_score")(x), name="critic")
