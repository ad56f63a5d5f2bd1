"""Reads a folder, a zip, a film or one picture as a sequence of pictures."""

import contextlib
import itertools
import logging
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
import numpy as np
from PIL import Image

from utils.sources import SUFFIXES, ImageFiles, OneFile, check_pixels, open_picture, orientation

FILMS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm", ".wmv")

_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")
"""Pillow's names of the formats whose frames are a film; those of an MPO are one photograph."""
_UNSUPPORTED = {
    suffix: "save it as PNG or JPEG in the program that shows it, and prepare that file"
    for suffix in (
        *(".ai", ".cr2", ".dng", ".eps", ".heic", ".heif", ".kra", ".nef", ".pdf", ".psd", ".svg"),
        ".tga",
    )
}
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,asf,flv"
"""ffmpeg's names of what is read as a film; a playlist or a manifest is not."""
# A film may come from anyone: it must not make ffmpeg open a network address, and no list of other
# files, which its content may be whatever its name says.
_SAFE = ("-protocol_whitelist", "file", "-format_whitelist", _CONTAINERS)
_SQUARE_PIXELS = "scale=w='iw*max(sar,1)':h='ih/min(sar,1)',setsar=1"
_TRANSPARENT = ("rgba", "argb", "bgra", "abgr", "yuva", "gbrap", "ya", "pal8")
"""How ffmpeg's names of pixel formats with transparency begin."""
_MAX_FRAMES = 500_000  # of one film or animation: 5 hours
_MAX_SECONDS = 4 * 3600  # of a processor's time for one film
_SUBFILE_TYPE, _REDUCED = 254, 1  # TIFF 6.0, section 8: a page is a smaller copy of another one
_SIDEWAYS = 5  # EXIF orientations from this one on swap width and height


# It warns of frames of another size than the film's, which are meant.
logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)


class Picture(NamedTuple):
    """A picture that is not decoded yet.

    Attributes:
        frame_id: which frame or page of its file it is: "f00012", "p00003"; empty if the file has
            only one.
        number: of that frame or page, from 0.
        width, height: pixels of the original, upright.
        image: to be decoded; of a JPEG, perhaps in a smaller size.
    """

    frame_id: str
    number: int
    width: int
    height: int
    image: Image.Image


def open_source(path: str | os.PathLike) -> ImageFiles:
    """Opens a folder, a zip, a film or a picture.

    Raises:
        FileNotFoundError, ValueError: as `ImageFiles`, but an entry of a zip that is too large
            raises an error only when it is read.
    """
    path = Path(path)
    if path.is_file() and path.name.lower().endswith(SUFFIXES + FILMS):
        return OneFile(path)
    if path.is_file() and (advice := _UNSUPPORTED.get(path.suffix.lower())):
        raise ValueError(f"{path}: not a format that can be read; {advice}")
    return ImageFiles(path, SUFFIXES + FILMS, lenient=True)


def is_film(name: str) -> bool:
    """Whether a file is one for ffmpeg, by its suffix."""
    return name.lower().endswith(FILMS)


def why_skipped(name: str) -> str:
    """Why a file is not read, by its suffix."""
    return _UNSUPPORTED.get(Path(name).suffix.lower(), "not a picture, by its name")


def pictures(content: bytes, every: int, needed: int | None, first: int = 0) -> Iterator[Picture]:
    """Yields the picture in a file, the frames of an animation, or the pages of a TIFF.

    Args:
        content: the bytes of the file.
        every: yield each `every`-th frame of an animation, beginning with the first.
        needed: pixels that the shorter side needs. A large JPEG is decoded in a fraction of its
            size that still has as many, which is several times as fast. None for full size.
        first: number of the frame or page to begin with.

    Raises:
        Exception: Pillow's decoders raise a dozen different types.
    """
    if not content:
        raise ValueError("the file is empty")
    with open_picture(content, limited=False) as image:
        several = getattr(image, "n_frames", 1) > 1
        if several and image.format in (*_ANIMATED, "TIFF"):
            yield from _frames(image, first, every if image.format in _ANIMATED else 1)
        else:
            yield _picture("", 0, image, needed)


