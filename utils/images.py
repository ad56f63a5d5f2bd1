"""Pixels: the one conversion each way between uint8 and float32, grey, palettes, grids, files."""

import math
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from utils.files import replacing
from utils.messages import count

SIZES = (32, 64, 128, 256, 512)
"""Widths and heights of images, in pixels, that there are networks for."""

_GAP = 2  # pixels between the images of a grid
_GAP_GREY = 96
_COUNTED = 2000  # images whose colours are counted, at most
_CHUNK_PIXELS = 2**20  # that are counted at a time
_MOST_COLOURS = 32


def fitting_size(side: int, sizes: Sequence[int] = SIZES) -> int:
    """The largest of `sizes` that a square of `side` pixels fills; else the smallest."""
    return max((size for size in sizes if size <= side), default=min(sizes))


def to_float(images: np.ndarray) -> np.ndarray:
    """Converts uint8 0…255 to float32 in [-1, 1], the range of tanh; any shape."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Converts float in [-1, 1] to uint8 0…255, rounded; clips values outside the range."""
    return np.clip(np.rint((images + 1.0) * 127.5), 0, 255).astype(np.uint8)


def height_and_width(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a square with this side; a pair is one already."""
    return (size, size) if isinstance(size, int) else size


def as_rgb(images: np.ndarray) -> np.ndarray:
    """Images (n, H, W, 1 or 3) with three channels; a grey channel is repeated three times."""
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def to_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Converts images, uint8 (n, H, W, 1 or 3), to 1 or 3 channels.

    Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as in Pillow.
    """
    if channels == 3:
        return as_rgb(images)
    if images.shape[-1] == 1:
        return images
    return np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in images])[
        ..., None
    ]


class Palette(NamedTuple):
    """The few colours of flat drawings.

    Attributes:
        colours: uint8 (K, C) with K from 1 to 32, the most frequent first.
        share: of the pixels that have one of these colours exactly, in [0, 1].
    """

    colours: np.ndarray
    share: float

    def __str__(self) -> str:
        """Such as "5 colours cover 99.9 % of the pixels"; the percentage is rounded down."""
        number = len(self.colours)
        percentage = math.floor(1000 * self.share) / 10
        verb = "covers" if number == 1 else "cover"
        return f"{count(number, 'colour')} {verb} {percentage:g} % of the pixels"


def find_palette(take: Callable[[np.ndarray], np.ndarray], length: int) -> Palette | None:
    """Counts the exact colours of a data set and returns them if they are few.

    Counts at most 2,000 images, evenly spread over the data set. There is a palette if the 32 most
    frequent colours cover at least 99 % of their pixels. It consists of those of the 32 that at
    least 0.1 % of the pixels have: colours where a line's end is blended with what lies below are
    rarer. Because of these, the share of a palette may be slightly under 99 %.

    Images of many colours cost little: the count ends as soon as more than 1 % of all pixels
    certainly have other colours. So no more colours are ever held than 1 % of the pixels, plus a
    chunk. 2,000 drawings of 128 pixels take 0.3 s on one core, without decoding.

    Args:
        take: returns the images with the given indices, uint8 (n, H, W, 1 or 3), all of one size.
        length: number of images of the data set, at least 1.

    Returns:
        the palette, always the same for the same images, or None if there are more colours.
    """
    indices = evenly_spread(length, _COUNTED)
    height, width, channels = take(indices[:1]).shape[1:]
    pixels = len(indices) * height * width
    step = max(1, _CHUNK_PIXELS // (height * width))
    colours, counts = np.empty(0, "<u4"), np.empty(0)  # float64: exact up to 2^53
    for i in range(0, len(indices), step):
        values, new = np.unique(_pack(take(indices[i : i + step])), return_counts=True)
        colours, places = np.unique(np.concatenate([colours, values]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, new]))
        top = np.argsort(-counts, kind="stable")[:_MOST_COLOURS]
        # No other 32 colours cover more of the pixels so far, whatever the pixels to come are.
        if 100 * (counts.sum() - counts[top].sum()) > pixels:
            return None
    top = top[1000 * counts[top] >= pixels]
    return Palette(_unpack(colours[top], channels), float(counts[top].sum() / pixels))


def _pack(images: np.ndarray) -> np.ndarray:
    """Images, uint8 (n, H, W, C), as one number for each pixel, uint32 (n·H·W,)."""
    channels = images.shape[-1]
    padded = np.zeros((images.size // channels, 4), np.uint8)
    padded[:, :channels] = images.reshape(-1, channels)
    return padded.view("<u4")[:, 0]


def _unpack(colours: np.ndarray, channels: int) -> np.ndarray:
    """The reverse of `_pack`: uint8 (K, C)."""
    return colours[:, None].view(np.uint8)[:, :channels]


def evenly_spread(length: int, most: int) -> np.ndarray:
    """At most `most` indices of a sequence, from the first to the last."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(int))


def grid(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Arranges images in a grid, row by row, with lines between them.

    Lines and empty places are grey; with 4 channels they are transparent.

    Args:
        images: uint8 array (n, H, W, C) with n at most `rows * columns`.
        rows: number of rows.
        columns: number of columns.

    Returns:
        uint8 array (rows·(H + 2) + 2, columns·(W + 2) + 2, C).

    Raises:
        ValueError: more images than places.
    """
    if len(images) > rows * columns:
        raise ValueError(
            f"a grid of {rows}×{columns} has no room for {count(len(images), 'image')}"
        )
    _, height, width, channels = images.shape
    shape = (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, channels)
    canvas = np.full(shape, 0 if channels == 4 else _GAP_GREY, np.uint8)
    for i, image in enumerate(images):
        top = _GAP + (i // columns) * (height + _GAP)
        left = _GAP + (i % columns) * (width + _GAP)
        canvas[top : top + height, left : left + width] = image
    return canvas


def to_picture(image: np.ndarray) -> Image.Image:
    """A uint8 array (H, W, 1, 3 or 4) as a Pillow image, which notebooks show."""
    return Image.fromarray(image[:, :, 0] if image.shape[-1] == 1 else image)


def save_picture(path: str | os.PathLike, image: np.ndarray, **options: object) -> None:
    """Writes a uint8 array (H, W, 1, 3 or 4) as a picture file.

    Args:
        path: its suffix names the format.
        image: the pixels.
        options: of Pillow for that format.

    Raises:
        OSError: see `utils.files.replacing`.
    """
    with replacing(path) as partial:
        to_picture(image).save(partial, **options)
