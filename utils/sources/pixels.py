"""Decoded pictures by index: from files, in parallel and cached, or from an array."""

import contextlib
import hashlib
import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm.auto import tqdm

from utils.images import height_and_width, to_channels, to_float, to_uint8
from utils.messages import one_line
from utils.sources.decoding import is_deep, to_rgb
from utils.sources.files import ImageFiles

LARGE_PIXELS = 4 * 1024**2
"""Pictures with more pixels are decoded one at a time, or memory would grow with the cores."""

FINER = 2
"""How many times as many pixels a side has at least that is resampled, of a reduced JPEG."""


class ImageSource:
    """Decoded images by index.

    If all of them fit into `memory_limit`, each is decoded once, in the background from the start,
    and cached as uint8. Otherwise an image is decoded each time it is asked for.

    Args:
        files: the image files.
        size: (height, width) in pixels, or the side of a square; pictures of other sizes are
            cropped and resampled.
        memory_limit: bytes that the decoded images may take.
        channels: 3, or 1 for grey.

    Attributes:
        cache: uint8 (N, H, W, channels); None if the images do not fit.
    """

    def __init__(
        self,
        files: ImageFiles,
        size: int | tuple[int, int],
        memory_limit: int,
        channels: int = 3,
    ):
        self.files = files
        self.name = files.path.name
        self.height, self.width = height_and_width(size)
        self.channels = channels
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._lock = threading.Lock()
        self._large = threading.Lock()
        self._announced = set()
        self._error = None
        shape = (len(files.names), self.height, self.width, channels)
        self.cache = np.empty(shape, np.uint8) if np.prod(shape) <= memory_limit else None
        self._cached = np.zeros(len(self), bool)
        if self.cache is not None:
            indices = itertools.count()
            for _ in range(os.cpu_count()):
                # Daemon threads: the program must not wait for them when it ends.
                threading.Thread(target=self._fill_cache, args=(indices,), daemon=True).start()

    def __len__(self) -> int:
        return len(self.files.names)

    def fingerprint_by(self, rules: int) -> str:
        """Of the files, see `ImageFiles`."""
        return self.files.fingerprint_by(rules)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Images as float32 (n, H, W, channels) in [-1, 1]; raises as `pixels`."""
        return to_float(self.pixels(indices))

    def pixels(self, indices: np.ndarray) -> np.ndarray:
        """The same images as uint8 (n, H, W, channels).

        Raises:
            ValueError: a file does not decode, one of these or one that was decoded in the
                background.
        """
        if self._error:
            raise self._error
        if self.cache is None:
            return np.stack(list(self._pool.map(self._decode, indices)))
        missing = [i for i in indices if not self._cached[i]]
        list(self._pool.map(self._decode_to_cache, missing))
        return self.cache[indices]

    def _fill_cache(self, indices: "itertools.count") -> None:
        try:
            while (i := next(indices)) < len(self):
                if not self._cached[i]:
                    self._decode_to_cache(i)
        except ValueError as error:
            self._error = error

    def _decode_to_cache(self, index: int) -> None:
        self.cache[index] = self._decode(index)
        self._cached[index] = True

    def _decode(self, index: int) -> np.ndarray:
        enough = FINER * max(self.height, self.width)
        with self.files.open(index, enough) as image:
            first_deep = is_deep(image) and not self.files.grey_range
            pixels = None if first_deep else self._pixels(image)
            size = image.size
        if first_deep:  # not above: it opens other files
            self.files.find_grey_range()
            with self.files.open(index, enough) as image:
                pixels = self._pixels(image)
        if size != (self.width, self.height):
            cropped = "cropped to a square" if self.width == self.height else "cropped"
            self._announce(
                f"Images of other sizes are {cropped} and resized to {self.width}×"
                f"{self.height} (the first: {self._name(index)}, {size[0]}×{size[1]})."
            )
        if first_deep:
            self._announce(
                f"Grey of more than 8 bits: {self.files.grey_range} become black to white (the "
                f"first: {self._name(index)})."
            )
        return to_channels(pixels[None], self.channels)[0]

    def _pixels(self, image):
        large = image.width * image.height > LARGE_PIXELS
        with self._large if large else contextlib.nullcontext():
            return to_rgb(image, (self.height, self.width), self.files.grey_range)

    def _name(self, index):
        return one_line(self.files.names[index])

    def _announce(self, text: str) -> None:
        """Prints a text once, of those that begin alike."""
        with self._lock:  # held while printing: nobody gets such an image before the message
            if text[:20] not in self._announced:
                self._announced.add(text[:20])
                tqdm.write(text)


class ArraySource:
    """The images of an array by index.

    Args:
        images: (N, H, W, C), uint8 0…255 or float in [-1, 1].
    """

    name = ""

    def __init__(self, images: np.ndarray):
        self.images = images
        content = np.ascontiguousarray(images)
        self.fingerprint = hashlib.blake2b(content, digest_size=8).hexdigest()

    def fingerprint_by(self, rules: int) -> str:
        """Of the content, by all rules."""
        return self.fingerprint

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Images as float32 (n, H, W, C) in [-1, 1]."""
        images = self.images[indices]
        return to_float(images) if images.dtype == np.uint8 else images.astype(np.float32)

    def pixels(self, indices: np.ndarray) -> np.ndarray:
        """The same images as uint8 (n, H, W, C)."""
        images = self.images[indices]
        return images if images.dtype == np.uint8 else to_uint8(images)
