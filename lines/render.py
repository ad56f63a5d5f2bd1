"""Scene to pixels, exactly as Processing's default renderer (JAVA2D) draws them."""

import math

import numpy as np

from lines.scene import COLOURS, Scene

MAX_WEIGHT = 38
"""The widest stroke whose caps were measured on Processing, in pixels."""


def render(scene: Scene, size: int = 128, weight: int = 5) -> np.ndarray:
    """Draws a scene on black, with no pixel differing from Processing 4.

    Processing snaps a stroke to floor(position) + 0.5. An odd weight then covers whole pixels; an
    even weight covers the two outermost pixels by half (127 of 255). The round cap at the near end
    touches the first pixel of the two outermost strips only.

    Args:
        scene: lines in drawing order.
        size: width and height in pixels.
        weight: stroke weight in pixels, 1 to `MAX_WEIGHT`, odd or even.

    Returns:
        uint8 array (size, size, 3), RGB.

    Raises:
        ValueError: a weight whose caps were not measured.
    """
    check_weight(weight)
    image = np.zeros((size, size, 3), np.uint8)
    radius = weight // 2
    for line in scene:
        vertical = line.orientation == "vertical"
        strips = image.transpose(1, 0, 2) if vertical else image  # strips[i] runs along the line
        centre = math.floor(line.position)
        colour = _COLOURS[line.colour]
        outermost = [i for i in {centre - radius, centre + radius} if 0 <= i < size]
        coverage = _cap_coverage(weight, vertical)
        caps = [_blend(strips[i, 0], colour, coverage) for i in outermost]
        if weight % 2 == 0:
            for i in outermost:
                strips[i] = _blend(strips[i], colour, _HALF)
        solid = radius if weight % 2 else radius - 1
        strips[max(0, centre - solid) : max(0, centre + solid + 1)] = colour
        for i, cap in zip(outermost, caps, strict=True):
            strips[i, 0] = cap
    return image


def render_all(scenes: list[Scene], size: int = 128, weight: int = 5) -> np.ndarray:
    """`render` of many scenes: uint8 (n, size, size, 3)."""
    images = np.empty((len(scenes), size, size, 3), np.uint8)
    for image, scene in zip(images, scenes, strict=True):
        image[:] = render(scene, size, weight)
    return images


def check_weight(weight: int) -> None:
    """Raises ValueError for a stroke weight that was not measured on Processing."""
    if weight not in range(1, MAX_WEIGHT + 1):
        raise ValueError(
            f"weight must be a whole number of pixels from 1 to {MAX_WEIGHT}, received {weight}"
        )


def _cap_coverage(weight: int, vertical: bool) -> int:
    """Coverage (of 255) of the pixels that the round cap cuts, as measured on Processing 4."""
    if weight == 1:
        return 218
    if weight == 2:
        return 120 if vertical else 121
    if weight < 10:
        return (248 if vertical else 249) if weight % 2 else 121
    return (252 if vertical else 255) if weight % 2 else (124 if vertical else 127)


def _blend(below: np.ndarray, colour: np.ndarray, coverage: int) -> np.ndarray:
    """`colour` over `below` (uint8, (..., 3)), channel by channel, as Java2D's 8-bit loops do."""
    return _MUL8[coverage].take(colour) + _MUL8[255 - coverage].take(below)


_COLOURS = np.array(COLOURS, np.uint8)

_HALF = 127
"""Coverage (of 255) of the outermost strips of an even weight."""

# _MUL8[a, b] is a·b/255, rounded as Java2D rounds it.
_MUL8 = ((np.multiply.outer(np.arange(256), np.arange(256)) + 127) // 255).astype(np.uint8)