def _frames(image, first, step):
    animated = image.format in _ANIMATED
    for number in itertools.count(first, step):
        _check_number(number)
        try:
            image.seek(number)
        except EOFError:
            return
        if animated or not image.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED:
            yield _picture(f"{'f' if animated else 'p'}{number:05}", number, image, None)


def _check_number(number):
    if number >= _MAX_FRAMES:
        raise ValueError(f"more than {_MAX_FRAMES:,} frames; cut it into shorter ones")


def _picture(frame_id, number, image, needed):
    width, height = image.size
    if needed:
        image.draft(None, (needed, needed))
    check_pixels(image.size, original=(width, height))
    if orientation(image) >= _SIDEWAYS:
        width, height = height, width
    return Picture(frame_id, number, width, height, image)


@contextlib.contextmanager
def open_film(files: ImageFiles, index: int, every: int) -> Iterator[tuple[int, Iterator[Picture]]]:
    """Decodes each `every`-th frame of a film with ffmpeg, beginning with the first.

    Yields:
        the number of pictures, estimated, and an iterator of them.

    Raises:
        ValueError: ffmpeg cannot read the film, or its frames are too large.
    """
    with _path_on_disk(files, index) as path, contextlib.ExitStack() as stack:
        try:
            reader, about = _start(path, "rgb24", stack)
            channels, decoder = 3, _transparent_decoder(path, about)
            if decoder is not None:
                stack.close()
                reader, about = _start(path, "rgba", stack, decoder)
                channels = 4
            size = about["size"]
        except Exception as error:  # parsing ffmpeg's output raises many different types
            raise ValueError("not a film that ffmpeg can read") from error
        check_pixels(size)
        estimate = round(about["duration"] * about["fps"] / every)
        yield estimate, _film_frames(reader, size, channels, every)


def _start(path, pixel_format, stack, decoder=()):
    """Starts ffmpeg; `stack` ends it. Returns the iterator of frames and what is known of them."""
    reader = imageio_ffmpeg.read_frames(
        path,
        pix_fmt=pixel_format,
        bits_per_pixel=8 * len(pixel_format.removesuffix("24")),
        input_params=[*_SAFE, "-timelimit", str(_MAX_SECONDS), *decoder],
        # Each frame once: ffmpeg must not repeat or drop any to keep a frame rate. Pixels that are
        # not square become so, without a loss.
        output_params=["-fps_mode", "passthrough", "-vf", _SQUARE_PIXELS],
    )
    stack.enter_context(contextlib.closing(reader))
    return reader, next(reader)


def _transparent_decoder(path, about):
    """Options of ffmpeg by which it decodes a film's transparency; None where it has none."""
    if about["pix_fmt"].startswith(_TRANSPARENT):
        return ()
    decoder = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(about["codec"])
    if decoder is None:
        return None
    # A second picture in the file, of which only ffmpeg's description of it tells.
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", *_SAFE, "-i", path]
    described = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).stderr
    return ("-c:v", decoder) if re.search(rb"alpha_mode\s*: 1", described) else None


def _film_frames(reader, size, channels, every):
    width, height = size
    frame = None
    for number, frame in itertools.islice(enumerate(reader), 0, None, every):
        _check_number(number)
        pixels = np.frombuffer(frame, np.uint8).reshape(height, width, channels)
        yield Picture(f"f{number:05}", number, width, height, Image.fromarray(pixels))
    if frame is None:
        raise ValueError("a film without a frame that ffmpeg can read")


@contextlib.contextmanager
def _path_on_disk(files, index):
    """A path for ffmpeg, which cannot read from a zip."""
    if files.archive is None:
        # Absolute: ffmpeg takes the part of a relative name before a colon for a protocol.
        yield str((files.path / files.names[index]).resolve())
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"film{Path(files.names[index]).suffix}"
        with files.content(index) as content:
            path.write_bytes(content)
        yield str(path)
