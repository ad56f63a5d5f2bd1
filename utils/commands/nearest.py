"""The subcommand `nearest`: generated images beside the training images nearest to them."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils import cli
from utils.commands import add_seeds, chosen_images, open_for_seeds, subcommand
from utils.drawing import Chosen, Layout, LoadedGenerator, draw
from utils.files import check_free
from utils.images import as_rgb, save_picture
from utils.messages import one_line


def add(commands) -> None:
    """Adds the subcommand."""
    nearest = subcommand(
        commands,
        "nearest",
        "generated images beside the training images nearest to them",
        "--seeds 0-7 --data output.zip\n--generator generator.h5 --seeds 7 --data drawings/",
        _nearest,
    )
    add_seeds(nearest, "0-7")
    nearest.add_argument(
        "--data", default="output.zip", help="the training images: a zip or a folder"
    )
    nearest.add_argument(
        "--out", type=cli.png, default="new/nearest.png", help="the picture to write"
    )
    cli.add_overwrite(nearest)


def _nearest(arguments):
    """Prints a line for each pair that `save_nearest` found."""
    from utils.sources import ImageFiles

    check_free(arguments.out, overwrite=arguments.overwrite)
    ImageFiles(arguments.data)  # raises before a framework is loaded
    images = chosen_images(arguments)
    pairs = save_nearest(
        arguments.out,
        open_for_seeds(arguments),
        images,
        arguments.data,
        arguments.truncation,
    )
    for pair in pairs:
        print(f"{pair.label}: {one_line(pair.name)}, at {pair.distance:.1f} of 255")
    print(f"{arguments.out}: each image beside its nearest training image")


class Pair(NamedTuple):
    """An image as `seed 7`, the name of the training image nearest to it, their distance, 0…255."""

    label: str
    name: str
    distance: float


def save_nearest(
    out: str, loaded: LoadedGenerator, chosen: Chosen, data: str, truncation: float = 1
) -> list[Pair]:
    """Writes a PNG of generated images, each beside the training image nearest to it.

    Args:
        out: path of the PNG.
        loaded: the generator.
        chosen: the generated images.
        data: zip or folder of the training images.
        truncation: see `truncate`.

    Raises:
        FileNotFoundError, ValueError: as `utils.loaders.read_images` and `Chosen.latents`; too
            large a picture.
    """
    from utils.loaders import read_images
    from utils.quality import nearest
    from utils.sources import ImageFiles

    names = ImageFiles(data).names
    height, width, _ = loaded.image_shape
    layout = Layout(max(1, 128 // width), columns=2 * min(4, len(chosen)))  # room for the names
    shape = (2 * len(chosen), height, width, 3)
    layout.check(shape)
    images = as_rgb(draw(loaded.network, chosen.latents(loaded, truncation)))
    training = read_images(data, (height, width))
    indices, distances = nearest(images, training)
    pairs = [
        Pair(name.replace("_", " "), names[index], distance)
        for name, index, distance in zip(chosen.names, indices, distances, strict=True)
    ]
    labels = [
        text
        for pair in pairs
        for text in (pair.label, f"{pair.distance:.0f}: {Path(pair.name).name}")
    ]
    layout = dataclasses.replace(layout, labels=tuple(labels))
    save_picture(out, layout.picture(np.stack([images, training[indices]], axis=1).reshape(shape)))
    return pairs
