"""Generators made by hand, whose pictures can be checked by hand."""

import keras
import numpy as np
from keras import layers

from models.networks.parts import mixed, one_hot
from models.selection import draw_in_shares

COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)


def profile_generator(tables, palette):
    """Each group of latents chooses a profile of logits along the rows, and one along the columns.

    Args:
        tables: of rows and of columns, float32 (groups, variants, colours, side) each.
        palette: uint8 (colours, channels).
    """
    groups, variants, colours, _ = tables[0].shape
    z = layers.Input((groups * variants,), name="generator_input")
    choice = layers.Flatten(name="generator_one_hot")(one_hot(z, groups, variants))
    profiles = []
    for name, table in zip(("rows", "columns"), tables, strict=True):
        side = table.shape[-1]
        dense = layers.Dense(colours * side, use_bias=False, name=f"generator_{name}")
        shape = (colours, side, 1) if name == "rows" else (colours, 1, side)
        profile = layers.Reshape(shape, name=f"generator_{name}_profile")
        profiles.append(profile(dense(choice)))
        dense.kernel.assign(table.reshape(groups * variants, colours * side))
    logits = layers.Add(name="generator_sum")(profiles)
    shares = layers.Softmax(axis=1, name="generator_colours")(logits)
    shares = layers.Permute((2, 3, 1), name="generator_channels_last")(shares)
    return keras.Model(z, mixed(shares, palette), name="generator")


def line_generator(size=8):
    """Latents (B, 3·size) to images (B, size, size, 3) of a red, a green and a blue line.

    The variant of group 0 is the column of the red line; those of groups 1 and 2 are the rows of
    the green and the blue line. Blue lies on green, and green on red.
    """
    tables = np.zeros((2, 3, size, 4, size))  # rows or columns, group, variant, colour, pixel
    tables[0, 0, :, 0] = 20  # the paper
    for variant in range(size):
        tables[1, 0, variant, 1, variant] = 40
        tables[0, 1, variant, 2, variant] = 60
        tables[0, 2, variant, 3, variant] = 80
    return profile_generator(tables, COLOURS)


def line_picture(choice, size=8):
    """The image of `line_generator` for three variants, uint8 (size, size, 3)."""
    picture = np.zeros((size, size, 3), np.uint8)
    picture[:, choice[0]] = COLOURS[1]
    picture[choice[1]] = COLOURS[2]
    picture[choice[2]] = COLOURS[3]
    return picture


def masked(generator, offset):
    """The same generator without some variants: lists of 0 and, for those, of -10⁹."""
    return draw_in_shares(generator, alike(np.array(offset) == 0))


def alike(keep):
    """Equal shares of the variants that are kept, bool (groups, variants)."""
    return keep / np.sum(keep, axis=1, keepdims=True)
