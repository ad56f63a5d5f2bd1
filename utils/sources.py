"""A zip or a folder of pictures as rows of pixels, decoded in parallel and kept where they fit."""

import contextlib
import hashlib
import io
import itertools
import os
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from utils.images import to_channels, to_float, to_rgb
from utils.messages import one_line

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
MAX_FILE_BYTES = 256 * 1024**2
MAX_PIXELS = 64 * 1024**2
LARGE_PIXELS = 4 * 1024**2
"""Pictures of more pixels are decoded one at a time, or memory would grow with the cores."""


class ImageFiles:
    """The image files of a zip or a folder, in order of their names; the zip stays packed.

    Args:
        path: a `.zip`, or a folder that may hold folders.
        suffixes: of the files that count as images, in small letters.
        lenient: of a zip, refuse an entry that is too large when it is read, not all at once.

    Attributes:
        names: path of each image inside the zip or folder.
        passed_over: names of entries that are no images (`__MACOSX`, `.DS_Store`, text).
        fingerprint: 16 hexadecimal digits of names and checksums (zip) or sizes (folder).

    Raises:
        FileNotFoundError: nothing stands at `path`.
        ValueError: not a zip, no images in it, or an entry that unpacks to more than 256 MiB.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        suffixes: tuple[str, ...] = SUFFIXES,
        lenient: bool = False,
    ):
        self.path = Path(path)
        if not self.path.exists():
            raise FileNotFoundError(
                f"{path}: no such file or folder; expected a zip or a folder of images"
            )
        self.archive = None if self.path.is_dir() else self._open()
        if self.archive is None:
            files = [file for file in self.path.rglob("*") if file.is_file()]
            marks = {file.relative_to(self.path).as_posix(): file.stat().st_size for file in files}
        else:
            entries = [
                # Not is_dir(), which stumbles over an empty name.
                entry
                for entry in self.archive.infolist()
                if not entry.filename.endswith("/")
            ]
            if not lenient:
                for entry in entries:
                    self._refuse_bomb(entry)
            marks = {entry.filename: entry.CRC for entry in entries}
        self.names = sorted(name for name in marks if _is_image(name, suffixes))
        self.passed_over = sorted(name for name in marks if not _is_image(name, suffixes))
        if not self.names:
            raise ValueError(
                f"{path}: no images among its {len(marks)} files; expected {', '.join(suffixes)}"
            )
        listed = "".join(f"{name}/{marks[name]}\n" for name in self.names)
        self.fingerprint = hashlib.blake2b(
            listed.encode(errors="surrogateescape"), digest_size=8
        ).hexdigest()

    def read(self, index: int) -> bytes:
        """The bytes of one file, at most 256 MiB; safe to call from several threads."""
        name = self.names[index]
        if self.archive:
            self._refuse_bomb(self.archive.getinfo(name))
            return self.archive.read(name)
        size = (self.path / name).stat().st_size
        if size > MAX_FILE_BYTES:
            raise ValueError(f"{size} bytes, more than {MAX_FILE_BYTES}")
        return (self.path / name).read_bytes()

    def side(self, index: int) -> int:
        """The shorter side of an image in pixels.

        Raises:
            ValueError: it does not decode.
        """
        try:
            with Image.open(io.BytesIO(self.read(index))) as image:
                return min(image.size)
        except Exception as error:  # as when it is decoded whole
            raise ValueError(
                f"{self.path}: {one_line(self.names[index])} does not decode: {one_line(error)}; "
                "remove or replace it"
            ) from error

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except OSError:
            raise
        except Exception as error:  # zipfile passes on whatever the damage leads to
            raise ValueError(
                f"{self.path}: not a zip ({one_line(error)}); expected a zip or a folder of images"
            ) from error

    def _refuse_bomb(self, entry: zipfile.ZipInfo) -> None:
        # Reading never gives more than the declared size, so the declaration is enough to judge.
        # As much as is said to be packed is asked for at once, whether it is there or not.
        for does, size in (("unpack to", entry.file_size), ("take", entry.compress_size)):
            if size > MAX_FILE_BYTES:
                raise ValueError(
                    f"{self.path}: {one_line(entry.filename)} would {does} {size} bytes; "
                    f"at most {MAX_FILE_BYTES} are allowed for one image"
                )


def _is_image(name: str, suffixes: tuple[str, ...]) -> bool:
    # By letters, not by Path: a million names must not take half a minute.
    hidden = name.startswith((".", "__MACOSX")) or "/." in name or "/__MACOSX" in name
    return not hidden and name.lower().endswith(suffixes)


class ImageSource:
    """Decoded images by number.

    Where all of them fit into `memory_limit` they are kept as uint8 and decoded once, from the
    start on in the background; otherwise each is decoded whenever it is asked for.

    Args:
        files: where they come from.
        size: width and height in pixels; pictures of other sizes are cropped and resampled.
        memory_limit: bytes that the decoded images may take.
        channels: 3, or 1 for grey.
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
        self.kept = np.empty(shape, np.uint8) if np.prod(shape) <= memory_limit else None
        self._done = np.zeros(len(self), bool)
        if self.kept is not None:
            order = itertools.count()
            for _ in range(os.cpu_count()):
                # Daemons: leaving the program must not wait for images that nobody needs.
                threading.Thread(target=self._fill, args=(order,), daemon=True).start()

    def __len__(self) -> int:
        return len(self.files.names)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Images as float32 (n, size, size, channels) in [-1, 1].

        Raises:
            ValueError: a file that does not decode, also one that the background came upon.
        """
        if self._error:
            raise self._error
        if self.kept is None:
            return to_float(np.stack(list(self._pool.map(self._decode, indices))))
        missing = [i for i in indices if not self._done[i]]
        list(self._pool.map(self._keep, missing))
        return to_float(self.kept[indices])

    def _fill(self, order: "itertools.count") -> None:
        try:
            while (i := next(order)) < len(self):
                if not self._done[i]:
                    self._keep(i)
        except ValueError as error:
            self._error = error

    def _keep(self, index: int) -> None:
        self.kept[index] = self._decode(index)
        self._done[index] = True

    def _decode(self, index: int) -> np.ndarray:
        name = self.files.names[index]
        try:
            with Image.open(io.BytesIO(self.files.read(index))) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise ValueError(f"{width}×{height} pixels, more than {MAX_PIXELS}")
                if (width, height) != (self.size, self.size):
                    self._say_resizing(name, width, height)
                large = width * height > LARGE_PIXELS
                with self._large if large else contextlib.nullcontext():
                    pixels = to_rgb(image, self.size)
                return to_channels(pixels[None], self.channels)[0]
        except Exception as error:  # Pillow's decoders and zipfile raise a dozen different types
            raise ValueError(
                f"{self.files.path}: {one_line(name)} (image {index + 1} of {len(self)}) does not "
                f"decode: {one_line(error)}; remove or replace it"
            ) from error

    def _say_resizing(self, name: str, width: int, height: int) -> None:
        with self._lock:  # while it is said, too: whoever has a resized image has been told
            if self._resizing:
                return
            self._resizing = True
            size = f"{self.size}×{self.size}"
            tqdm.write(
                f"Images of other sizes are cropped to a square and resized to {size} "
                f"(the first: {one_line(name)}, {width}×{height})."
            )


class ArraySource:
    """An array of images by number.

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
        taken = self.images[indices]
        return to_float(taken) if taken.dtype == np.uint8 else taken.astype(np.float32)
