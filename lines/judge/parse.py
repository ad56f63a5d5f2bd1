"""Pixels to scene, the inverse of `render`: the scene that explains an image best."""

import contextlib
import itertools
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from lines.render import render
from lines.scene import COLOURS, Line, Scene

TOLERANCE = 64
"""Of 255: a pixel is explained where its worst channel is this near to the rendering."""

# _NEAR[channel, value] has bit i set where entry i of the palette, black first, is that near. No
# two entries are so near to each other, so the three channels together leave one bit or none.
_PALETTE = np.array([(0, 0, 0), *COLOURS])
_NEAR = np.zeros((3, 256), np.uint8)
for _i, _entry in enumerate(_PALETTE):
    _NEAR |= (np.abs(_entry[:, None] - np.arange(256)) <= TOLERANCE).astype(np.uint8) << _i

_CHUNK = 64
"""Images per task of a process."""

_MOST_TIES = 64
"""How many scenes that explain equally many pixels are told apart by their smaller differences."""


def parse(image: np.ndarray, weight: int = 5) -> tuple[Scene, float]:
    """The scene of one vertical and two horizontal lines whose rendering is most like an image.

    Analysis by synthesis: of all scenes, the one that leaves the fewest pixels unexplained, judged
    by the pure colours of its lines. Scenes that leave equally many, as where one horizontal line
    hides another, are told apart by the sum of absolute differences. So for an image of the sketch
    `render(scene)` is the image itself, pixel for pixel; what it hides, nobody knows.

    Args:
        image: uint8 (size, size, 3), RGB.
        weight: stroke weight in pixels, odd; even ones have half-covered pixels of no pure colour.

    Returns:
        the scene, positions whole and lines that do not touch from top to bottom; and e, the share
        of pixels whose worst channel differs from its rendering by more than `TOLERANCE`.

    Raises:
        ValueError: an even weight, or an array that is no square RGB image.
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


def parse_all(images: np.ndarray, weight: int = 5) -> tuple[list[Scene], np.ndarray]:
    """`parse` of many images, uint8 (n, size, size, 3), on all cores.

    Returns the scenes and their residuals, float64 (n,).
    """
    chunks = [images[i : i + _CHUNK] for i in range(0, len(images), _CHUNK)]
    workers = min(os.cpu_count() or 1, len(images) // (4 * _CHUNK))
    parsed = None
    if workers > 1:
        # Not forked: by now a framework may have started threads, which a fork would lose.
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
        # Broken where a script does not guard its main part, and so cannot be started anew.
        with contextlib.suppress(BrokenProcessPool), pool:
            parsed = list(pool.map(_parse_chunk, chunks, itertools.repeat(weight)))
    if parsed is None:
        parsed = [_parse_chunk(chunk, weight) for chunk in chunks]
    found = [one for chunk in parsed for one in chunk]
    return [scene for scene, _ in found], np.array([residual for _, residual in found])


def _parse_chunk(images, weight):
    return [parse(image, weight) for image in images]


def _best_scenes(image, weight):
    """The scenes that explain the most pixels, all of them with one vertical line."""
    near = _NEAR[0][image[..., 0]] & _NEAR[1][image[..., 1]] & _NEAR[2][image[..., 2]]
    match = np.array([(near >> i) & 1 for i in range(len(_PALETTE))], np.int32)
    # match is (palette, rows, columns). What a row explains as a piece of a horizontal line,
    # (colours, rows), and what it does with a vertical line across it and black beside it,
    # (colours, positions, rows).
    along = match[1:].sum(axis=2)
    across = match[0].sum(axis=1) + _windows(match[1:] - match[0], weight).transpose(0, 2, 1)
    most, found = -1, []
    bounds = _bounds(along, across, weight)
    for index in np.argsort(-bounds, axis=None, kind="stable"):
        if bounds.flat[index] <= most:
            break
        colour, position = np.unravel_index(index, bounds.shape)
        stripes = across[colour, position]
        explained, pairs = _best_pairs(along - stripes, weight)
        if stripes.sum() + explained > most:
            most = stripes.sum() + explained
            found = (Line("vertical", float(position), int(colour)), pairs)
    vertical, pairs = found
    for (first, first_colour), (second, second_colour) in pairs:
        yield (
            vertical,
            Line("horizontal", float(first), int(first_colour)),
            Line("horizontal", float(second), int(second_colour)),
        )


def _bounds(along, across, weight):
    """For each vertical line (colours, positions), no fewer pixels than its best scene explains.

    The upper line of a pair gains what its window of rows does, the one beneath at most what the
    rows of some window do that are better for it.
    """
    gains = along.max(axis=0) - across  # (colours, positions, rows)
    upper = _windows(gains, weight).max(axis=-1)
    return across.sum(axis=-1) + upper + _windows(np.maximum(gains, 0), weight).max(axis=-1)


def _best_pairs(gains, weight):
    """The most that two horizontal lines gain, and all pairs that do, in drawing order.

    Args:
        gains: (colours, rows), what a row explains more as a piece of a line than without one.

    Returns:
        the gain, and an iterator of pairs of (position, colour).
    """
    size = gains.shape[1]
    whole = _windows(gains, weight)  # (colours, positions)
    best = whole.max(axis=0)
    apart = np.where(np.tri(size, k=-weight, dtype=bool).T, best[:, None] + best, -(1 << 30))
    # Where they overlap, of the first only the rows that the second leaves are seen.
    starts = np.arange(size) - weight // 2
    sums = np.pad(np.cumsum(gains, axis=1), ((0, 0), (1, 0)))
    overlaps = np.arange(1 - weight, weight)  # first position minus second
    seen_from = np.where(overlaps > 0, weight, overlaps)[:, None] + starts
    seen_to = np.where(overlaps > 0, weight + overlaps, 0)[:, None] + starts
    rest = sums[:, seen_to.clip(0, size)] - sums[:, seen_from.clip(0, size)]
    first = overlaps[:, None] + np.arange(size)
    rest[:, (first < 0) | (first >= size)] = -(1 << 30)
    # (first's colour, overlap, second's position), whatever the second's colour
    over = rest + best
    most = max(apart.max(), over.max())

    def colours(position):
        return np.flatnonzero(whole[:, position] == best[position])

    def pairs():
        for upper, lower in np.argwhere(apart == most):
            for pair in itertools.product(colours(upper), colours(lower)):
                yield (upper, pair[0]), (lower, pair[1])
        for colour, overlap, second in np.argwhere(over == most):
            for second_colour in colours(second):
                yield (second + overlaps[overlap], colour), (second, second_colour)

    return most, pairs()


def _windows(values, weight):
    """Sums over the strips of a line at each position of the last axis, cut off at the borders."""
    size, radius = values.shape[-1], weight // 2
    sums = np.cumsum(values, axis=-1)
    sums = np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=-1)
    centres = np.arange(size)
    first, after = np.maximum(centres - radius, 0), np.minimum(centres + radius + 1, size)
    return sums[..., after] - sums[..., first]
