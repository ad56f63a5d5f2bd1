"""Files of pictures, whoever made them, to RGB pixels: what is opened, and what it looks like."""

import contextlib
import functools
import io
import os
import struct
import warnings
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from utils.images import height_and_width
from utils.messages import one_line

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".gif", ".bmp", ".webp"),
    *(".avif", ".tif", ".tiff", ".jp2", ".pbm", ".pgm", ".ppm", ".pnm"),
)
"""Of the names of files that count as pictures, in lower case."""

MAX_PIXELS = 128 * 1024**2
"""Of one picture: A3 at 600 dots per inch has 70 million. Its RGB takes 400 MB while it is read."""

# The limit is ours, and of metadata nothing but the orientation matters.
warnings.filterwarnings("ignore", module=r"PIL\.")

_FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets a picture upright, by its EXIF orientation."""
_PNG = b"\x89PNG\r\n\x1a\n"
_UNREAD = {b"tEXt", b"zTXt", b"iTXt", b"iCCP"}  # chunks of a PNG
_BITS_PER_SAMPLE, _MAX_SAMPLE = 258, 281  # TIFF 6.0, section 8
_WHITES = (255, 1023, 4095, 16_383, 65_535)  # of 8, 10, 12, 14, 16 bits


@contextlib.contextmanager
def open_picture(
    source: bytes | str | os.PathLike,
    formats: tuple[str, ...] = (),
    needed: int | None = None,
    limited: bool = True,
) -> Iterator[Image.Image]:
    """Opens a picture, not yet decoded, whoever made it: nothing else in this project does.

    The content of a file decides what reads it, not its name, and Pillow knows 40 formats: one
    starts another program, some decode before a size is known. So few are allowed here.

    Args:
        source: the content of a file, or the path of one that is not large.
        formats: Pillow's names of those that are read; empty for all that are allowed.
        needed: pixels of width and height that are enough. A JPEG beyond the limit is decoded in
            the smallest fraction of its size that has as many.
        limited: whether more than 128 Mi pixels are refused. If not, the caller calls
            `check_pixels`.

    Raises:
        Exception: Pillow's decoders raise a dozen different types, see `why_undecodable`.
    """
    file = io.BytesIO(_without_texts(source)) if isinstance(source, bytes) else source
    with Image.open(file, formats=formats or _readable()) as image:
        if limited:
            size = image.size
            if needed and _too_large(size):
                image.draft(None, (needed, needed))
            check_pixels(image.size, original=size)
        yield image


def _without_texts(content):
    """A PNG without the texts and the colour profile, which nobody here reads.

    Those of some programs unpack to more than Pillow allows, and it would refuse the pixels.
    """
    if not content.startswith(_PNG):
        return content
    view, kept, start, whole = memoryview(content), [_PNG], len(_PNG), True
    while start + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, start)
        end = start + length + 12
        if kind in _UNREAD:
            whole = False
        else:
            kept.append(view[start:end])
        start = end
    return content if whole else b"".join(kept)  # most have none, and need no copy


@functools.cache
def _readable():
    """The allowed formats that this version of Pillow knows."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def check_pixels(size: tuple[int, int], original: tuple[int, int] | None = None) -> None:
    """Raises ValueError if a picture of `size` (width, height) has more than 128 Mi pixels.

    The message names the size `original`, if it is given: a JPEG may be decoded in a smaller one.
    """
    if _too_large(size):
        width, height = original or size
        raise ValueError(f"{width}×{height} pixels, more than {MAX_PIXELS}")


def _too_large(size):
    return size[0] * size[1] > MAX_PIXELS


def why_undecodable(error: Exception) -> str:
    """One line that says why a picture could not be read."""
    if isinstance(error, UnidentifiedImageError):  # Pillow's message has an address in memory
        return "not a picture in a format that is read"
    return one_line(error)


