"""Seed to zip: the images of the sketch, in order, drawn on all cores."""

import collections
import contextlib
import hashlib
import math
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from lines.png import encode_png
from lines.render import check_weight, render
from lines.scene import CALLS_PER_SCENE, COLOURS, ProcessingRandom, random_scene

MAX_SIZE = 4096
_CHUNK = 256
"""Images per task: enough to make the cost of passing them between processes small."""


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

    The same arguments give the same bytes on any machine. The zip is written to `<path>.part` and
    moved to `path` when it is complete. Memory grows by about 0.5 kB per image, for its entry in
    the zip's directory and for the digest that finds repeats.

    Args:
        path: the zip. Its images are in one folder named after it (`output/00000.png` …).
        count: number of images.
        seed: as given to Processing's `randomSeed`.
        size: width and height in pixels.
        weight: stroke weight in pixels, see `render`.
        allow_duplicates: keep an image that equals an earlier one, as the sketch itself does.
        progress: called after every 256 images, and at the end, with the number written so far.

    Returns:
        the number of repeats that were skipped.

    Raises:
        ValueError: `path` is a folder or its name is not ASCII; `count` is under 1 or above what
            the sketch can draw without repeats; `size` is under 8 or above `MAX_SIZE`; `render`
            refuses `weight`.
        OSError: the disk is full, or the folder is read-only or gone.
    """
    path = Path(path)
    _check(count, size, weight, allow_duplicates)
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; expected the name of the zip to write")
    if not path.stem.isascii():
        raise ValueError(f"{path}: the name of the zip must be ASCII; rename it afterwards")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    try:
        with open(partial, "wb") as file:
            with (
                zipfile.ZipFile(file, "w") as archive,
                contextlib.closing(_endless_pngs(seed, size, weight, count)) as pngs,
            ):
                repeats = _add_all(archive, path.stem, pngs, count, allow_duplicates, progress)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"{path} could not be written ({reason}); nothing was replaced") from error
    finally:
        partial.unlink(missing_ok=True)
    progress(count)
    return repeats


def _add_all(
    archive: zipfile.ZipFile,
    folder: str,
    pngs: Iterator[bytes],
    count: int,
    allow_duplicates: bool,
    progress: Callable[[int], None],
) -> int:
    """Adds the first `count` images of `pngs`; returns how many repeats it skipped."""
    digits = max(5, len(str(count - 1)))
    digests = set()
    written = repeats = 0
    while written < count:
        png = next(pngs)
        if not allow_duplicates:
            # 128 bits: two images of a billion share a digest with a chance of 1 in 10^21.
            digest = hashlib.blake2b(png, digest_size=16).digest()
            if digest in digests:
                repeats += 1
                continue
            digests.add(digest)
        _add(archive, f"{folder}/{written:0{digits}}.png", png)
        written += 1
        if written % _CHUNK == 0:
            progress(written)
    return repeats


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Stores `data` with a fixed date (1980-01-01), and nothing that differs between systems."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 0
    archive.writestr(entry, data)
    # `writestr` replaces 0 by the permissions rw-------. The zip's directory, which is the only
    # place that holds them, is written when the zip is closed.
    entry.external_attr = 0


def _check(count: int, size: int, weight: int, allow_duplicates: bool) -> None:
    check_weight(weight)
    if count < 1:
        raise ValueError(f"count must be at least 1, received {count}")
    if size < 8:
        raise ValueError(f"size must be at least 8 pixels, received {size}")
    if size > MAX_SIZE:
        raise ValueError(f"size must be at most {MAX_SIZE} pixels, received {size}")
    # The order of two horizontal lines that do not touch is not visible, so there are about half as
    # many pictures as scenes. Above half of these, most images would be repeats.
    distinct = (size * len(COLOURS)) ** 3 // 4
    if not allow_duplicates and count > distinct:
        raise ValueError(
            f"the sketch has too few pictures of {size} pixels for {count} different ones: ask for "
            f"at most {distinct}, or allow duplicates"
        )


def _endless_pngs(seed: int, size: int, weight: int, expected: int) -> Iterator[bytes]:
    """The sketch's images as PNGs, without end, drawn ahead by one process per core.

    The number of images that is `expected` decides how many processes are worth their start.
    """
    workers = min(os.cpu_count() or 1, math.ceil(expected / (4 * _CHUNK)))
    if workers == 1:  # in this process
        index = 0
        while True:
            yield from draw_pngs(seed, index, _CHUNK, size, weight)
            index += _CHUNK
    pool = ProcessPoolExecutor(workers)
    try:
        index, tasks = 0, collections.deque()
        while True:
            while len(tasks) < 2 * workers:
                tasks.append(pool.submit(draw_pngs, seed, index, _CHUNK, size, weight))
                index += _CHUNK
            yield from tasks.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def draw_pngs(seed: int, index: int, count: int, size: int, weight: int) -> list[bytes]:
    """PNGs of images `index` to `index + count - 1` after `randomSeed(seed)`."""
    random = ProcessingRandom(seed)
    random.skip(index * CALLS_PER_SCENE)
    scenes = [random_scene(random, size) for _ in range(count)]
    return [encode_png(render(scene, size, weight)) for scene in scenes]
