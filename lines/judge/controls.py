"""Images that break the law of the sketch in one known way each, to test that a measure notices."""

from collections.abc import Callable

import numpy as np

from lines.judge.law import as_scene
from lines.render import render_all
from lines.scene import COLOURS

CONTROLS = (
    "black",
    "blurred",  # every pixel is the mean of its 3 by 3 neighbourhood
    "shifted hue",  # the channels are exchanged
    "wavering",  # a slow wave shifts every row and column
    "vertical on top",  # the vertical line is drawn last
    "one colour missing",  # no line is blue
    "half the positions",  # every line is in the left or upper half
    "one colour each",  # all three lines of an image have the same colour
    "colour by position",  # a line's colour follows from its position
    "side by side",  # horizontal lines are near the middle where the vertical one is
    "one image",  # the same scene every time
    "replayed",  # images of the training set
)

CONTROL_FOR = {
    "validity": "blurred",
    "validity_002": "blurred",
    "residual_median": "shifted hue",
    "residual_p95": "black",
    "structure": "wavering",
    "straightness": "wavering",
    "crossings": "vertical on top",
    "colour_tv_vertical": "one colour missing",
    "colour_tv_horizontal": "one colour missing",
    "colour_chi2_vertical": "one colour missing",
    "colour_chi2_horizontal": "one colour missing",
    "position_ks_vertical": "half the positions",
    "position_ks_horizontal": "half the positions",
    "position_w1_vertical": "half the positions",
    "position_w1_horizontal": "half the positions",
    "independence_colours": "one colour each",
    "independence_colours_horizontal": "one colour each",
    "independence_colour_position_vertical": "colour by position",
    "independence_colour_position_horizontal": "colour by position",
    "independence_positions": "side by side",
    "coverage_vertical": "one image",
    "coverage_horizontal": "one image",
    "novelty": "replayed",
    "duplicates": "one image",
}
"""By measure: the control that it must notice."""


def control_images(name: str, scenes: np.ndarray, size: int, weight: int) -> np.ndarray:
    """The images of a control.

    Args:
        name: one of `CONTROLS`.
        scenes: the scenes to break, (n, 3, 2), see `lines.judge.law.as_array`. "replayed" breaks
            nothing and needs scenes of the training set; all others need real scenes.
        size: of the images in pixels.
        weight: stroke weight in pixels.

    Returns:
        uint8 (n, size, size, 3), RGB.
    """
    scenes = scenes.copy()
    if name in _BREAK_SCENES:
        _BREAK_SCENES[name](scenes, size)
    drawn = [as_scene(row) for row in scenes]
    if name == "vertical on top":
        drawn = [(*horizontal, vertical) for vertical, *horizontal in drawn]
    images = render_all(drawn, size, weight)
    return _BREAK_PIXELS[name](images) if name in _BREAK_PIXELS else images


def _one_colour_missing(scenes, size):
    scenes[..., 1] %= len(COLOURS) - 1


def _half_the_positions(scenes, size):
    scenes[..., 0] //= 2


def _one_colour_each(scenes, size):
    scenes[..., 1] = scenes[:, :1, 1]


def _colour_by_position(scenes, size):
    scenes[..., 1] = scenes[..., 0] * len(COLOURS) // size


def _side_by_side(scenes, size):
    quarter = size // 4
    middle = np.abs(scenes[:, :1, 0] - size // 2) < quarter
    half = scenes[:, 1:, 0] // 2
    outside = np.where(half < quarter, half, half + 2 * quarter)
    scenes[:, 1:, 0] = np.where(middle, half + quarter, outside)


def _one_image(scenes, size):
    scenes[:] = scenes[0]


_BREAK_SCENES: dict[str, Callable] = {
    "one colour missing": _one_colour_missing,
    "half the positions": _half_the_positions,
    "one colour each": _one_colour_each,
    "colour by position": _colour_by_position,
    "side by side": _side_by_side,
    "one image": _one_image,
}
"""Functions of (scenes, size) that change scenes (n, 3, 2) in place."""


def _blurred(images):
    shifted = [np.roll(images, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return np.mean(shifted, axis=0).astype(np.uint8)


def _wavering(images):
    size = images.shape[1]
    index = np.arange(size)
    wave = np.rint(2 * np.sin(index * 4 * np.pi / size)).astype(int)
    images = images[:, index[:, None], (index + wave[:, None]) % size]
    return images[:, (index[:, None] + wave) % size, index]


_BREAK_PIXELS: dict[str, Callable] = {
    "black": np.zeros_like,
    "blurred": _blurred,
    "shifted hue": lambda images: np.roll(images, 1, axis=-1),
    "wavering": _wavering,
}
"""Functions from images to images, uint8 (n, size, size, 3)."""
