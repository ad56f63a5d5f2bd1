"""A folder, a zip, a film or one picture, as pictures one after another."""

import contextlib
import io
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from utils.messages import one_line
from utils.sources import MAX_PIXELS, SUFFIXES, ImageFiles

PICTURES = (
    *SUFFIXES,
    *(".apng", ".avif", ".jfif", ".jp2", ".jpe", ".mpo", ".pbm", ".pgm", ".pnm", ".ppm", ".psd"),
    ".tga",
)
FILMS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm", ".wmv")

_MOVING = ("GIF", "PNG", "WEBP", "AVIF")
"""Pillow's names of the formats whose frames are a film; those of an MPO are one photograph."""
_FOREIGN = {
    suffix: "save it as PNG or JPEG from the program that shows it, and prepare that"
    for suffix in (".ai", ".cr2", ".dng", ".eps", ".heic", ".heif", ".kra", ".nef", ".pdf", ".svg")
}
_REDUCED = 254, 1  # TIFF 6.0, section 8, NewSubfileType: a smaller copy of another page


class Picture(NamedTuple):
    """A picture that is not decoded yet.

    Attributes:
        mark: tells it from the other frames or pages of its file; empty where there are none.
        width, height: pixels as it is looked at, in its own size.
        image: to be decoded; of a JPEG, perhaps in a smaller size.
    """

    mark: str
    width: int
    height: int
    image: Image.Image


class OneFile:
    """One picture or film with what `ImageFiles` gives."""

    def __init__(self, path: Path):
        self.path = path.parent
        self.names = [path.name]
        self.skipped = []
        self.archive = None

    def read(self, index: int) -> bytes:
        """The bytes of the file, as `ImageFiles.read`."""
        return ImageFiles.read(self, index)


def open_source(path: str | os.PathLike) -> ImageFiles | OneFile:
    """What stands at `path`: a folder, a zip, a film or a picture.

    Raises:
        FileNotFoundError, ValueError: as `ImageFiles`, but that an entry of a zip which is too
            large does not matter before it is read.
    """
    path = Path(path)
    if path.is_file() and path.name.lower().endswith(PICTURES + FILMS):
        return OneFile(path)
    if path.is_file() and (why := _FOREIGN.get(path.suffix.lower())):
        raise ValueError(f"{path}: {why}")
    return ImageFiles(path, PICTURES + FILMS, lenient=True)


def is_film(name: str) -> bool:
    """Whether a file is one for ffmpeg, by its name."""
    return name.lower().endswith(FILMS)


def why_passed_over(name: str) -> str:
    """What to say of a file that is no picture by its name."""
    return _FOREIGN.get(Path(name).suffix.lower(), "no picture, by its name")


def pictures(data: bytes, every: int, needed: int | None) -> Iterator[Picture]:
    """The picture in a file, or the frames of an animation, or the pages of a TIFF.

    Args:
        data: the bytes of the file.
        every: of an animation, take every so many-th frame, from the first on.
        needed: pixels that the shorter side needs: a large JPEG is decoded in a fraction of its
            size where that has as many, several times as fast; None for all there are.

    Raises:
        Exception: Pillow's decoders raise a dozen different types.
    """
    if not data:
        raise ValueError("the file is empty")
    with Image.open(io.BytesIO(data)) as image:
        several = getattr(image, "n_frames", 1) > 1
        if several and image.format in (*_MOVING, "TIFF"):
            yield from _frames(image, every if image.format in _MOVING else 1)
        else:
            yield _picture("", image, needed)


def _frames(image, step):
    moving = image.format in _MOVING
    tag, reduced = _REDUCED
    for number in itertools.count(0, step):
        try:
            image.seek(number)
        except EOFError:
            return
        if moving or not image.tag_v2.get(tag, 0) & reduced:
            yield _picture(f"{'f' if moving else 'p'}{number:05}", image, None)


def _picture(mark, image, needed):
    width, height = image.size
    if needed:
        image.draft(None, (needed, needed))
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels, more than {MAX_PIXELS}")
    if image.getexif().get(ExifTags.Base.Orientation, 1) >= 5:  # lies on its side
        width, height = height, width
    return Picture(mark, width, height, image)


def film(files: ImageFiles | OneFile, index: int, every: int) -> Iterator[int | Picture]:
    """How many pictures a film gives, about; then every so many-th frame, decoded by ffmpeg.

    Raises:
        ValueError: a film that ffmpeg cannot read, or of frames that are too large.
    """
    with _on_disk(files, index) as path:
        reader = imageio_ffmpeg.read_frames(
            path,
            # A film is a stranger's file, which could name an address.
            input_params=["-protocol_whitelist", "file"],
            # Each frame as it is, none doubled to keep a pace.
            output_params=["-fps_mode", "passthrough"],
        )
        with contextlib.closing(reader):
            try:
                about = next(reader)
                width, height = about["size"]
            except Exception as error:  # whatever parsing ffmpeg's words leads to
                raise ValueError("not a film that ffmpeg can read") from error
            if width * height > MAX_PIXELS:
                raise ValueError(f"{width}×{height} pixels, more than {MAX_PIXELS}")
            yield round(about["duration"] * about["fps"] / every)
            frame = None
            for number, frame in itertools.islice(enumerate(reader), 0, None, every):
                image = Image.fromarray(np.frombuffer(frame, np.uint8).reshape(height, width, 3))
                yield Picture(f"f{number:05}", width, height, image)
            if frame is None:
                raise ValueError("a film without a frame that ffmpeg can read")


@contextlib.contextmanager
def _on_disk(files, index):
    """A path for ffmpeg, which reads no zip."""
    if files.archive is None:
        # Absolute, or what stands before a colon in the name would count as a protocol.
        yield str((files.path / files.names[index]).resolve())
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"film{Path(files.names[index]).suffix}"
        path.write_bytes(files.read(index))
        yield str(path)


def reason(error: Exception) -> str:
    """Why a file could not be read, in the same words each time."""
    if isinstance(error, UnidentifiedImageError):  # Pillow would name an address in memory
        return "not a picture that Pillow can read"
    return one_line(error)
