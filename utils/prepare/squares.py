"""Makes squares of one size from picture files, on all cores and in order."""

import collections
import contextlib
import dataclasses
import functools
import io
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from utils.prepare.lookalikes import Signature, signature
from utils.prepare.reading import Picture, is_film, open_film, pictures
from utils.sources import MAX_PIXELS, ImageFiles, flatten, is_deep, why_undecodable

CROPS = ("center", "fit", "tiles")

_WORKERS = 8  # at most: each may hold a picture of 16 megapixels
_LARGE = 16 * 1024**2  # pixels; larger pictures are decoded one at a time
_MAX_PENDING = 256  # files or frames of films that wait or are being worked on
_MAX_PENDING_BYTES = 256 * 1024**2  # that those may take, approximately
_MAX_FILE_BYTES = 8 * 1024**2  # of squares of one file that are made before their turn
_GREY_SPREAD = 8  # of 255, between the channels of a picture that counts as grey
_LANCZOS = Image.Resampling.LANCZOS


@dataclasses.dataclass(frozen=True)
class Settings:
    """How squares are made from pictures.

    Attributes:
        size: width and height of the squares, pixels.
        crop: one of `CROPS`, see `cut`.
        paper: RGB colour of the padding and of transparent areas.
        grey: one channel instead of three.
        every: use each `every`-th frame of films and animations.

    Raises:
        ValueError: `crop` is not one of `CROPS`.
    """

    size: int = 128
    crop: str = "center"
    paper: tuple[int, int, int] = (255, 255, 255)
    grey: bool = False
    every: int = 1

    def __post_init__(self):
        if self.crop not in CROPS:
            raise ValueError(f"crop must be one of {', '.join(CROPS)}, received {self.crop!r}")


class Square(NamedTuple):
    """One finished square.

    Attributes:
        tile_id: which tile of its picture it is: "r0c2"; empty if it is the only one.
        png: the content of its file.
        signature: what it is compared by.
        colour: the mean, RGB 0…255.
        grey: whether it has no colours.
    """

    tile_id: str
    png: bytes
    signature: Signature
    colour: tuple[int, int, int]
    grey: bool


class Result(NamedTuple):
    """The squares of one picture, or why it could not be read.

    Attributes:
        file_index: of the file that it comes from.
        frame_id: which frame or page of that file it is, see `Picture`.
        width, height: pixels of the original; 0 if it could not be read.
        squares: made from it.
        error: why it, and the rest of its file, could not be read; empty if it could.
    """

    file_index: int
    frame_id: str
    width: int
    height: int
    squares: list[Square]
    error: str


def make_squares(
    files: ImageFiles, settings: Settings, found: Callable[[int], None]
) -> Iterator[list[Result]]:
    """Yields results in the order of the files: of each picture, or of several of one file.

    Works in threads: Pillow releases Python's lock while it decodes, resamples and encodes. Memory
    grows neither with the number of files nor with that of a file's frames or pages.

    Args:
        files: see `utils.prepare.reading.open_source`.
        settings: how squares are made.
        found: is called with the number of pictures by which a film, an animation or a TIFF has
            more than one, an estimate where it is a film; several times for a long animation.
    """
    maker = _SquareMaker(files, settings)
    pool = ThreadPoolExecutor(min(_WORKERS, os.cpu_count() or 1))
    pending = collections.deque()
    jobs = maker.jobs(found)
    try:
        for job, size in jobs:
            pending.append((pool.submit(job), size))
            while len(pending) > _MAX_PENDING or sum(map(_bytes, pending)) > _MAX_PENDING_BYTES:
                yield from _finish(pending.popleft()[0], found)
        while pending:
            yield from _finish(pending.popleft()[0], found)
    finally:
        jobs.close()  # which ends ffmpeg
        pool.shutdown(cancel_futures=True)


def _bytes(job: tuple[Future, int]) -> int:
    """Bytes of a frame that waits, or of the files made from it."""
    future, size = job
    return sum(map(_png_bytes, future.result().results)) if future.done() else size


def _png_bytes(result: Result) -> int:
    return sum(len(square.png) for square in result.squares)


def _finish(future, found):
    """Yields the results of a job, and then those that it left for when its turn came."""
    made = future.result()
    found(len(made.results) - 1)
    yield made.results
    if made.rest:
        # Closed in any case: it may hold the lock that a thread of the pool waits for.
        with contextlib.closing(made.rest()) as rest:
            for _, result in rest:
                found(1)
                yield [result]


class _Made(NamedTuple):
    """What a job made, and what makes the rest of its file, as `_SquareMaker.pictures` does."""

    results: list[Result]
    rest: Callable[[], Iterator[tuple[int, Result]]] | None = None


