"""How far a set of images is from the law of the sketch."""

import numpy as np

from lines.scene import COLOURS

_TOLERANCE = 64  # of 255, in the worst channel
_MATCHING = 0.75  # share of a line's length that must have its colour; crossings take the rest
_COLOURS = np.array(COLOURS)


def structure(images: np.ndarray, weight: int = 5) -> float:
    """Share of images with one vertical and two horizontal lines from edge to edge.

    A row or column belongs to a line where at least three quarters of its pixels, and their median,
    have one colour of the sketch. Two horizontal lines may touch or overlap and so look like one.
    Real images give 1.

    Args:
        images: uint8 (n, size, size, 3), RGB.
        weight: stroke weight of the lines in pixels.

    Returns:
        a share in [0, 1].
    """
    return float(np.mean([_is_structured(image, weight) for image in images]))


def _is_structured(image: np.ndarray, weight: int) -> bool:
    columns = _runs(_coloured(image.transpose(1, 0, 2)))
    rows = _runs(_coloured(image))
    least = weight // 2 + 1  # what is left of a line at the border
    if len(columns) != 1 or not least <= columns[0] <= weight:
        return False
    if len(rows) == 1:
        return least <= rows[0] <= 2 * weight
    return len(rows) == 2 and all(least <= run <= weight for run in rows)


def _coloured(strips: np.ndarray) -> np.ndarray:
    """Which strips (n, length, 3) have one colour of the sketch along most of their length."""
    median = np.median(strips, axis=1)
    distance = np.abs(median[:, None] - _COLOURS).max(axis=-1)  # (n, colours)
    colour = _COLOURS[distance.argmin(axis=1)]
    match = np.abs(strips.astype(int) - colour[:, None]).max(axis=-1) <= _TOLERANCE
    return (distance.min(axis=1) <= _TOLERANCE) & (match.mean(axis=1) >= _MATCHING)


def _runs(marked: np.ndarray) -> list[int]:
    """Lengths of the runs of True, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(int), [0]])))
    return (edges[1::2] - edges[::2]).tolist()
