"""A table generator made by hand, whose pictures can be checked by hand."""

import numpy as np

from models.networks.tables import build_table_generator
from models.selection import keep_variants

COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)


def line_generator(size=8):
    """Latents (B, 3·size) to images (B, size, size, 3) of a red, a green and a blue line.

    The variant of group 0 is the column of the red line; those of groups 1 and 2 are the rows of
    the green and the blue line. Blue lies on green, and green on red.
    """
    generator = build_table_generator((size, size, 3), 3, size, COLOURS)
    tables = np.zeros((2, 3, size, 4, size))  # rows or columns, group, variant, colour, pixel
    tables[0, 0, :, 0] = 20  # the paper
    for variant in range(size):
        tables[1, 0, variant, 1, variant] = 40
        tables[0, 1, variant, 2, variant] = 60
        tables[0, 2, variant, 3, variant] = 80
    for name, table in zip(("rows", "columns"), tables, strict=True):
        kernel = table.reshape(3 * size, 4 * size)
        generator.get_layer(f"generator_{name}").kernel.assign(kernel)
    return generator


def line_picture(choice, size=8):
    """The image of `line_generator` for three variants, uint8 (size, size, 3)."""
    picture = np.zeros((size, size, 3), np.uint8)
    picture[:, choice[0]] = COLOURS[1]
    picture[choice[1]] = COLOURS[2]
    picture[choice[2]] = COLOURS[3]
    return picture


def masked(generator, offset):
    """The same generator without some variants: lists of 0 and, for those, of -10⁹."""
    return keep_variants(generator, np.array(offset) == 0)
