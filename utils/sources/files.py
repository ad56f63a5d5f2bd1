"""A zip or a folder to its picture files: which count, their fingerprint, and opening one."""

import contextlib
import functools
import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from utils.images import evenly_spread
from utils.messages import count, one_line
from utils.sources.decoding import SUFFIXES, GreyRange, open_picture, why_undecodable

RULES = 2
"""Number of the rules for which files of a data set are its images, and for its fingerprint.

A run keeps those by which it began. 1: fewer suffixes, no linked folders, names that begin with
`./` hidden, a folder's fingerprint by sizes.
"""
_ENCRYPTED = 1  # of a zip entry's flags
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA} | {
    getattr(zipfile, "ZIP_ZSTANDARD", 0)  # of Python 3.14
}
_SUFFIXES_1 = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
_SAMPLED = 1 << 16  # bytes of a file that its part of the fingerprint is of
_LOOKED_AT = 500  # images whose values are looked at for `grey_range`

MAX_FILE_BYTES = 256 * 1024**2
LARGE_BYTES = 16 * 1024**2
"""Files with more bytes are read one at a time, or memory would grow with the cores."""


def rules_of(fingerprint: str) -> int:
    """The number of the rules by which a fingerprint was made."""
    rules, dash, _ = fingerprint.partition("-")
    return int(rules) if dash and rules in map(str, range(1, RULES + 1)) else 1


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
        rules: which files count as images, and what the fingerprint is of: `RULES`, or the number
            of earlier ones, by which a run began.

    Attributes:
        names: path of each image inside the zip or folder.
        skipped: names of files that are not images (`__MACOSX`, `.DS_Store`, text).
        outside: links of the folder that lead out of it, which are not followed.
        fingerprint: the rules' number and 16 hexadecimal digits, of names and contents (by their
            checksums in a zip).
        grey_range: of the pictures that are deep; None until `find_grey_range` was called.

    Raises:
        FileNotFoundError: there is no file or folder at `path`.
        ValueError: not a zip, no images in it, or an entry that unpacks to more than 256 MiB.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        suffixes: tuple[str, ...] = SUFFIXES,
        lenient: bool = False,
        rules: int = RULES,
    ):
        self._begin(Path(path), rules)
        if not self.path.exists():
            raise FileNotFoundError(
                f"{path}: no such file or folder; expected a zip or a folder of images"
            )
        if not (self.path.is_dir() or self.path.is_file()):
            raise ValueError(f"{path}: a pipe or a device; expected a zip or a folder of images")
        if self.path.is_file():
            self.archive = self._open_zip()
        checksums = self._checksums() if self.archive else self._sizes()
        images = {name for name in checksums if _is_image(name, rules, suffixes)}
        self.names = sorted(images)
        self.skipped = sorted(checksums.keys() - images)
        if not self.names:
            raise ValueError(
                f"{path}: no images among its {count(len(checksums), 'file')}; "
                f"expected {', '.join(suffixes)}. {self.describe_links()}".rstrip(". ")
            )
        if self.archive and not lenient:
            for name in self.names:
                self._refuse_bomb(self.archive.getinfo(name))
        self._checked = checksums

    def _begin(self, path, rules):
        self.path = path
        self.rules = rules
        self.archive = None
        self.names, self.skipped, self.outside = [], [], []
        self.grey_range = None
        self._finding = threading.Lock()
        self._large = threading.Lock()

    @functools.cached_property
    def fingerprint(self) -> str:
        """See the class; computed when it is first asked for, since it reads a folder's files."""
        if self.rules == 1:
            return self._digest(self._checked)
        checked = self._checked
        if not self.archive:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                samples = pool.map(lambda name: _sample(self.path / name), self.names)
                checked = dict(zip(self.names, samples, strict=True))
        return f"{self.rules}-{self._digest(checked)}"

    def fingerprint_by(self, rules: int) -> str:
        """The fingerprint by earlier `rules` if they find the same images, or else its own."""
        if rules == self.rules:
            return self.fingerprint
        earlier = sorted(name for name in self._checked if _is_image(name, rules))
        return self._digest(self._checked) if earlier == self.names else self.fingerprint

    def _digest(self, checked):
        listed = "".join(f"{name}/{checked[name]}\n" for name in self.names)
        return hashlib.blake2b(listed.encode(errors="surrogateescape"), digest_size=8).hexdigest()

    def find_grey_range(self) -> None:
        """Sets `grey_range` by at most 500 of the images; no image of it may be open meanwhile."""
        with self._finding:
            if self.grey_range is None:
                self.grey_range = GreyRange.of(self._looked_at())

    def _looked_at(self):
        for index in evenly_spread(len(self.names), _LOOKED_AT):
            with contextlib.suppress(ValueError), self.open(index) as image:
                image.load()
                yield image

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
    def open(self, index: int, needed: int | None = None) -> Iterator[Image.Image]:
        """Opens one image, to be decoded inside the block; safe to use from several threads.

        Args:
            index: of the image in `names`.
            needed: pixels that are enough, see `utils.sources.open_picture`.

        Raises:
            ValueError: reading or decoding failed, also inside the block; the message names the
                file.
        """
        try:
            with self.content(index) as content, open_picture(content, needed=needed) as image:
                yield image
        except Exception as error:  # Pillow's decoders and zipfile raise a dozen different types
            raise ValueError(
                f"{self.path}: {one_line(self.names[index])} does not decode (image {index + 1} "
                f"of {len(self.names)}): {why_undecodable(error)}; remove it, or make a data set "
                "that passes over it: python -m utils.prepare"
            ) from error

    def _open_zip(self) -> zipfile.ZipFile:
        try:
            archive = zipfile.ZipFile(self.path)
        except OSError:
            raise
        except Exception as error:  # a damaged zip makes zipfile raise many different types
            raise ValueError(
                f"{self.path}: not a zip ({one_line(error)}); expected a zip or a folder of images"
            ) from error
        for entry in archive.infolist():
            fault = "has a password" if entry.flag_bits & _ENCRYPTED else None
            if entry.compress_type not in _METHODS:
                method = zipfile.compressor_names.get(entry.compress_type, entry.compress_type)
                fault = f"is packed by a method that Python does not unpack here ({method})"
            if fault:
                raise ValueError(
                    f"{self.path}: {one_line(entry.filename)} {fault}; unpack the zip with the "
                    "program that made it, and name the folder"
                )
        return archive

    def _checksums(self) -> dict[str, int]:
        """CRC-32 of each file of the zip by its name."""
        # Without ZipInfo.is_dir(), which fails on an empty name.
        entries = self.archive.infolist()
        return {entry.filename: entry.CRC for entry in entries if not entry.filename.endswith("/")}

    def _sizes(self) -> dict[str, int]:
        """Bytes of each file of the folder by its path in the folder.

        Links to folders are followed where they stay in the folder, and each folder is entered
        once.
        """
        if self.rules == 1:
            files = [file for file in self.path.rglob("*") if file.is_file()]
            return {file.relative_to(self.path).as_posix(): file.stat().st_size for file in files}
        root, sizes, entered, links = self.path.resolve(), {}, set(), {}
        for folder, folders, files in os.walk(self.path, followlinks=True):
            here = Path(folder).resolve()
            if here in entered or not here.is_relative_to(root):
                if here not in entered:
                    self.outside.append(os.path.relpath(folder, self.path))
                folders.clear()
                continue
            entered.add(here)
            # The same order everywhere, or which of two ways to a folder is found would depend on
            # the disk; hidden ones last, for what they hold may be linked to.
            folders.sort(key=lambda name: (name.startswith("."), name))
            for path in (Path(folder) / name for name in files):
                name = path.relative_to(self.path).as_posix()
                if not path.is_symlink():
                    sizes[name] = path.stat().st_size
                elif not path.resolve().is_relative_to(root):
                    self.outside.append(name)
                elif path.is_file():
                    links[name] = path.resolve()
        if links:
            found = {(self.path / name).resolve() for name in sizes}
            sizes |= {n: path.stat().st_size for n, path in links.items() if path not in found}
        return sizes

    def describe_links(self) -> str:
        """A sentence on the links that lead out of the folder; empty without one."""
        if not self.outside:
            return ""
        links = count(len(self.outside), "link")
        return f"Not followed: {links} out of the folder (the first: {one_line(self.outside[0])})."

    def _refuse_bomb(self, entry: zipfile.ZipInfo) -> None:
        # Reading never returns more than the declared size, so checking the declaration is enough.
        # The packed size is checked too: zipfile asks for that much memory even if it is a lie.
        for verb, size in (("unpack to", entry.file_size), ("take", entry.compress_size)):
            if size > MAX_FILE_BYTES:
                raise ValueError(
                    f"{self.path}: {one_line(entry.filename)} would {verb} {size} bytes; "
                    f"at most {MAX_FILE_BYTES} are allowed for one image"
                )


