"""Measures of the pixels of line images: structure, straight edges, crossings."""

import numpy as np

from lines.judge.parse import TOLERANCE
from lines.scene import COLOURS, Scene

_MATCHING = 0.75  # share of a line's length that must have its colour; crossings cover the rest
_COLOURS = np.array(COLOURS)


def structure(images: np.ndarray, weight: int = 5) -> float:
    """Share of images with one vertical and two horizontal lines from edge to edge.

    A row or column belongs to a line if its median, and at least three quarters of its pixels, have
    one colour of the sketch. A single horizontal band, at most twice the weight wide, counts as two
    lines, because two lines may touch or overlap. Real images give 1.

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
    least = weight // 2 + 1  # pixels of a line at the border
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
    match = np.abs(strips.astype(int) - colour[:, None]).max(axis=-1) <= TOLERANCE
    return (distance.min(axis=1) <= TOLERANCE) & (match.mean(axis=1) >= _MATCHING)


def _runs(marked: np.ndarray) -> list[int]:
    """Lengths of the runs of True, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(int), [0]])))
    return (edges[1::2] - edges[::2]).tolist()


def crossings(images: np.ndarray, scenes: list[Scene], weight: int = 5) -> float:
    """Share of the crossings where the horizontal line, which is drawn later, is on top.

    Crossings of two lines of one colour, and those of overlapping horizontal lines, do not count.
    Real images give 1.

    Args:
        images: uint8 (n, size, size, 3), RGB.
        scenes: their scenes, as `parse` finds them.
        weight: stroke weight of the lines in pixels.

    Returns:
        a share in [0, 1]; NaN if no crossing counts.
    """
    on_top = []
    for image, (vertical, *horizontals) in zip(images, scenes, strict=True):
        if abs(horizontals[0].position - horizontals[1].position) < weight:
            continue
        columns = _strips(vertical.position, weight)
        for line in horizontals:
            if line.colour != vertical.colour:
                pixels = image[_strips(line.position, weight), columns].astype(int)
                distances = [
                    np.abs(pixels - _COLOURS[colour]).sum()
                    for colour in (line.colour, vertical.colour)
                ]
                on_top.append(distances[0] < distances[1])
    return float(np.mean(on_top)) if on_top else float("nan")


def straightness(images: np.ndarray, scenes: list[Scene], weight: int = 5) -> float:
    """How far the edges of lines wander: their standard deviation along the line, in pixels.

    An edge is where the line's colour begins. A pixel that has a part of that colour counts as that
    part of a pixel. The result is the mean over all edges that no parallel line touches, without
    their crossings. Real images give 0.

    Args:
        images: uint8 (n, size, size, 3), RGB.
        scenes: their scenes, as `parse` finds them.
        weight: stroke weight of the lines in pixels.

    Returns:
        pixels; NaN if there is no such edge.
    """
    spreads = []
    for image, (vertical, *horizontals) in zip(images, scenes, strict=True):
        first, second = horizontals
        spreads += _edge_spreads(image, vertical, horizontals, [], weight)
        strips = image.transpose(1, 0, 2)
        spreads += _edge_spreads(strips, first, [vertical], [second], weight)
        spreads += _edge_spreads(strips, second, [vertical], [first], weight)
    return float(np.mean(spreads)) if spreads else float("nan")


def _edge_spreads(image, line, crossing, parallel, weight):
    """The spreads of those edges of a line that no parallel line touches, without its crossings.

    The line runs along the first axis, as do the `parallel` lines; the `crossing` ones run across.
    """
    size, radius, centre = len(image), weight // 2, int(line.position)
    alone = np.arange(size) > 0  # the round cap touches the first pixel
    for other in crossing:
        alone &= np.abs(np.arange(size) - other.position) > radius + 1
    colour = _COLOURS[line.colour]
    spreads = []
    for edge in (slice(centre - weight, centre), slice(centre + 1, centre + weight + 1)):
        touched = any(
            edge.start - radius <= other.position < edge.stop + radius for other in parallel
        )
        if edge.start >= 0 and edge.stop <= size and alone.sum() > 1 and not touched:
            share = (image[alone, edge] @ colour) / (colour @ colour)  # (length, weight)
            spreads.append(share.clip(0, 1).sum(axis=1).std())
    return spreads


def _strips(position: float, weight: int) -> slice:
    centre = int(position)
    return slice(max(0, centre - weight // 2), centre + weight // 2 + 1)
