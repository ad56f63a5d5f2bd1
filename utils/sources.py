"""A zip or a folder of pictures as an indexed source of pixels: decoded in parallel and cached."""

import contextlib
import functools
import hashlib
import itertools
import os
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from utils.images import (
    open_picture,
    to_channels,
    to_float,
    to_rgb,
    to_uint8,
    why_undecodable,
)
from utils.messages import count, one_line

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
MAX_FILE_BYTES = 256 * 1024**2
LARGE_BYTES = 16 * 1024**2
"""Files with more bytes are read one at a time; see `LARGE_PIXELS`."""
LARGE_PIXELS = 4 * 1024**2
"""Pictures with more pixels are decoded one at a time, or memory would grow with the cores."""


def read_file(path: str | os.PathLike) -> bytes:
    """The bytes of a file, at most 256 MiB.

    Raises:
        ValueError: the file is larger, or no file but a pipe or a device, which might never end.
        OSError: it is not there or cannot be read.
    """
    size = os.stat(path).st_size
    if not Path(path).is_file():
        raise ValueError("not a file")
    if size > MAX_FILE_BYTES:
        raise ValueError(f"{size} bytes, more than {MAX_FILE_BYTES}")
    return Path(path).read_bytes()


class ImageFiles:
    """The image files of a zip or a folder, sorted by name. A zip is never unpacked to disk.

    Args:
        path: a `.zip`, or a folder that may contain folders.
        suffixes: file names with one of these suffixes, given in lower case, count as images.
        lenient: an entry of a zip that is too large raises an error only when it is read.

    Attributes:
        names: path of each image inside the zip or folder.
        skipped: names of files that are not images (`__MACOSX`, `.DS_Store`, text).
        fingerprint: 16 hexadecimal digits of names and checksums (zip) or sizes (folder).

    Raises:
        FileNotFoundError: there is no file or folder at `path`.
        ValueError: not a zip, no images in it, or an entry that unpacks to more than 256 MiB.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        suffixes: tuple[str, ...] = SUFFIXES,
        lenient: bool = False,
    ):
        self.path = Path(path)
        self._large = threading.Lock()
        if not self.path.exists():
            raise FileNotFoundError(
                f"{path}: no such file or folder; expected a zip or a folder of images"
            )
        if not (self.path.is_dir() or self.path.is_file()):
            raise ValueError(f"{path}: a pipe or a device; expected a zip or a folder of images")
        self.archive = None if self.path.is_dir() else self._open_zip()
        checksums = self._checksums() if self.archive else self._sizes()
        self.names = sorted(name for name in checksums if _is_image(name, suffixes))
        self.skipped = sorted(name for name in checksums if not _is_image(name, suffixes))
        if not self.names:
            raise ValueError(
                f"{path}: no images among its {count(len(checksums), 'file')}; "
                f"expected {', '.join(suffixes)}"
            )
        if self.archive and not lenient:
            for name in self.names:
                self._refuse_bomb(self.archive.getinfo(name))
        listed = "".join(f"{name}/{checksums[name]}\n" for name in self.names)
        self.fingerprint = hashlib.blake2b(
            listed.encode(errors="surrogateescape"), digest_size=8
        ).hexdigest()

    @contextlib.contextmanager
    def content(self, index: int) -> Iterator[bytes]:
        """The bytes of one file, at most 256 MiB, for the block; for any number of threads.

        Of files of more than 16 MiB one is in memory at a time, whatever the number of threads.
        """
        name = self.names[index]
        if self.archive:
            entry = self.archive.getinfo(name)
            self._refuse_bomb(entry)
            size, read = entry.file_size, functools.partial(self.archive.read, name)
        else:
            path = self.path / name
            size, read = path.stat().st_size, functools.partial(read_file, path)
        with self._large if size > LARGE_BYTES else contextlib.nullcontext():
            yield read()

    @contextlib.contextmanager
    def open(self, index: int) -> Iterator[Image.Image]:
        """Opens one image, to be decoded inside the block; safe to use from several threads.

        Raises:
            ValueError: reading or decoding failed, also inside the block; the message names the
                file.
        """
        try:
            with self.content(index) as content, open_picture(content) as image:
                yield image
        except Exception as error:  # Pillow's decoders and zipfile raise a dozen different types
            raise ValueError(
                f"{self.path}: {one_line(self.names[index])} does not decode (image {index + 1} "
                f"of {len(self.names)}): {why_undecodable(error)}; remove or replace it"
            ) from error

    def _open_zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except OSError:
            raise
        except Exception as error:  # a damaged zip makes zipfile raise many different types
            raise ValueError(
                f"{self.path}: not a zip ({one_line(error)}); expected a zip or a folder of images"
            ) from error

    def _checksums(self) -> dict[str, int]:
        """CRC-32 of each file of the zip by its name."""
        # Without ZipInfo.is_dir(), which fails on an empty name.
        entries = self.archive.infolist()
        return {entry.filename: entry.CRC for entry in entries if not entry.filename.endswith("/")}

    def _sizes(self) -> dict[str, int]:
        """Bytes of each file of the folder by its path in the folder."""
        files = [file for file in self.path.rglob("*") if file.is_file()]
        return {file.relative_to(self.path).as_posix(): file.stat().st_size for file in files}

    def _refuse_bomb(self, entry: zipfile.ZipInfo) -> None:
        # Reading never returns more than the declared size, so checking the declaration is enough.
        # The packed size is checked too: zipfile asks for that much memory even if it is a lie.
        for verb, size in (("unpack to", entry.file_size), ("take", entry.compress_size)):
            if size > MAX_FILE_BYTES:
                raise ValueError(
                    f"{self.path}: {one_line(entry.filename)} would {verb} {size} bytes; "
                    f"at most {MAX_FILE_BYTES} are allowed for one image"
                )


def _is_image(name: str, suffixes: tuple[str, ...]) -> bool:
    # String methods: with Path, a million names would take half a minute.
    hidden = name.startswith((".", "__MACOSX")) or "/." in name or "/__MACOSX" in name
    return not hidden and name.lower().endswith(suffixes)


class ImageSource:
    """Decoded images by index.

    If all of them fit into `memory_limit`, each is decoded once, in the background from the start,
    and cached as uint8. Otherwise an image is decoded each time it is asked for.

    Args:
        files: the image files.
        size: width and height in pixels; pictures of other sizes are cropped and resampled.
        memory_limit: bytes that the decoded images may take.
        channels: 3, or 1 for grey.

    Attributes:
        cache: uint8 (N, size, size, channels); None if the images do not fit.
    """

    def __init__(self, files: ImageFiles, size: int, memory_limit: int, channels: int = 3):
        self.files = files
        self.name = files.path.name
        self.fingerprint = files.fingerprint
        self.size = size
        self.channels = channels
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._lock = threading.Lock()
        self._large = threading.Lock()
        self._resizing = False
        self._error = None
        shape = (len(files.names), size, size, channels)
        self.cache = np.empty(shape, np.uint8) if np.prod(shape) <= memory_limit else None
        self._cached = np.zeros(len(self), bool)
        if self.cache is not None:
            indices = itertools.count()
            for _ in range(os.cpu_count()):
                # Daemon threads: the program must not wait for them when it ends.
                threading.Thread(target=self._fill_cache, args=(indices,), daemon=True).start()

    def __len__(self) -> int:
        return len(self.files.names)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Images as float32 (n, size, size, channels) in [-1, 1]; raises as `pixels`."""
        return to_float(self.pixels(indices))

    def pixels(self, indices: np.ndarray) -> np.ndarray:
        """The same images as uint8 (n, size, size, channels).

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
        with self.files.open(index) as image:
            width, height = image.size
            if (width, height) != (self.size, self.size):
                self._announce_resizing(self.files.names[index], width, height)
            large = width * height > LARGE_PIXELS
            with self._large if large else contextlib.nullcontext():
                pixels = to_rgb(image, self.size)
            return to_channels(pixels[None], self.channels)[0]

    def _announce_resizing(self, name: str, width: int, height: int) -> None:
        with self._lock:  # held while printing: nobody gets a resized image before the message
            if self._resizing:
                return
            self._resizing = True
            size = f"{self.size}×{self.size}"
            tqdm.write(
                f"Images of other sizes are cropped to a square and resized to {size} "
                f"(the first: {one_line(name)}, {width}×{height})."
            )


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
