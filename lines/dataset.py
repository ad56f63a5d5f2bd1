"""Seed to zip: the images of the sketch, in order, made on all cores."""

import collections
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from lines.archive import ZipWriter
from lines.png import encode_png
from lines.render import check_weight, render
from lines.scene import CALLS_PER_SCENE, COLOURS, Line, ProcessingRandom, Scene, random_scene

_CHUNK = 256
"""Images per task: long enough to hide the cost of passing them between processes."""


def write_zip(
    path: str | os.PathLike,
    count: int = 10_000,
    seed: int = 0,
    size: int = 128,
    weight: int = 5,
    allow_duplicates: bool = False,
    progress: Callable[[int], None] = lambda written: None,
) -> int:
    """Writes what the sketch draws after `randomSeed(seed)` as a zip of RGB PNGs.

    The same arguments give the same bytes, on any machine. The file appears under its name only
    when it is complete; memory does not grow with `count`.

    Args:
        path: the zip; its images lie in one folder named after it (`output/00000.png` …).
        count: how many images.
        seed: as given to Processing's `randomSeed`.
        size: width and height in pixels.
        weight: stroke weight in pixels, see `render`.
        allow_duplicates: keep a picture that has already been drawn, as the sketch itself does.
        progress: called now and then with the number of images written so far.

    Returns:
        the number of repeated pictures that were passed over.

    Raises:
        ValueError: no images asked for, a size under 8, a weight that `render` refuses, or more
            distinct pictures than the sketch can draw.
    """
    path = Path(path)
    _check(count, size, weight, allow_duplicates)
    path.parent.mkdir(parents=True, exist_ok=True)
    digits = max(5, len(str(count - 1)))
    seen = Seen(size, weight)
    written = repeats = 0
    partial = path.with_name(path.name + ".part")
    try:
        with open(partial, "wb") as file:
            archive = ZipWriter(file)
            for scene, png in _pictures(seed, size, weight, count):
                if not allow_duplicates and seen.add(scene):
                    repeats += 1
                    continue
                archive.write(f"{path.stem}/{written:0{digits}}.png", png)
                written += 1
                if written % _CHUNK == 0:
                    progress(written)
                if written == count:
                    break
            archive.close()
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    progress(written)
    return repeats


def _check(count: int, size: int, weight: int, allow_duplicates: bool) -> None:
    check_weight(weight)
    if count < 1:
        raise ValueError(f"count must be at least 1, received {count}")
    if size < 8:
        raise ValueError(f"size must be at least 8 pixels, received {size}")
    # Past a quarter of what there is, waiting for new pictures would take ever longer.
    distinct = (size * len(COLOURS)) ** 3 // 4
    if not allow_duplicates and count > distinct:
        raise ValueError(
            f"the sketch has too few pictures of {size} pixels for {count} different ones: ask for "
            f"at most {distinct}, or allow duplicates"
        )


def _pictures(seed: int, size: int, weight: int, expected: int) -> Iterator[tuple[Scene, bytes]]:
    """The sketch's scenes and their PNGs without end, made ahead by one process per core."""
    workers = min(os.cpu_count() or 1, math.ceil(expected / (4 * _CHUNK)))
    if workers == 1:  # not worth the start of another process
        index = 0
        while True:
            yield from draw(seed, index, _CHUNK, size, weight)
            index += _CHUNK
    pool = ProcessPoolExecutor(workers)
    try:
        index, waiting = 0, collections.deque()
        while True:
            while len(waiting) < 2 * workers:
                waiting.append(pool.submit(draw, seed, index, _CHUNK, size, weight))
                index += _CHUNK
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def draw(seed: int, index: int, count: int, size: int, weight: int) -> list[tuple[Scene, bytes]]:
    """Scenes and PNGs of images `index` to `index + count - 1` after `randomSeed(seed)`."""
    random = ProcessingRandom(seed)
    random.skip(index * CALLS_PER_SCENE)
    scenes = [random_scene(random, size) for _ in range(count)]
    return [(scene, encode_png(render(scene, size, weight))) for scene in scenes]


class Seen:
    """Which pictures have been drawn: one bit for each that there can be (16 MiB at 128 pixels)."""

    def __init__(self, size: int, weight: int):
        self.size, self.weight = size, weight
        self.bits = np.zeros((size * len(COLOURS)) ** 3 // 8 + 1, np.uint8)

    def add(self, scene: Scene) -> bool:
        """Marks the picture of a scene; True where it stood there already."""
        key = 0
        for line in self.ordered(scene):
            key = (key * self.size + math.floor(line.position)) * len(COLOURS) + line.colour
        byte, bit = key >> 3, 1 << (key & 7)
        seen = bool(self.bits[byte] & bit)
        self.bits[byte] |= bit
        return seen

    def ordered(self, scene: Scene) -> Scene:
        """One scene for all that look the same, so that different ones never look the same.

        Two horizontal lines are sorted where their order cannot be seen, because they share no row
        or have one colour; a line that the other hides is replaced by that other. What little a
        hidden line can still change, a few levels in the two pixels of a cap, does not count.
        """
        vertical, below, above = scene
        near = abs(math.floor(below.position) - math.floor(above.position)) <= self.weight
        if below.colour == above.colour or not near:
            below, above = sorted((below, above), key=lambda line: line.position)
        if near and self._hides(above, below):
            below = above
        elif near and below.colour == above.colour and self._hides(below, above):
            above = below
        return vertical, below, above

    def _hides(self, above: Line, below: Line) -> bool:
        """Whether every row of `below` is a row that `above` covers in full."""
        reach = self.weight // 2
        solid = reach if self.weight % 2 else reach - 1
        top, bottom = (math.floor(below.position) + sign * reach for sign in (-1, 1))
        centre = math.floor(above.position)
        return centre - solid <= max(0, top) and min(self.size - 1, bottom) <= centre + solid
