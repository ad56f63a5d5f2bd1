"""Subcommands that make pictures: `images`, `mix`, `nearest`, `again`."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils import cli
from utils.commands import (
    add_enlargement,
    add_seeds,
    folder,
    open_for_seeds,
    subcommand,
)
from utils.decoding import open_picture
from utils.drawing import (
    PAPERS,
    Layout,
    LoadedGenerator,
    Selection,
    draw,
    find_original,
    parse_seeds,
    read_provenance,
    save_images,
    save_mix,
)
from utils.files import check_free
from utils.images import as_rgb, save_picture
from utils.messages import count, one_line
from utils.runs import find_critic, find_generators, newest_generator


def add(commands) -> None:
    """Adds the subcommands."""
    for add_one in (_add_images, _add_mix, _add_nearest, _add_again):
        add_one(commands)


def _add_images(commands):
    images = subcommand(
        commands,
        "images",
        "one PNG per seed and a grid of all",
        "--seeds 0-24 --columns 5 --labels\n"
        "--generator generator.h5 --seeds 7,100-103 --out new/\n"
        "--seeds 7 --scale 32 --resampling lanczos     for print: 64 pixels become 2,048\n"
        "--seeds 7 --transparent                       without the black paper\n"
        "--seeds 0-99 --keep 0.25                      the 25 that the critic ranks highest",
        _images,
    )
    add_seeds(images, "0-24")
    images.add_argument("--columns", type=cli.whole(), default=5, help="columns of the grid")
    images.add_argument("--labels", action="store_true", help="write the seeds into the grid")
    add_enlargement(images, 1)
    images.add_argument(
        "--transparent",
        nargs="?",
        const="black",
        choices=PAPERS,
        help="make paper of this colour transparent (black, if none is named)",
    )
    images.add_argument(
        "--keep",
        type=cli.number(0, 1, above=True),
        metavar="SHARE",
        help="write this share of the seeds only, the images that the run's critic ranks highest "
        "(all seeds unless given). This needs the critic.h5 that a training writes. It helps where "
        "some images are right already, and costs variety; it does not help an early generator",
    )
    images.add_argument(
        "--out",
        type=folder,
        default="new",
        help="folder for the images; those of further seeds may join them, and then grid.png and "
        "latents.npz are those of the last seeds",
    )
    cli.add_overwrite(images)


def _add_mix(commands):
    mix = subcommand(
        commands,
        "mix",
        "the weighted sum of several seeds as one image; where latents are categorical, each group "
        "comes from one of the seeds, the more often the larger its weight",
        "--seeds 3,8                          halfway between two images\n"
        "--seeds 3,8,12 --weights 1 -1 0.5    3 without 8, and a little of 12",
        _mix,
    )
    add_seeds(mix, "3,8")
    mix.add_argument(
        "--weights", type=float, nargs="+", help="one for each seed (equal unless given)"
    )
    add_enlargement(mix, 1)
    mix.add_argument("--out", type=cli.png, default="new/mix.png", help="the picture to write")
    cli.add_overwrite(mix)


def _add_nearest(commands):
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


def _add_again(commands):
    again = subcommand(
        commands,
        "again",
        "draw a picture again from the provenance in its file",
        "new/seed_7.png\nnew/seed_7.png --generator better.h5 --out better.png",
        _again,
    )
    again.add_argument("picture", help="a PNG by generate.py")
    again.add_argument(
        "--generator", help="to draw with (the one in run/gan that made it unless given)"
    )
    cli.add_range(again)
    again.add_argument(
        "--out", type=cli.png, help="the picture to write (<name>_again.png unless given)"
    )
    cli.add_overwrite(again)


def _images(arguments):
    """Prints what `save_images` wrote."""
    if arguments.keep:
        find_critic(arguments.generator or newest_generator())  # raises before a framework loads
    loaded = open_for_seeds(arguments)
    if not arguments.overwrite:
        _check_images(arguments, loaded)
    selection = _selection(loaded.path, arguments.keep) if arguments.keep else None
    grid = save_images(
        arguments.out,
        loaded,
        arguments.seeds,
        Layout(arguments.scale, arguments.resampling, arguments.transparent),
        arguments.columns,
        arguments.labels,
        arguments.truncation,
        selection,
    )
    drawn = len(parse_seeds(arguments.seeds))
    images = count(drawn, "image")
    if selection:
        images = f"{selection.count(drawn):,} of {images}, ranked highest by the critic"
    files = ", grid.png and latents.npz" if grid else " and latents.npz (too many for a grid)"
    print(f"{arguments.out}: {images}{files}")


def _check_images(arguments, loaded):
    """Raises ValueError where a picture in the folder would be replaced by another one."""
    out, seeds = Path(arguments.out), parse_seeds(arguments.seeds)
    z = loaded.latents(seeds, arguments.truncation)
    layout = Layout(arguments.scale, arguments.resampling, arguments.transparent)
    expected = {out / f"seed_{n}.png": latents for n, latents in zip(seeds, z, strict=True)}
    for path in (*expected, out / "grid.png"):
        if not path.exists():
            continue
        try:
            old = read_provenance(path)
        except ValueError:
            check_free(path, overwrite=False)  # which raises
        if old.digest != loaded.digest:
            raise ValueError(
                f"{out} holds pictures by another generator ({path.name}); choose another --out, "
                "or replace those of the same names with --overwrite"
            )
        if path in expected:
            same = old.layout == layout and np.array_equal(old.latents[0], expected[path])
            check_free(path, overwrite=same)


def _selection(generator: str | Path, keep: float) -> Selection:
    """The choice of the critic of a run's `generator.h5`."""
    from utils.generator import load_critic

    return Selection(load_critic(find_critic(generator)), keep)


