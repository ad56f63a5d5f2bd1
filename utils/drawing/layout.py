"""From images to a picture to look at or to print: enlargement, transparency, labelled grids."""

import dataclasses
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from utils.images import as_rgb, grid, to_picture

RESAMPLINGS = {"nearest": Image.Resampling.NEAREST, "lanczos": Image.Resampling.LANCZOS}
PAPERS = {"black": 0, "white": 255}
MOST_PIXELS = 1 << 28
"""Of one picture: 16,384 × 16,384, 35 cm at 1,200 dots per inch."""

_STRIP = 14  # pixels of a label's height
_LETTERS = 10
# It has the letters of most languages; Pillow's own lacks even ×.
_FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
_GREY = 96  # of the grid's lines too


@dataclasses.dataclass(frozen=True)
class Look:
    """How images become one picture.

    Attributes:
        scale: pixels of the picture per pixel of the image, along each side.
        resampling: `nearest` keeps pixels square, `lanczos` makes edges smooth.
        transparent: `black` or `white`: paper that is taken away, so that what was drawn on it can
            be laid over anything; None to keep it.
        columns: of a grid; None for a single image.
        labels: one under each image of a grid, or none.
    """

    scale: int = 1
    resampling: str = "nearest"
    transparent: str | None = None
    columns: int | None = None
    labels: tuple[str, ...] = ()

    def __post_init__(self):
        for name, value, known in (
            ("resampling", self.resampling, RESAMPLINGS),
            ("transparent", self.transparent, (None, *PAPERS)),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(map(str, known))}: {value!r}")
        for value in (self.scale, self.columns or 1):
            if not isinstance(value, int) or not 1 <= value <= 1 << 16:
                raise ValueError(f"scale and columns must be 1 to 65536, received {value!r}")

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises ValueError where images (n, H, W, C) would make a picture that is too large."""
        pixels = shape[0] * shape[1] * shape[2] * self.scale**2
        if pixels > MOST_PIXELS:
            raise ValueError(
                f"a picture of {pixels:,} pixels is too large; expected at most {MOST_PIXELS:,}: "
                "a smaller --scale, or fewer images"
            )

    def picture(self, images: np.ndarray) -> np.ndarray:
        """The picture.

        Args:
            images: uint8 (n, H, W, 1 or 3); one where there is no grid.

        Returns:
            uint8 (height, width, 1, 3 or 4).

        Raises:
            ValueError: a picture of more than `MOST_PIXELS`.
        """
        self.check(images.shape)
        made = [enlarge(image, self.scale, self.resampling) for image in images]
        if self.transparent:
            made = [without_paper(image, self.transparent) for image in made]
        if self.labels:
            made = [label(one, text) for one, text in zip(made, self.labels, strict=True)]
        if self.columns is None:
            return made[0]
        columns = min(self.columns, len(made))
        return grid(np.stack(made), -(-len(made) // columns), columns)


def enlarge(image: np.ndarray, scale: int, resampling: str = "nearest") -> np.ndarray:
    """An image, uint8 (H, W, C), `scale` times as high and wide; see `Look` for `resampling`."""
    if scale == 1:
        return image
    height, width, channels = image.shape
    large = to_picture(image).resize((width * scale, height * scale), RESAMPLINGS[resampling])
    return np.asarray(large).reshape(height * scale, width * scale, channels)


def without_paper(image: np.ndarray, paper: str) -> np.ndarray:
    """Takes black or white paper away: over it, the result looks as the image did.

    Every pixel becomes as transparent as it can be, that is, one of its channels becomes 0 or 255.

    Args:
        image: uint8 (H, W, 1 or 3).
        paper: `black` or `white`.

    Returns:
        uint8 (H, W, 4).
    """
    ground = PAPERS[paper]
    ink = np.abs(as_rgb(image[None])[0].astype(float) - ground)  # per channel, how far from paper
    alpha = ink.max(axis=2, keepdims=True)
    colour = np.abs(ground - 255 * ink / np.maximum(alpha, 1))
    return np.concatenate([np.rint(colour), alpha], axis=2).astype(np.uint8)


def label(image: np.ndarray, text: str) -> np.ndarray:
    """The image, uint8 (H, W, C), with a line of text under it that is as wide, cut if it must."""
    _, width, channels = image.shape
    font = ImageFont.truetype(_FONT, _LETTERS)
    room = width - 4
    while font.getlength(text) > room and len(text) > 1:
        text = text.removesuffix("…")[:-1] + "…"
    strip = Image.new("L", (width, _STRIP), _GREY)
    ImageDraw.Draw(strip).text((width / 2, _STRIP / 2), text, fill=255, font=font, anchor="mm")
    pixels = np.repeat(np.asarray(strip)[:, :, None], channels, axis=2)
    if channels == 4:
        pixels[:, :, 3] = 255
    return np.concatenate([image, pixels])