class _SquareMaker:
    def __init__(self, files, settings):
        self.files = files
        self.settings = settings
        self.large = threading.Lock()

    def jobs(self, found):
        """Yields functions that return a `_Made`, each with the bytes that it holds."""
        for index, name in enumerate(self.files.names):
            if not is_film(name):
                yield functools.partial(self.file, index), 0
                continue
            try:
                with open_film(self.files, index, self.settings.every) as (estimate, frames):
                    found(max(0, estimate - 1))
                    for frame in frames:
                        size = len(frame.image.mode) * frame.width * frame.height
                        yield functools.partial(self.frame, index, frame), size
            except Exception as error:
                yield functools.partial(_Made, [_failed(index, "", error)]), 0

    def file(self, index):
        """The results of a file that Pillow reads, with its frames or pages.

        The later ones of many are left: their squares would wait in memory for their turn.
        """
        results, held = [], 0
        with contextlib.closing(self.pictures(index, 0)) as made:
            for number, result in made:
                if held > _MAX_FILE_BYTES:
                    return _Made(results, functools.partial(self.pictures, index, number))
                results.append(result)
                held += _png_bytes(result)
        return _Made(results)

    def pictures(self, index, first):
        """Yields (number, result) of the frames or pages of a file, from number `first` on."""
        number, found = first, False
        try:
            for picture in self._opened(index, first):
                number, found = picture.number, True
                yield number, self._result(index, picture)
            if not found:
                raise ValueError("no picture in it, only smaller copies")
        except Exception as error:  # Pillow's decoders and zipfile raise a dozen different types
            yield number, _failed(index, "", error)

    def _opened(self, index, first):
        s, left = self.settings, first
        # Twice the size: a JPEG decoded to that and resampled looks like one resampled from all.
        needed = None if s.crop == "tiles" else 2 * s.size
        while left is not None:
            with self.files.content(index) as content:
                for picture in pictures(content, s.every, needed, left):
                    left = picture.number
                    if is_deep(picture.image) and not self.files.grey_range:
                        break
                    yield picture
                else:
                    left = None
            if left is not None:
                self.files.find_grey_range()  # not above: it opens other files

    def frame(self, index, picture):
        """The result of one frame of a film."""
        try:
            return _Made([self._result(index, picture)])
        except Exception as error:
            return _Made([_failed(index, picture.frame_id, error)])

    def _result(self, index, picture: Picture):
        image = picture.image
        large = image.width * image.height > _LARGE
        with self.large if large else contextlib.nullcontext():
            tiles = cut(self._flat(image), self.settings)
            squares = [self._square(tile_id, tile) for tile_id, tile in tiles]
        return Result(index, picture.frame_id, picture.width, picture.height, squares, "")

    def _flat(self, image):
        return flatten(image, self.settings.paper, self.files.grey_range)

    def _square(self, tile_id, image):
        pixels = np.asarray(image)
        spread = pixels.max(axis=2) - pixels.min(axis=2)
        colour = tuple(int(channel) for channel in pixels.mean(axis=(0, 1)).round())
        grey = bool(spread.max() <= _GREY_SPREAD)
        if self.settings.grey:
            image = image.convert("L")
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=6)
        return Square(tile_id, file.getvalue(), signature(image), colour, grey)


def _failed(index, frame_id, error):
    return Result(index, frame_id, 0, 0, [], why_undecodable(error))


def cut(image: Image.Image, settings: Settings) -> Iterator[tuple[str, Image.Image]]:
    """Yields the squares of an RGB picture, each with its `tile_id`.

    `settings.crop` says how:
    `center`: the largest square in the middle, resampled.
    `fit`: the whole picture, resampled, with padding of the colour `settings.paper`.
    `tiles`: squares side by side, row by row, as many as fit, centred, without resampling; a
    picture too small for one tile is enlarged.

    Yields:
        `("", square)`, or `("r0c2", square)` for the tile in row 0 and column 2.

    Raises:
        ValueError: a strip so narrow that, enlarged for tiles, it would fill the memory.
    """
    size = settings.size
    if settings.crop == "center":
        yield "", ImageOps.fit(image, (size, size), _LANCZOS)
    elif settings.crop == "fit":
        yield "", _pad(image, size, settings.paper)
    else:
        yield from _tiles(image, size)


def enlarges(width: int, height: int, settings: Settings) -> bool:
    """Whether a picture of this size has fewer pixels than its square."""
    return (max if settings.crop == "fit" else min)(width, height) < settings.size


def _pad(image, size, paper):
    # Not ImageOps.pad, which fails on a picture one pixel wide: its height would be 0.
    fitted = [max(1, round(side * size / max(image.size))) for side in image.size]
    square = Image.new("RGB", (size, size), paper)
    square.paste(image.resize(fitted, _LANCZOS), [(size - side) // 2 for side in fitted])
    return square


def _tiles(image, size):
    if min(image.size) < size:
        enlarged = [round(side * size / min(image.size)) for side in image.size]
        if enlarged[0] * enlarged[1] > MAX_PIXELS:
            raise ValueError(f"{image.width}×{image.height} pixels, too narrow for tiles of {size}")
        image = image.resize(enlarged, _LANCZOS)
    columns, rows = image.width // size, image.height // size
    left, top = (image.width - columns * size) // 2, (image.height - rows * size) // 2
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * size, top + row * size
            yield f"r{row}c{column}", image.crop((x, y, x + size, y + size))
