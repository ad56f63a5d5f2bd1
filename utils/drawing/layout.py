"""Images to one picture: enlargement, transparency, labels, grids."""

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from utils.images import as_rgb, grid, to_picture
from utils.messages import one_line

RESAMPLINGS = {"nearest": Image.Resampling.NEAREST, "lanczos": Image.Resampling.LANCZOS}
"""How an image is enlarged: `nearest` keeps pixels square, `lanczos` makes edges smooth."""

PAPERS = {"black": 0, "white": 255}
"""Paper that can become transparent, and its grey."""

MOST_PIXELS = 1 << 28
"""In one picture: 16,384 × 16,384, which is 35 cm at 1,200 dots per inch."""

_PIXELS = 512  # width of a single picture, about, where no scale is given
_GRID_PIXELS = 1024  # of a grid
_LABEL_HEIGHT = 14  # pixels
_LETTER_HEIGHT = 10
_GREY = 96  # of labels, as of the lines of a grid


@dataclasses.dataclass(frozen=True)
class Layout:
    """How images become one picture.

    Attributes:
        scale: pixels of the picture per pixel of an image, along each side; None for a picture of
            about 512 pixels, or a grid of about 1,024.
        resampling: a key of `RESAMPLINGS`.
        transparent: a key of `PAPERS`: this paper becomes transparent, so that the drawing can be
            laid over anything; None keeps it.
        columns: of a grid; None for a single image.
        labels: one text under each image of a grid, or none at all.

    Raises:
        ValueError: an attribute that is none of these.
    """

    scale: int | None = 1
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
                choices = ", ".join(map(str, known))
                raise ValueError(f"{name}: expected one of {choices}, received {value!r}")
        for text in self.labels:
            if not isinstance(text, str):
                raise ValueError(f"labels: expected texts, received {one_line(repr(text))}")
        scale = 1 if self.scale is None else self.scale
        for name, value in (("scale", scale), ("columns", self.columns or 1)):
            if type(value) is not int or not 1 <= value <= 1 << 16:
                raise ValueError(
                    f"{name}: expected a whole number from 1 to 65536, received {value!r}"
                )

    def sized(self, shape: tuple[int, ...]) -> "Layout":
        """The layout of images of `shape` (n, H, W, C), with a number where the scale is None."""
        if self.scale is not None:
            return self
        count, height, width, _ = shape
        if self.columns is None:
            return dataclasses.replace(self, scale=scale_for(max(height, width)))
        columns = min(self.columns, count)
        side = max(-(-count // columns) * height, columns * width)
        return dataclasses.replace(self, scale=scale_for(side, _GRID_PIXELS))

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises ValueError if images of `shape` (n, H, W, C) would make too large a picture."""
        pixels = shape[0] * shape[1] * shape[2] * self.sized(shape).scale ** 2
        if pixels > MOST_PIXELS:
            raise ValueError(
                f"a picture of {pixels:,} pixels is too large; expected at most {MOST_PIXELS:,}: "
                "choose a smaller scale, or fewer images"
            )

    def picture(self, images: np.ndarray) -> np.ndarray:
        """Lays images out.

        Args:
            images: uint8 (n, H, W, 1 or 3); n is 1 where there is no grid.

        Returns:
            uint8 (height, width, 1, 3 or 4).

        Raises:
            ValueError: the picture would have more than `MOST_PIXELS`.
        """
        self.check(images.shape)
        scale = self.sized(images.shape).scale
        tiles = [enlarge(image, scale, self.resampling) for image in images]
        if self.transparent:
            tiles = [without_paper(tile, self.transparent) for tile in tiles]
        if self.labels:
            tiles = [label(tile, text) for tile, text in zip(tiles, self.labels, strict=True)]
        if self.columns is None:
            return tiles[0]
        columns = min(self.columns, len(tiles))
        return grid(np.stack(tiles), -(-len(tiles) // columns), columns)


def scale_for(side: int, pixels: int = _PIXELS) -> int:
    """The whole number, at least 1, that makes about so many `pixels` of those of a side."""
    return max(1, round(pixels / side))


def enlarge(image: np.ndarray, scale: int, resampling: str = "nearest") -> np.ndarray:
    """Makes an image, uint8 (H, W, C), `scale` times as high and wide; see `RESAMPLINGS`."""
    if scale == 1:
        return image
    height, width, channels = image.shape
    large = to_picture(image).resize((width * scale, height * scale), RESAMPLINGS[resampling])
    return np.asarray(large).reshape(height * scale, width * scale, channels)


def without_paper(image: np.ndarray, paper: str) -> np.ndarray:
    """Makes black or white paper transparent; laid over such paper, the image looks as before.

    Every pixel becomes as transparent as possible: then one of its channels is 0 or 255.

    Args:
        image: uint8 (H, W, 1 or 3).
        paper: a key of `PAPERS`.

    Returns:
        uint8 (H, W, 4).
    """
    ground = PAPERS[paper]
    ink = np.abs(as_rgb(image[None])[0].astype(float) - ground)  # per channel, how far from paper
    alpha = ink.max(axis=2, keepdims=True)
    colour = np.abs(ground - 255 * ink / np.maximum(alpha, 1))
    return np.concatenate([np.rint(colour), alpha], axis=2).astype(np.uint8)


def label(image: np.ndarray, text: str) -> np.ndarray:
    """Adds a line of text of 14 pixels under an image, uint8 (H, W, C); "…" ends a cut text."""
    _, width, channels = image.shape
    font = ImageFont.truetype(_font_file(), _LETTER_HEIGHT)
    text = one_line(text, width) if text.strip() else ""  # no letter is narrower than a pixel
    while font.getlength(text) > width - 4 and len(text) > 1:
        text = text.removesuffix("…")[:-1] + "…"
    strip = Image.new("L", (width, _LABEL_HEIGHT), _GREY)
    middle = width / 2, _LABEL_HEIGHT / 2
    ImageDraw.Draw(strip).text(middle, text, fill=255, font=font, anchor="mm")
    pixels = np.repeat(np.asarray(strip)[:, :, None], channels, axis=2)
    if channels == 4:
        pixels[:, :, 3] = 255
    return np.concatenate([image, pixels])


def _font_file() -> Path:
    """A font with the letters of most languages; Pillow's own has not even ×."""
    import matplotlib  # here, because it is slow and most pictures have no label

    return Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
