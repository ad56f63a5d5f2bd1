"""What the Training notebook shows: a report, a batch, the live page of a run, its samples."""

import html
import os
from pathlib import Path

from IPython.display import HTML, Image, display
from PIL import Image as Pillow

from utils.images import grid, to_picture
from utils.loaders import ImageStream
from utils.notebook.colab import show_page
from utils.runs import find_samples
from utils.watch import watch

_COLUMNS = 8
_HEIGHT = 600  # pixels, of the report below a cell


def show_report(path: str | os.PathLike) -> None:
    """Shows the report on a data set below the cell, where it scrolls by itself."""
    page = html.escape(Path(path).read_text(encoding="utf-8"))
    style = f"width:100%; height:{_HEIGHT}px; border:0"
    display(HTML(f'<div><iframe sandbox style="{style}" srcdoc="{page}"></iframe></div>'))


def batch_picture(stream: ImageStream) -> Pillow.Image:
    """The first batch of a stream as one picture, which notebooks show."""
    images = stream.first(stream.batch_size)
    return to_picture(grid(images, -(-len(images) // _COLUMNS), _COLUMNS))


def show_run(folder: str | os.PathLike) -> None:
    """Shows the live page of a run below the cell; the folder need not exist yet."""
    show_page(watch(folder))


def show_convergence(folder: str | os.PathLike) -> None:
    """Shows `converge.png` of a run folder.

    Raises:
        FileNotFoundError: nothing has been trained.
    """
    display(Image(_existing(Path(folder) / "images" / "converge.png")))


def show_samples(folder: str | os.PathLike) -> None:
    """Shows the last sample grid of a run folder, and real images in the same grid.

    Raises:
        FileNotFoundError: nothing has been trained.
    """
    samples = find_samples(folder)
    if not samples:
        raise FileNotFoundError(f"{folder}: no samples; run the cells above first")
    display(Image(samples[-1][1]), Image(_existing(Path(folder) / "images" / "real.png")))


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; run the cells above first")
    return path
