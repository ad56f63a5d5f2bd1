"""Pixels to scene, the inverse of `render`: finds the scene that explains an image best."""

import contextlib
import itertools
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from lines.render import render
from lines.scene import COLOURS, Line, Scene

TOLERANCE = 64
"""A pixel is explained if no channel differs from the rendering by more than this (of 255)."""

# _NEAR[channel, value] has bit i set if entry i of the palette is within TOLERANCE. No pixel is
# that near to two entries, so at most one bit is set in all three channels.
_PALETTE = np.array([(0, 0, 0), *COLOURS])
_NEAR = np.zeros((3, 256), np.uint8)
for _i, _entry in enumerate(_PALETTE):
    _NEAR |= (np.abs(_entry[:, None] - np.arange(256)) <= TOLERANCE).astype(np.uint8) << _i

_CHUNK = 64
"""Images per task of a process."""

_MOST_TIES = 64
"""Among at most this many scenes that explain equally many pixels, the nearest one is taken."""


def parse(image: np.ndarray, weight: int = 5) -> tuple[Scene, float]:
    """The scene of one vertical and two horizontal lines whose rendering is most like an image.

    Analysis by synthesis: the best scene leaves the fewest pixels unexplained, where every pixel of
    a line has the line's colour. If several scenes leave equally many, for example because one
    horizontal line hides another, the sum of absolute differences decides. For an image of the
    sketch, `render(scene)` is the image itself, pixel for pixel. What a line hides cannot be
    recovered.

    Args:
        image: uint8 (size, size, 3), RGB.
        weight: stroke weight in pixels, odd; even ones have half-covered pixels of no pure colour.

    Returns:
        the scene, with whole positions, and horizontal lines that do not touch ordered from top to
        bottom; and e, the share of pixels of which a channel differs from the rendering by more
        than `TOLERANCE`.

    Raises:
        ValueError: an even weight, or an array that is not a square RGB image.
    """
    if weight % 2 == 0:
        raise ValueError(f"only lines of an odd weight can be parsed, received {weight}")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape != (len(image), len(image), 3):
        raise ValueError(f"expected uint8 (size, size, 3), received {image.dtype} {image.shape}")
    scenes = list(itertools.islice(_best_scenes(image, weight), _MOST_TIES))
    differences = [np.abs(render(s, len(image), weight).astype(int) - image) for s in scenes]
    nearest = min(range(len(scenes)), key=lambda i: differences[i].sum())
    unexplained = differences[nearest].max(axis=-1) > TOLERANCE
    return scenes[nearest], float(unexplained.mean())


