"""Measures of pixels: structure, straight edges, crossings."""

import math

import numpy as np
import pytest

from lines.judge.law import as_scene
from lines.judge.pixels import crossings, straightness, structure
from lines.render import render
from lines.scene import Line


def test_structure_counts_images_with_the_right_lines():
    lines = [Line("vertical", 20, 0), Line("horizontal", 60, 1), Line("horizontal", 90, 2)]
    right = render(lines)
    one_missing = render([Line("vertical", 20, 0), Line("vertical", 60, 1), lines[1]])
    broken = right.copy()
    broken[60:100, :80] = 0
    blurred = (np.roll(right, 3, 0) / 2 + np.roll(right, -3, 0) / 2).astype(np.uint8)
    black = np.zeros_like(right)
    images = np.stack([right, one_missing, broken, blurred, black])
    assert [structure(images[i : i + 1]) for i in range(5)] == [1, 0, 0, 0, 0]
    assert structure(images) == pytest.approx(0.2)


def test_straightness_and_crossings_equal_those_computed_by_hand():
    lines = as_scene([(20, 0), (30, 1), (50, 2)])
    image = render(lines, 64, 3)
    assert straightness(image[None], [lines], 3) == 0 and crossings(image[None], [lines], 3) == 1
    wider = image.copy()
    wider[1:30:2, 22] = 255  # one pixel more on every second row, at one of the six edges
    rows = [y for y in range(1, 64) if abs(y - 30) > 2 and abs(y - 50) > 2]
    spread = np.std([y % 2 == 1 and y < 30 for y in rows])
    assert straightness(wider[None], [lines], 3) == pytest.approx(spread / 6)
    under = image.copy()
    under[29:32, 19:22] = 255  # the vertical line is on top of one of the two
    assert crossings(under[None], [lines], 3) == 0.5
    one_colour = as_scene([(20, 1), (30, 1), (50, 1)])
    assert math.isnan(crossings(render(one_colour, 64, 3)[None], [one_colour], 3))