def _mix(arguments):
    """Prints what `save_mix` wrote."""
    out = Path(arguments.out)
    files = out, out.with_stem(f"{out.stem}_row"), out.with_suffix(".npz")
    check_free(*files, overwrite=arguments.overwrite)
    row, latents = save_mix(
        arguments.out,
        open_for_seeds(arguments),
        arguments.seeds,
        arguments.weights,
        Layout(arguments.scale, arguments.resampling),
        arguments.truncation,
    )
    print(f"{arguments.out}: the mixture; in a row with its parts: {row}; all latents: {latents}")


def _nearest(arguments):
    """Prints a line for each pair that `save_nearest` found."""
    from utils.image_files import ImageFiles

    check_free(arguments.out, overwrite=arguments.overwrite)
    ImageFiles(arguments.data)  # raises before a framework is loaded
    pairs = save_nearest(
        arguments.out,
        open_for_seeds(arguments),
        arguments.seeds,
        arguments.data,
        arguments.truncation,
    )
    for pair in pairs:
        print(f"seed {pair.seed}: {one_line(pair.name)}, at {pair.distance:.1f} of 255")
    print(f"{arguments.out}: each image beside its nearest training image")


class Pair(NamedTuple):
    """A seed, the name of the training image nearest to its image, their distance in 0…255."""

    seed: int
    name: str
    distance: float


def save_nearest(
    out: str, loaded: LoadedGenerator, seeds: str, data: str, truncation: float = 1
) -> list[Pair]:
    """Writes a PNG of generated images, each beside the training image nearest to it.

    Args:
        out: path of the PNG.
        loaded: the generator.
        seeds: text for `parse_seeds`.
        data: zip or folder of the training images.
        truncation: see `truncate`.

    Raises:
        FileNotFoundError, ValueError: as `utils.loaders.read_images`; too large a picture.
    """
    from utils.image_files import ImageFiles
    from utils.loaders import read_images
    from utils.quality import nearest

    names = ImageFiles(data).names
    height, width, _ = loaded.image_shape
    numbers = parse_seeds(seeds)
    layout = Layout(max(1, 128 // width), columns=2 * min(4, len(numbers)))  # room for the names
    shape = (2 * len(numbers), height, width, 3)
    layout.check(shape)
    images = as_rgb(draw(loaded.network, loaded.latents(numbers, truncation)))
    training = read_images(data, (height, width))
    indices, distances = nearest(images, training)
    pairs = [
        Pair(seed, names[index], distance)
        for seed, index, distance in zip(numbers, indices, distances, strict=True)
    ]
    labels = [
        text
        for pair in pairs
        for text in (f"seed {pair.seed}", f"{pair.distance:.0f}: {Path(pair.name).name}")
    ]
    layout = dataclasses.replace(layout, labels=tuple(labels))
    save_picture(out, layout.picture(np.stack([images, training[indices]], axis=1).reshape(shape)))
    return pairs


def _again(arguments):
    """Prints how far the new picture is from the old one."""
    picture = Path(arguments.picture)
    out = arguments.out or picture.with_stem(f"{picture.stem}_again")
    check_free(out, overwrite=arguments.overwrite)
    original, difference = draw_again(out, picture, arguments.generator, arguments.range)
    if not original:
        print(f"{arguments.generator} is not the generator that made {picture}")
    if difference is None:
        print(f"{out}: of another size than {picture}")
    else:
        print(
            f"{out}: differs by up to {difference} of 255"
            if difference
            else f"{out}: the same pixels"
        )


def draw_again(
    out: str | Path,
    picture: str | Path,
    generator: str | None = None,
    value_range: str | None = None,
) -> tuple[bool, int | None]:
    """Draws a picture again from its provenance.

    Args:
        out: path of the new PNG.
        picture: a PNG with provenance.
        generator: path of the generator to draw with; None for the one that made the picture.
        value_range: see `load_generator`.

    Returns:
        whether this generator made the picture; the largest difference between the pixels of the
        two pictures, 0…255, or None if they differ in size.

    Raises:
        FileNotFoundError, ValueError: as `read_provenance`, `find_original`, `load_generator` and
            `Provenance.draw`.
    """
    provenance = read_provenance(picture)
    path = generator or find_original(provenance, picture, find_generators())
    from utils.generator import load_generator  # here: what is wrong so far needs no framework

    loaded = LoadedGenerator(path, load_generator(path, value_range))
    pixels = provenance.draw(loaded.network)
    with open_picture(picture, ("PNG",)) as image:
        before = np.asarray(image)
    loaded.provenance(provenance.latents, provenance.layout, provenance.seed).save(out, pixels)
    original = loaded.digest == provenance.digest
    if pixels.squeeze().shape != before.squeeze().shape:
        return original, None
    return original, int(np.abs(pixels.squeeze().astype(int) - before.squeeze()).max())