def parse_all(
    images: np.ndarray, weight: int = 5, advance: Callable[[int], None] = lambda parsed: None
) -> tuple[list[Scene], np.ndarray]:
    """`parse` of many images, uint8 (n, size, size, 3), on all cores.

    `advance` is called with 64 or fewer whenever as many images more were parsed. Returns the
    scenes and their residuals, float64 (n,).
    """
    chunks = [images[i : i + _CHUNK] for i in range(0, len(images), _CHUNK)]
    workers = min(os.cpu_count() or 1, len(images) // (4 * _CHUNK))
    parsed = None
    if workers > 1:
        # Spawned, not forked: a fork would lose the threads that a framework may have started.
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
        # Spawning fails in a script that does not guard its main part by `if __name__ == …`.
        with contextlib.suppress(BrokenProcessPool), pool:
            found = pool.map(_parse_chunk, chunks, itertools.repeat(weight))
            parsed = _collected(found, advance)
    if parsed is None:
        parsed = _collected((_parse_chunk(chunk, weight) for chunk in chunks), advance)
    return [scene for scene, _ in parsed], np.array([residual for _, residual in parsed])


def _collected(parsed, advance):
    """What `parse` returned for all images; `parsed` yields it by chunks."""
    results = []
    for chunk in parsed:
        results += chunk
        advance(len(chunk))
    return results


def _parse_chunk(images, weight):
    return [parse(image, weight) for image in images]


def _best_scenes(image, weight):
    """The scenes that explain the most pixels, all with the same vertical line."""
    near = _NEAR[0][image[..., 0]] & _NEAR[1][image[..., 1]] & _NEAR[2][image[..., 2]]
    match = np.array([(near >> i) & 1 for i in range(len(_PALETTE))], np.int32)
    # match is (palette, rows, columns). How many pixels of a row are explained
    # - if a horizontal line covers it, (colours, rows),
    # - if only a vertical line crosses it, black to its left and right, (colours, positions, rows):
    horizontal = match[1:].sum(axis=2)
    vertical = match[0].sum(axis=1) + _window_sums(match[1:] - match[0], weight).transpose(0, 2, 1)
    most, best = -1, None
    bounds = _bounds(horizontal, vertical, weight)
    for index in np.argsort(-bounds, axis=None, kind="stable"):
        if bounds.flat[index] <= most:
            break
        colour, position = np.unravel_index(index, bounds.shape)
        crossed = vertical[colour, position]  # (rows,)
        gain, pairs = _best_pairs(horizontal - crossed, weight)
        if crossed.sum() + gain > most:
            most = crossed.sum() + gain
            best = Line("vertical", float(position), int(colour)), pairs
    line, pairs = best
    for (first, first_colour), (second, second_colour) in pairs:
        yield (
            line,
            Line("horizontal", float(first), int(first_colour)),
            Line("horizontal", float(second), int(second_colour)),
        )


def _bounds(horizontal, vertical, weight):
    """Upper bounds of what the best scene of each vertical line explains, (colours, positions).

    Of two horizontal lines, the one on top gains what its window of rows gains. The other gains at
    most what a window gains in those rows where it gains anything.
    """
    gains = horizontal.max(axis=0) - vertical  # (colours, positions, rows)
    on_top = _window_sums(gains, weight).max(axis=-1)
    beneath = _window_sums(np.maximum(gains, 0), weight).max(axis=-1)
    return vertical.sum(axis=-1) + on_top + beneath


def _best_pairs(gains, weight):
    """The most that two horizontal lines can gain, and all pairs of lines that gain as much.

    Args:
        gains: (colours, rows), explained pixels of each row with a line minus those without one.

    Returns:
        the gain, and an iterator of ((position, colour), (position, colour)), in drawing order.
    """
    size = gains.shape[1]
    line_gains = _window_sums(gains, weight)  # (colours, positions)
    best = line_gains.max(axis=0)
    apart = np.where(np.tri(size, k=-weight, dtype=bool).T, best[:, None] + best, -(1 << 30))
    # If they overlap, the second line hides the first in the rows that they share.
    starts = np.arange(size) - weight // 2
    sums = np.pad(np.cumsum(gains, axis=1), ((0, 0), (1, 0)))
    overlaps = np.arange(1 - weight, weight)  # first position minus second
    seen_from = np.where(overlaps > 0, weight, overlaps)[:, None] + starts
    seen_to = np.where(overlaps > 0, weight + overlaps, 0)[:, None] + starts
    rest = sums[:, seen_to.clip(0, size)] - sums[:, seen_from.clip(0, size)]
    first = overlaps[:, None] + np.arange(size)
    rest[:, (first < 0) | (first >= size)] = -(1 << 30)
    # (colour of the first, overlap, position of the second), with the second's best colour
    overlapping = rest + best
    most = max(apart.max(), overlapping.max())

    def best_colours(position):
        return np.flatnonzero(line_gains[:, position] == best[position])

    def pairs():
        for upper, lower in np.argwhere(apart == most):
            for pair in itertools.product(best_colours(upper), best_colours(lower)):
                yield (upper, pair[0]), (lower, pair[1])
        for colour, overlap, second in np.argwhere(overlapping == most):
            for second_colour in best_colours(second):
                yield (second + overlaps[overlap], colour), (second, second_colour)

    return most, pairs()


def _window_sums(values, weight):
    """Sums over what a line at each position of the last axis covers inside the image."""
    size, radius = values.shape[-1], weight // 2
    sums = np.cumsum(values, axis=-1)
    sums = np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=-1)
    centres = np.arange(size)
    first, after = np.maximum(centres - radius, 0), np.minimum(centres + radius + 1, size)
    return sums[..., after] - sums[..., first]
