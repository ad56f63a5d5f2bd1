"""A picture of any shape as one square, or many."""

from collections.abc import Iterator

from PIL import Image, ImageOps

from utils.sources import MAX_PIXELS

CROPS = ("center", "fit", "tiles")

_LANCZOS = Image.Resampling.LANCZOS


def squares(
    image: Image.Image, size: int, crop: str, paper: tuple[int, int, int]
) -> Iterator[tuple[str, Image.Image]]:
    """Squares of an RGB picture, each with a mark that tells it from the others of the picture.

    Args:
        image: of any width and height.
        size: of the squares, pixels.
        crop: `center`: the largest square around the centre, resampled; `fit`: the whole picture,
            resampled, on paper; `tiles`: as many squares side by side as there is room for, around
            the centre and in the picture's own pixels (a picture too small for one is enlarged),
            row by row.
        paper: the colour around a picture that does not fill its square.

    Yields:
        `("", square)`, or `("r0c2", square)` for the tile in row 0 and column 2.

    Raises:
        ValueError: a strip so narrow that, enlarged for tiles, it would fill the memory.
    """
    if crop == "center":
        yield "", ImageOps.fit(image, (size, size), _LANCZOS)
    elif crop == "fit":
        yield "", _on_paper(image, size, paper)
    else:
        yield from _tiles(image, size)


def enlarges(width: int, height: int, size: int, crop: str) -> bool:
    """Whether a picture has fewer pixels than its square wants."""
    return (max if crop == "fit" else min)(width, height) < size


def _on_paper(image, size, paper):
    # ImageOps.pad asks for a height of 0 where a picture is a mere line.
    wanted = [max(1, round(side * size / max(image.size))) for side in image.size]
    square = Image.new("RGB", (size, size), paper)
    square.paste(image.resize(wanted, _LANCZOS), [(size - side) // 2 for side in wanted])
    return square


def _tiles(image, size):
    if min(image.size) < size:
        wanted = [round(side * size / min(image.size)) for side in image.size]
        if wanted[0] * wanted[1] > MAX_PIXELS:
            raise ValueError(f"{image.width}×{image.height} pixels, too narrow for tiles of {size}")
        image = image.resize(wanted, _LANCZOS)
    columns, rows = image.width // size, image.height // size
    left, top = (image.width - columns * size) // 2, (image.height - rows * size) // 2
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * size, top + row * size
            yield f"r{row}c{column}", image.crop((x, y, x + size, y + size))
