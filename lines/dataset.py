"""Seed to zip: the images of the sketch, in order, made on all cores."""

import collections
import hashlib
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from lines.archive import ZipWriter
from lines.png import encode_png
from lines.render import check_weight, render
from lines.scene import CALLS_PER_SCENE, COLOURS, ProcessingRandom, random_scene

MAX_SIZE = 4096
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
        ValueError: a `path` that is a folder or not ASCII, no images asked for, a size under 8 or
            above `MAX_SIZE`, a weight that `render` refuses, or more
            distinct pictures than the sketch can draw.
    """
    path = Path(path)
    _check(count, size, weight, allow_duplicates)
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; expected the name of the zip to write")
    if not path.stem.isascii():
        raise ValueError(f"{path}: the name of the zip must be ASCII; rename it afterwards")
    path.parent.mkdir(parents=True, exist_ok=True)
    digits = max(5, len(str(count - 1)))
    seen = Seen()
    written = repeats = 0
    partial = path.with_name(path.name + ".part")
    try:
        with open(partial, "wb") as file:
            archive = ZipWriter(file)
            for png in _pictures(seed, size, weight, count):
                if not allow_duplicates and seen.add(png):
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
    if size > MAX_SIZE:
        raise ValueError(f"size must be at most {MAX_SIZE} pixels, received {size}")
    # Past a quarter of what there is, waiting for new pictures would take ever longer.
    distinct = (size * len(COLOURS)) ** 3 // 4
    if not allow_duplicates and count > distinct:
        raise ValueError(
            f"the sketch has too few pictures of {size} pixels for {count} different ones: ask for "
            f"at most {distinct}, or allow duplicates"
        )


def _pictures(seed: int, size: int, weight: int, expected: int) -> Iterator[bytes]:
    """The sketch's images as PNGs, without end, made ahead by one process per core."""
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


def draw(seed: int, index: int, count: int, size: int, weight: int) -> list[bytes]:
    """PNGs of images `index` to `index + count - 1` after `randomSeed(seed)`."""
    random = ProcessingRandom(seed)
    random.skip(index * CALLS_PER_SCENE)
    scenes = [random_scene(random, size) for _ in range(count)]
    return [encode_png(render(scene, size, weight)) for scene in scenes]


class Seen:
    """Which pictures have been written, in constant memory: a bit for each of 2²⁸ fingerprints.

    No picture passes twice. Two different ones may share a bit, with a chance of 1 in 27,000 for a
    picture among 10,000; then the second is passed over although it is new, which harms nobody.
    """

    _BITS = 28

    def __init__(self):
        self.bits = np.zeros(1 << (self._BITS - 3), np.uint8)

    def add(self, png: bytes) -> bool:
        """Marks a picture; True where it, or its bit, was marked already."""
        digest = hashlib.blake2b(png, digest_size=8).digest()
        byte, bit = divmod(int.from_bytes(digest, "little") >> (64 - self._BITS), 8)
        seen = bool(self.bits[byte] >> bit & 1)
        self.bits[byte] |= 1 << bit
        return seen
