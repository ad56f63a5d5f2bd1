"""What the sketch draws: lines, scenes, and Processing's random numbers, bit for bit."""

from typing import NamedTuple

import numpy as np

COLOUR_NAMES = ("white", "yellow", "red", "blue")
COLOURS = ((255, 255, 255), (224, 184, 7), (185, 33, 19), (54, 79, 179))


class Line(NamedTuple):
    """One line of the sketch, from edge to edge.

    Attributes:
        orientation: `"vertical"` or `"horizontal"`.
        position: in pixels from the left (vertical line) or from the top (horizontal line).
        colour: index into `COLOURS`.
    """

    orientation: str
    position: float
    colour: int


Scene = tuple[Line, ...]
"""Lines in drawing order: a later line covers an earlier one."""


class ProcessingRandom:
    """`randomSeed(seed)` and `random(high)` of Processing, which are those of `java.util.Random`.

    A linear congruential generator of 48 bits (Knuth, TAOCP vol. 2, 3.2.1; Java's documentation of
    `Random.next`). Its state can be advanced any number of steps at once, so image i can be drawn
    without the images before it.

    Args:
        seed: any integer, as given to `randomSeed`.
    """

    MULTIPLIER = 0x5DEECE66D
    INCREMENT = 0xB
    MASK = (1 << 48) - 1

    def __init__(self, seed: int):
        self.state = (seed ^ self.MULTIPLIER) & self.MASK

    def random(self, high: float) -> float:
        """The next number in [0, high), a float32 value.

        Processing draws again if the product rounds up to `high`. In float32 that cannot happen:
        the largest factor is 1 - 2^-24, and its product with `high` lies at least half a unit in
        the last place below `high`. So every call takes exactly one step.
        """
        self.state = (self.state * self.MULTIPLIER + self.INCREMENT) & self.MASK
        # The 24 bits times a float32 are exact in double precision: rounded once, as in Java.
        return float(np.float32((self.state >> 24) / (1 << 24) * float(np.float32(high))))

    def skip(self, steps: int) -> None:
        """Advances by `steps` (0 or more) calls of `random`, in time logarithmic in `steps`."""
        factor, offset = self.MULTIPLIER, self.INCREMENT
        while steps:
            if steps & 1:
                self.state = (self.state * factor + offset) & self.MASK
            # Two steps in one: x -> factor * (factor * x + offset) + offset.
            offset = (factor * offset + offset) & self.MASK
            factor = factor * factor & self.MASK
            steps >>= 1


ORIENTATIONS = ("vertical", "horizontal", "horizontal")
"""Of the lines of a scene, in drawing order."""

CALLS_PER_SCENE = 2 * len(ORIENTATIONS)
"""How many times `random_scene` calls `random`."""


def random_scene(random: ProcessingRandom, size: int = 128) -> Scene:
    """The next scene of the sketch: one vertical line, then two horizontal ones.

    Args:
        random: the generator, advanced by `CALLS_PER_SCENE` calls.
        size: width and height of the picture in pixels; positions lie in [0, size).
    """
    return tuple(
        Line(orientation, random.random(size), int(random.random(len(COLOURS))))
        for orientation in ORIENTATIONS
    )
