"""Files to squares of one size, on all cores and in order."""

import collections
import contextlib
import functools
import io
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from utils.images import flatten
from utils.prepare.lookalikes import Look, look
from utils.prepare.reading import OneFile, Picture, film, is_film, pictures, reason
from utils.sources import MAX_PIXELS, ImageFiles

_WORKERS = 8  # at most: each may hold a picture of 16 megapixels
_LARGE = 16 * 1024**2  # pixels; larger pictures are decoded one at a time
_AHEAD = 256  # files or frames of films that are under way
_HELD = 256 * 1024**2  # bytes that those may take, about
_COLOURLESS = 8  # of 255, between the channels of a picture that counts as grey


class Settings(NamedTuple):
    """What the pictures are made into.

    Attributes:
        size: of the squares, pixels.
        crop: one of `utils.prepare.squares.CROPS`.
        paper: RGB, what transparency and padding get.
        grey: one channel in place of three.
        every: of films and animations, take every so many-th frame.
    """

    size: int = 128
    crop: str = "center"
    paper: tuple[int, int, int] = (255, 255, 255)
    grey: bool = False
    every: int = 1


class Square(NamedTuple):
    """A picture that is ready.

    Attributes:
        mark: tells it from the others of its picture; empty where there are none.
        png: the file.
        look: what it is compared by.
        colour: the mean, RGB 0…255.
        grey: whether it is without colours.
    """

    mark: str
    png: bytes
    look: Look
    colour: tuple[int, int, int]
    grey: bool


class Done(NamedTuple):
    """What became of one picture.

    Attributes:
        file: number of the file that it comes from.
        mark: tells it from the other frames or pages of that file; empty where there are none.
        width, height: pixels that it had; 0 where it could not be read.
        squares: what was made of it.
        fault: why it, and what would follow it in its file, could not be read; or empty.
    """

    file: int
    mark: str
    width: int
    height: int
    squares: list[Square]
    fault: str


def work(
    files: ImageFiles | OneFile, settings: Settings, expected: Callable[[int], None]
) -> Iterator[list[Done]]:
    """What becomes of every file, in order; a frame of a film counts as a file.

    Threads do the work: Pillow lets go of Python's lock where it decodes, resamples and encodes.
    Memory does not grow with the number of files.

    Args:
        files: see `utils.prepare.reading.open_source`.
        settings: what the pictures are made into.
        expected: called with the number of pictures that a film has, about, when its turn comes.
    """
    maker = _Maker(files, settings)
    pool = ThreadPoolExecutor(min(_WORKERS, os.cpu_count() or 1))
    waiting = collections.deque()
    jobs = maker.jobs(expected)
    try:
        for job, size in jobs:
            waiting.append((pool.submit(job), size))
            while len(waiting) > _AHEAD or sum(map(_held, waiting)) > _HELD:
                yield waiting.popleft()[0].result()
        while waiting:
            yield waiting.popleft()[0].result()
    finally:
        jobs.close()  # and with it ffmpeg
        pool.shutdown(cancel_futures=True)


def _held(job: tuple[Future, int]) -> int:
    """Bytes of a frame that waits, or of the files made of it."""
    future, size = job
    if not future.done():
        return size
    return sum(len(square.png) for done in future.result() for square in done.squares)


