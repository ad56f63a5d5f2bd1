"""Networks for pictures of things at places: a generator that is a table, a critic of strips.

The generator knows four things about its data: pictures are made of rows and columns, a fixed
number of independent things are in them, each thing has a place and a colour, and which colours
there are. It does not know where a line lies, how wide it is, its colour, or which line is on top.
"""

import keras
import numpy as np
from keras import layers, ops

from models.networks.parts import LEAKY_SLOPE, checked_palette, mixed, one_hot

STDDEV = 2.0
"""Standard deviation of the tables' initial entries, before `give_roles`."""

_AWAY = -3.0  # before the softplus: a thing begins with little weight everywhere
_PAPER = 6.0  # the paper's logit, everywhere
_ROLES = 2.0, 0.25  # how much the first thing's columns and rows vary, times `STDDEV`


def build_table_generator(
    input_dim: tuple[int, int, int], things: int, variants: int, palette: np.ndarray
) -> keras.Model:
    """Latents (B, 2·things·variants) to images (B, H, W, C) in [-1, 1].

    Each thing has two groups of latents, one for its place and one for its colour. A group chooses
    one of its variants: the softmax of very large values is one-hot, and a standard normal z
    chooses uniformly. A variant of a place is one weight for each row and for each column, at least
    0. A variant of a colour is one logit for each colour of the palette but the first, the paper.
    What a thing adds to a pixel's logits is its colour times the sum of the weights of the pixel's
    row and column. The paper's logit is a constant, so it shows where nothing is. A softmax over
    the colours, mixed with the palette, gives the image.

    Args:
        input_dim: (H, W, C).
        things: how many there are in a picture.
        variants: of each place and of each colour.
        palette: colours, uint8 (K, C) with K at least 2, the most frequent first; their weights are
            not trained.

    Raises:
        ValueError: a palette of another shape, or no choice.
    """
    height, width, channels = input_dim
    palette = checked_palette(palette, channels)
    z = layers.Input((2 * things * variants,), name="generator_input")
    choices = one_hot(z, 2 * things, variants)
    choices = layers.Reshape((2 * things, variants, 1), name="generator_choices")(choices)
    # Small tensors are multiplied and added first; only the last sum has all pixels.
    sums = {"rows": [], "columns": []}
    for thing in range(things):
        place = _choice(choices, 2 * thing, f"place_{thing}")
        colour = _choice(choices, 2 * thing + 1, f"colour_{thing}")
        logits = _table(colour, len(palette) - 1, (-1, 1, 1), f"colours_{thing}")
        for name, side, shape in (("rows", height, (1, -1, 1)), ("columns", width, (1, 1, -1))):
            weights = _table(place, side, shape, f"{name}_{thing}", "softplus", _AWAY)
            product = layers.Multiply(name=f"generator_{name}_{thing}_logits")
            sums[name].append(product([weights, logits]))
    rows, columns = (_with_paper(terms, name) for name, terms in sums.items())
    paper = [[[_PAPER]], *[[[0.0]]] * (len(palette) - 1)]
    rows = layers.Rescaling(1.0, paper, name="generator_paper")(rows)  # (B, K, H, 1)
    logits = layers.Add(name="generator_logits")([rows, columns])  # (B, K, H, W)
    logits = layers.Permute((2, 3, 1), name="generator_channels_last")(logits)
    shares = layers.Softmax(name="generator_colours")(logits)
    return keras.Model(z, mixed(shares, palette), name="generator")


def _with_paper(terms, name):
    """The sum of (B, K - 1, …), and a zero for the paper before it: (B, K, …)."""
    total = layers.Add(name=f"generator_{name}")(terms) if len(terms) > 1 else terms[0]
    return layers.ZeroPadding2D(((1, 0), (0, 0)), name=f"generator_{name}_and_paper")(total)


def _choice(choices, group, name):
    """One group's vector of (B, groups, variants, 1), as (B, variants)."""
    after = choices.shape[1] - 1 - group
    crop = layers.Cropping2D(((group, after), (0, 0)), name=f"generator_{name}")
    return layers.Flatten(name=f"generator_{name}_one_hot")(crop(choices))


def _table(choice, units, shape, name, activation=None, bias=None):
    """The row of a table that a one-hot vector chooses, in a shape to be multiplied."""
    table = layers.Dense(
        units,
        activation=activation,
        use_bias=bias is not None,
        kernel_initializer=keras.initializers.RandomNormal(0.0, STDDEV),
        bias_initializer=keras.initializers.Constant(bias or 0.0),
        name=f"generator_{name}",
    )
    return layers.Reshape(shape, name=f"generator_{name}_shape")(table(choice))


def give_roles(generator: keras.Model, things: int) -> None:
    """Scales the initial tables of places so that things take different roles soon.

    From the first thing to the last one, columns vary less and less, and rows more and more: by
    factors from 2 to 1/4, and from 1/4 to 2, evenly. Otherwise some variants of a thing would draw columns
    and others rows, or both, and a picture would have too many of one. Which thing draws what is
    learned.

    Args:
        generator: of `build_table_generator`, with its initial weights, which are changed.
        things: their number.
    """
    columns = np.linspace(*_ROLES, things) if things > 1 else np.ones(1)
    for name, factors in (("rows", columns[::-1]), ("columns", columns)):
        for thing, factor in enumerate(factors.astype(np.float32)):
            kernel = generator.get_layer(f"generator_{name}_{thing}").kernel
            kernel.assign(ops.convert_to_numpy(kernel) * factor)


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
