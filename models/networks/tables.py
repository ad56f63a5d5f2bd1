"""Networks for pictures of things at places: a generator that is a table, a critic of strips.

The generator knows four things about its data: pictures are made of rows and columns, a fixed
number of independent things are in them, each thing has a place and a colour, and which colours
there are. It does not know where a line lies, how wide it is, its colour, or which line is on top.
"""

import keras
import numpy as np
from keras import layers

from models.networks.parts import (
    LEAKY_SLOPE,
    activation_layer,
    checked_palette,
    critic_dense,
    mixed,
    one_hot,
    strips,
)

_STDDEV = 2.0  # of the tables' initial entries
_PAPER = 6.0  # the paper's logit, everywhere
_ROLE = 1.5  # how much the first thing leans to columns and the last one to rows, in logits
_COVER = 0.03  # what each unit of a thing's number adds to its factor: how fast that is learned


def build_table_generator(
    input_dim: tuple[int, int, int], things: int, variants: int, palette: np.ndarray
) -> keras.Model:
    """Latents (B, 2·things·variants) to images (B, H, W, C) in [-1, 1].

    Each thing has two groups of latents, one for its place and one for its colour. A group chooses
    one of its variants: the softmax of very large values is one-hot, and a standard normal z
    chooses uniformly. A variant of a place is a softmax over all rows and columns together: weights
    that are shared among few of them, so that a thing draws one line rather than two. What leans a
    thing to rows or to columns is one number for all its variants (and a small one for each), so
    that they take one role. A variant of a colour is one logit for each colour of the palette but
    the first, the paper. Negative ones count a fifth, so that two things in one place do not cancel
    each other. A factor says how strongly the thing covers others: 1 at first, and again one number
    for all variants, and a small one for each. What a thing adds to a pixel's logits is its colour
    times this factor and the sum of the weights of the pixel's row and column. The paper's logit is
    a constant, so it shows where nothing is. A softmax over the colours, mixed with the palette,
    gives the image.

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
        weights = _weights(place, height, width, thing)
        logits = _colour(colour, len(palette) - 1, thing)
        for name, crop, shape in (
            ("rows", (0, width), (1, height, 1)),
            ("columns", (height, 0), (1, 1, width)),
        ):
            part = layers.Cropping2D((crop, (0, 0)), name=f"generator_{name}_{thing}")(weights)
            part = layers.Reshape(shape, name=f"generator_{name}_{thing}_shape")(part)
            product = layers.Multiply(name=f"generator_{name}_{thing}_logits")
            sums[name].append(product([part, logits]))
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


def _table(choice, units, name):
    """The row of a table that a one-hot vector chooses: (B, units)."""
    table = layers.Dense(
        units,
        use_bias=False,
        kernel_initializer=keras.initializers.RandomNormal(0.0, _STDDEV),
        name=f"generator_{name}",
    )
    return table(choice)


def _colour(colour, units, thing):
    """What a thing adds to the logits of the colours where it is: (B, units, 1, 1)."""
    logits = _table(colour, units, f"colours_{thing}")
    logits = layers.LeakyReLU(LEAKY_SLOPE, name=f"generator_colours_{thing}_activation")(logits)
    cover = layers.Dense(1, name=f"generator_cover_{thing}")(colour)
    cover = layers.Rescaling(_COVER, 1.0, name=f"generator_cover_{thing}_factor")(cover)
    logits = layers.Multiply(name=f"generator_covering_{thing}")([logits, cover])
    return layers.Reshape((-1, 1, 1), name=f"generator_colours_{thing}_shape")(logits)


def _weights(place, height, width, thing):
    """How much a thing draws in every row and every column: (B, H + W, 1, 1)."""
    lean = layers.Dense(1, name=f"generator_lean_{thing}")(place)
    sides = layers.Dense(
        height + width, use_bias=False, trainable=False, name=f"generator_sides_{thing}"
    )
    sums = layers.Add(name=f"generator_leaning_{thing}")
    logits = sums([_table(place, height + width, f"places_{thing}"), sides(lean)])
    sides.kernel.assign([[1.0] * height + [-1.0] * width])
    shares = layers.Softmax(name=f"generator_shares_{thing}")(logits)
    # A line of a quarter of the side has weights of 1; thinner lines have larger ones.
    weights = layers.Rescaling((height + width) / 8, name=f"generator_weights_{thing}")(shares)
    return layers.Reshape((-1, 1, 1), name=f"generator_weights_{thing}_shape")(weights)


def give_roles(generator: keras.Model, things: int) -> None:
    """Makes each thing lean to columns or to rows at first, so that it takes one role.

    From the first thing to the last one, what is added to the logits of all its rows rises, and
    what is added to those of its columns falls. Otherwise some variants of a thing would draw
    columns and others rows, and a picture would have too many of one. Which thing draws what is
    learned.

    Args:
        generator: of `build_table_generator`, with its initial weights, which are changed.
        things: their number.
    """
    for thing, lean in enumerate(np.linspace(-_ROLE, _ROLE, things) if things > 1 else [0.0]):
        generator.get_layer(f"generator_lean_{thing}").bias.assign([lean])


def build_strip_critic(input_dim: tuple[int, int, int]) -> keras.Model:
    """Images (B, H, W, C) in [-1, 1] to one unbounded score each (B, 1).

    Three branches: every row of pixels, every column of pixels, and 4×4 patches of 4×4 patches.
    Each ends in 128 values; a hidden layer of 256 joins them.
    """
    images = layers.Input(input_dim, name="critic_input")

    def convolution(x, filters, name):
        x = layers.Conv2D(filters, 4, 4, padding="same", name=f"critic_{name}")(x)
        return activation_layer("leaky_relu", f"critic_{name}_activation")(x)

    branches = strips(images, 64)
    x = convolution(convolution(images, 32, "patch_1"), 64, "patch_2")
    branches.append(layers.Flatten(name="critic_patch_flatten")(x))
    joined = [critic_dense(x, 128, f"branch_{i}") for i, x in enumerate(branches)]
    x = critic_dense(layers.Concatenate(name="critic_joined")(joined), 256, "hidden")
    return keras.Model(images, layers.Dense(1, name="critic_score")(x), name="critic")