class OneFile(ImageFiles):
    """One picture or film as a source of one file."""

    def __init__(self, path: Path):
        self._begin(path.parent, RULES)
        self.names = [path.name]


def _is_image(name: str, rules: int, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    if rules == 1:
        return not _is_hidden_1(name) and name.lower().endswith(_SUFFIXES_1)
    return not _is_hidden(name) and name.lower().endswith(suffixes)


def _is_hidden(name: str) -> bool:
    # String methods: with Path, a million names would take half a minute.
    if not (name.startswith((".", "__MACOSX")) or "/." in name or "/__MACOSX" in name):
        return False
    return any(
        part == "__MACOSX" or (part.startswith(".") and part not in (".", ".."))
        for part in name.split("/")
    )


def _is_hidden_1(name: str) -> bool:
    return name.startswith((".", "__MACOSX")) or "/." in name or "/__MACOSX" in name


def _sample(path: Path) -> str:
    """A digest of a file's length and of 16 places of it; of all of a file up to 64 KiB."""
    with open(path, "rb") as file:
        length = file.seek(0, os.SEEK_END)
        digest = hashlib.blake2b(str(length).encode(), digest_size=8)
        starts = [0]
        if length > _SAMPLED:
            starts = np.linspace(0, length - _SAMPLED // 16, 16).astype(int).tolist()
        for start in starts:
            file.seek(start)
            digest.update(file.read(_SAMPLED // len(starts)))
    return digest.hexdigest()