class _Maker:
    def __init__(self, files, settings):
        self.files = files
        self.settings = settings
        self.large = threading.Lock()

    def jobs(self, expected):
        """Yields functions that give lists of `Done`, each with the bytes that it holds."""
        for index, name in enumerate(self.files.names):
            if not is_film(name):
                yield functools.partial(self.file, index), 0
                continue
            try:
                with contextlib.closing(film(self.files, index, self.settings.every)) as frames:
                    expected(next(frames))
                    for frame in frames:
                        size = 3 * frame.width * frame.height
                        yield functools.partial(self.frame, index, frame), size
            except Exception as error:
                yield functools.partial(_failed, index, "", error), 0

    def file(self, index):
        """What becomes of a file that Pillow reads, with all its frames or pages."""
        done, s = [], self.settings
        # Twice what is needed: what is resampled from a fraction of a JPEG looks the same.
        needed = None if s.crop == "tiles" else 2 * s.size
        try:
            for picture in pictures(self.files.read(index), s.every, needed):
                done.append(self._done(index, picture))
        except Exception as error:  # Pillow's decoders and zipfile raise a dozen different types
            done += _failed(index, "", error)
        return done or _failed(index, "", ValueError("no picture in it, only reduced copies"))

    def frame(self, index, picture):
        """What becomes of a frame of a film."""
        try:
            return [self._done(index, picture)]
        except Exception as error:
            return _failed(index, picture.mark, error)

    def _done(self, index, picture: Picture):
        s, image = self.settings, picture.image
        large = image.width * image.height > _LARGE
        with self.large if large else contextlib.nullcontext():
            made = squares(flatten(image, s.paper), s.size, s.crop, s.paper)
            made = [self._square(mark, square) for mark, square in made]
        return Done(index, picture.mark, picture.width, picture.height, made, "")

    def _square(self, mark, image):
        pixels = np.asarray(image)
        spread = pixels.max(axis=2) - pixels.min(axis=2)
        colour = tuple(int(channel) for channel in pixels.mean(axis=(0, 1)).round())
        grey = bool(spread.max() <= _COLOURLESS)
        if self.settings.grey:
            image = image.convert("L")
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=6)
        return Square(mark, file.getvalue(), look(image), colour, grey)


def _failed(index, mark, error):
    return [Done(index, mark, 0, 0, [], reason(error))]


CROPS = ("center", "fit", "tiles")

_LANCZOS = Image.Resampling.LANCZOS


def squares(
    image: Image.Image, size: int, crop: str, paper: tuple[int, int, int]
) -> Iterator[tuple[str, Image.Image]]:
    """Squares of an RGB picture, each with a mark that tells it from the others of the picture.

    Args:
        image: of any width and height.
        size: of the squares, pixels.
        crop: `center`: the largest square around the centre, resampled; `fit`: the whole picture,
            resampled, on paper; `tiles`: as many squares side by side as there is room for, around
            the centre and in the picture's own pixels (a picture too small for one is enlarged),
            row by row.
        paper: the colour around a picture that does not fill its square.

    Yields:
        `("", square)`, or `("r0c2", square)` for the tile in row 0 and column 2.

    Raises:
        ValueError: a strip so narrow that, enlarged for tiles, it would fill the memory.
    """
    if crop == "center":
        yield "", ImageOps.fit(image, (size, size), _LANCZOS)
    elif crop == "fit":
        yield "", _on_paper(image, size, paper)
    else:
        yield from _tiles(image, size)


def enlarges(width: int, height: int, size: int, crop: str) -> bool:
    """Whether a picture has fewer pixels than its square wants."""
    return (max if crop == "fit" else min)(width, height) < size


def _on_paper(image, size, paper):
    # ImageOps.pad asks for a height of 0 where a picture is a mere line.
    wanted = [max(1, round(side * size / max(image.size))) for side in image.size]
    square = Image.new("RGB", (size, size), paper)
    square.paste(image.resize(wanted, _LANCZOS), [(size - side) // 2 for side in wanted])
    return square


def _tiles(image, size):
    if min(image.size) < size:
        wanted = [round(side * size / min(image.size)) for side in image.size]
        if wanted[0] * wanted[1] > MAX_PIXELS:
            raise ValueError(f"{image.width}×{image.height} pixels, too narrow for tiles of {size}")
        image = image.resize(wanted, _LANCZOS)
    columns, rows = image.width // size, image.height // size
    left, top = (image.width - columns * size) // 2, (image.height - rows * size) // 2
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * size, top + row * size
            yield f"r{row}c{column}", image.crop((x, y, x + size, y + size))
