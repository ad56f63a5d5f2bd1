"""Images that break the law of the sketch in one known way each, to see that a measure notices."""

from collections.abc import Callable

import numpy as np

from lines.judge.law import as_scene
from lines.render import render
from lines.scene import COLOURS, Scene

CONTROLS = (
    "black",
    "blurred",  # every pixel the mean of its neighbourhood of 3 by 3
    "shifted hue",  # the channels exchanged
    "wavering",  # every row and column pushed aside by a slow wave
    "vertical on top",  # the vertical line drawn last
    "one colour missing",  # no line is blue
    "half the positions",  # every line in the left or upper half
    "one colour each",  # all three lines of an image have the same colour
    "colour by position",  # a line's colour is told by its position
    "side by side",  # horizontal lines stand near the middle where the vertical one does
    "one image",  # the same scene every time
    "replayed",  # images of the training set
)

TRIPS = {
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
"""The control that each measure must notice."""


def control(name: str, scenes: np.ndarray, size: int, weight: int) -> np.ndarray:
    """The images of a control.

    Args:
        name: one of `CONTROLS`.
        scenes: what it breaks, (n, 3, 2), see `lines.judge.law.as_array`: real scenes, or for
            "replayed", which breaks nothing, scenes of the training set.
        size: of the images in pixels.
        weight: stroke weight in pixels.

    Returns:
        uint8 (n, size, size, 3), RGB.
    """
    scenes = scenes.copy()
    if name in _SCENES:
        _SCENES[name](scenes, size)
    drawn = [as_scene(row) for row in scenes]
    if name == "vertical on top":
        drawn = [(*horizontal, vertical) for vertical, *horizontal in drawn]
    images = draw(drawn, size, weight)
    return _PIXELS[name](images) if name in _PIXELS else images


def draw(scenes: list[Scene], size: int, weight: int) -> np.ndarray:
    """Scenes as images, uint8 (n, size, size, 3), RGB."""
    images = np.empty((len(scenes), size, size, 3), np.uint8)
    for image, scene in zip(images, scenes, strict=True):
        image[:] = render(scene, size, weight)
    return images


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


_SCENES: dict[str, Callable] = {
    "one colour missing": _one_colour_missing,
    "half the positions": _half_the_positions,
    "one colour each": _one_colour_each,
    "colour by position": _colour_by_position,
    "side by side": _side_by_side,
    "one image": _one_image,
}


def _blurred(images):
    pushed = [np.roll(images, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return np.mean(pushed, axis=0).astype(np.uint8)


def _wavering(images):
    size = images.shape[1]
    wave = np.rint(2 * np.sin(np.arange(size) * 4 * np.pi / size)).astype(int)
    here = np.arange(size)
    images = images[:, here[:, None], (here + wave[:, None]) % size]
    return images[:, (here[:, None] + wave) % size, here]


_PIXELS: dict[str, Callable] = {
    "black": np.zeros_like,
    "blurred": _blurred,
    "shifted hue": lambda images: np.roll(images, 1, axis=-1),
    "wavering": _wavering,
}