def to_rgb(
    image: Image.Image, size: int | tuple[int, int], grey_range: "GreyRange | None" = None
) -> np.ndarray:
    """Converts any picture to RGB pixels of one size.

    `flatten` makes it RGB. A picture of another shape is cropped around its centre, and one of
    another size is resampled (Lanczos).

    Args:
        image: an open picture of any mode and size; of an animation, the first frame.
        size: (height, width) in pixels, or the side of a square.
        grey_range: see `flatten`.

    Returns:
        uint8 array (height, width, 3).
    """
    image = flatten(image, grey_range=grey_range)
    height, width = height_and_width(size)
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(image)


def flatten(
    image: Image.Image,
    paper: str | tuple[int, ...] = "white",
    grey_range: "GreyRange | None" = None,
) -> Image.Image:
    """Converts any picture to RGB in its own size.

    Applies the rotation that the camera noted, lays transparent pixels over `paper` and scales grey
    of more than 8 bits, and floats, to 8 bits.

    Args:
        image: an open picture of any mode and size; of an animation, the current frame.
        paper: a colour in any form that Pillow accepts.
        grey_range: of the data set, for a picture that `is_deep`; None for its own.
    """
    image.load()
    # A large picture takes 512 MiB, so it is copied only where it must be.
    turn = _TURNS.get(orientation(image))
    if turn is not None:
        image = image.transpose(turn)
    if is_deep(image):
        image = _to_8_bits(image, grey_range or GreyRange.of([image]))
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, paper), image)
    return image.convert("RGB")


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of an open picture, 1 to 8; 1 where there is no right one.

    Nothing else of the EXIF data is looked at: programs write odd things there.
    """
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # Pillow raises a dozen different types
        return 1
    return value if value in _TURNS else 1


class GreyRange(NamedTuple):
    """Which values of grey pictures of more than 8 bits, or of floats, are black and white."""

    black: float
    white: float

    def __str__(self) -> str:
        """Such as "0 to 4,095"."""
        return f"{self.black:,g} to {self.white:,.10g}"

    @classmethod
    def of(cls, images: Iterable[Image.Image]) -> "GreyRange":
        """The range of some pictures, of which those that are not deep do not count.

        A TIFF may name its largest value, or how many bits it has. Otherwise the largest value of
        all pictures decides: the first that is not below it of 1 (floats only), and of 8, 10, 12,
        14 and 16 bits; or that value itself. Black is 0; or -1 where floats lie between -1 and 1.
        Without a deep picture it is that of 16 bits.
        """
        declared, least, most, floats = 0, 0.0, -1.0, True
        for image in filter(is_deep, images):
            values = _values(image)
            declared = max(declared, _declared_white(image))
            least, most = min(least, float(values.min())), max(most, float(values.max()))
            floats &= image.mode == "F"
        if most < 0 and not least:
            return cls(0, _WHITES[-1])
        whites = (1, *_WHITES) if floats else _WHITES
        white = declared or next((w for w in whites if most <= w), most)
        return cls(-1 if -1 <= least < 0 and white == 1 else 0, white)


def is_deep(image: Image.Image) -> bool:
    """Whether a picture is grey of more than 8 bits, or of floats."""
    return image.mode == "F" or image.mode.startswith("I")


def _declared_white(image):
    """The value of white that a TIFF names; 0 where it does not."""
    if image.mode == "F" or not hasattr(image, "tag_v2"):
        return 0
    with contextlib.suppress(TypeError, ValueError, IndexError):
        if most := image.tag_v2.get(_MAX_SAMPLE):
            return int(np.ravel(most)[0])
        bits = int(np.ravel(image.tag_v2.get(_BITS_PER_SAMPLE, 0))[0])
        return (1 << bits) - 1 if 8 < bits < 16 else 0
    return 0


def _values(image):
    """The values of a deep picture, float32 (H, W); those that are no number are 0."""
    values = np.asarray(image, np.float32)
    return np.nan_to_num(values, posinf=0, neginf=0) if image.mode == "F" else values


def _to_8_bits(image, grey_range):
    black, white = grey_range
    scaled = (_values(image) - black) * (255 / (white - black))
    grey = Image.fromarray(np.rint(scaled.clip(0, 255)).astype(np.uint8))
    key = image.info.get("transparency")
    if not isinstance(key, int):
        return grey
    alpha = Image.fromarray(np.where(np.asarray(image) == key, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, alpha))
