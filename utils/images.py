"""Pixels: the only conversions between uint8 and float32, and pictures made of pictures."""

import os

import numpy as np
from PIL import ExifTags, Image, ImageOps

from utils.files import replacing

_GAP = 2
_GAP_GREY = 96


def to_float(images: np.ndarray) -> np.ndarray:
    """uint8 0…255 to float32 in [-1, 1], the range of tanh; any shape."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """float in [-1, 1] to uint8 0…255, rounded; values outside the range are clipped."""
    return np.clip(np.rint((images + 1.0) * 127.5), 0, 255).astype(np.uint8)


def to_rgb(image: Image.Image, size: int) -> np.ndarray:
    """Any picture as a square of RGB pixels.

    As `flat` makes it; what is not square is cropped around its centre; other sizes are resampled
    (Lanczos).

    Args:
        image: an open picture of any mode and size; of an animation, the first frame counts.
        size: width and height wanted, in pixels.

    Returns:
        uint8 array (size, size, 3).
    """
    image = flat(image)
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(image)


def flat(image: Image.Image, paper: str | tuple[int, ...] = "white") -> Image.Image:
    """Any picture as RGB, in its own size.

    The camera's rotation is applied, transparency is laid over `paper`, 16-bit grey is scaled to 8
    bits.

    Args:
        image: an open picture of any mode and size; of an animation, the present frame counts.
        paper: a colour as Pillow knows them.
    """
    # A large picture takes 256 MiB, so nothing is copied without need.
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, paper), image)
    return image.convert("RGB")


def as_rgb(images: np.ndarray) -> np.ndarray:
    """Images (n, H, W, 1 or 3) with three channels: grey ones three times the same."""
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def to_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Images, uint8 (n, H, W, 1 or 3), with 1 or 3 channels; grey is 0.3 R + 0.6 G + 0.1 B.

    The weights are those of ITU-R BT.601, as in Pillow.
    """
    if channels == 3:
        return as_rgb(images)
    if images.shape[-1] == 1:
        return images
    return np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in images])[
        ..., None
    ]


def grid(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Lays images out in a grid, row by row, with lines between them, grey or clear.

    Args:
        images: uint8 array (n, H, W, C) with n at most `rows * columns`; empty places are as the
            lines: grey, with 4 channels transparent.
        rows: number of rows.
        columns: number of columns.

    Returns:
        uint8 array (rows·(H + 2) + 2, columns·(W + 2) + 2, C).

    Raises:
        ValueError: more images than places.
    """
    if len(images) > rows * columns:
        raise ValueError(f"a grid of {rows}×{columns} has no room for {len(images)} images")
    _, height, width, channels = images.shape
    shape = (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, channels)
    canvas = np.full(shape, 0 if channels == 4 else _GAP_GREY, np.uint8)
    for i, image in enumerate(images):
        top = _GAP + (i // columns) * (height + _GAP)
        left = _GAP + (i % columns) * (width + _GAP)
        canvas[top : top + height, left : left + width] = image
    return canvas


def to_picture(image: np.ndarray) -> Image.Image:
    """uint8 array (H, W, 1, 3 or 4) as a Pillow image, which notebooks show."""
    return Image.fromarray(image[:, :, 0] if image.shape[-1] == 1 else image)


def save_picture(path: str | os.PathLike, image: np.ndarray, **options: object) -> None:
    """Writes a uint8 array (H, W, 1, 3 or 4) as a picture; the suffix of `path` names the format.

    `options` are Pillow's for that format.
    """
    with replacing(path) as beside:
        to_picture(image).save(beside, **options)
