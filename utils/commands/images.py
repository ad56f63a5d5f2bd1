"""Subcommands that make pictures: `images`, `mix`."""

import argparse
from pathlib import Path

import numpy as np

from utils import cli
from utils.commands import (
    add_enlargement,
    add_seeds,
    chosen_images,
    folder,
    open_for_seeds,
    subcommand,
)
from utils.drawing import (
    PAPERS,
    Chosen,
    Layout,
    LoadedGenerator,
    Selection,
    read_provenance,
    save_images,
    save_mix,
    save_zip,
)
from utils.files import check_free
from utils.messages import count
from utils.runs import find_critic, newest_generator


def add(commands) -> None:
    """Adds the subcommands."""
    for add_one in (_add_images, _add_mix):
        add_one(commands)


def _add_images(commands):
    images = subcommand(
        commands,
        "images",
        "one PNG per seed and a grid of all; or a zip of PNGs for programs that compute FID or KID",
        "--seeds 0-24 --columns 5 --labels\n"
        "--generator generator.h5 --seeds 7,100-103 --out new/\n"
        "--seeds 7 --scale 32 --resampling lanczos     for print: 64 pixels become 2,048\n"
        "--seeds 7 --transparent                       without the black paper\n"
        "--seeds 0-99 --keep 0.25                      the 25 that the critic ranks highest\n"
        "--latents found/latents.npz --seeds 3         what project found, and a seed\n"
        "--out samples.zip --seeds 0-9999              plain PNGs for any FID or KID program",
        _images,
    )
    add_seeds(images, "0-24")
    images.add_argument("--columns", type=cli.whole(), default=5, help="columns of the grid")
    images.add_argument("--labels", action="store_true", help="write the seeds into the grid")
    add_enlargement(images, "for about 512 in all, 1,024 in a grid, and 1 in a zip")
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
        help="write this share of the images only, those that the run's critic ranks highest "
        "(all images unless given). This needs the critic.h5 that a training writes. It helps "
        "where some images are right already, and costs variety; it does not help an early "
        "generator",
    )
    images.add_argument(
        "--out",
        type=_folder_or_zip,
        default="new",
        help="folder for the images; those of further seeds may join them, and then grid.png and "
        "latents.npz are those of the last seeds. Or the name of a zip, whose images are numbered",
    )
    cli.add_overwrite(images)


def _add_mix(commands):
    mix = subcommand(
        commands,
        "mix",
        "the weighted sum of several seeds as one image; where latents are categorical, each group "
        "comes from one of the seeds, the more often the larger its weight",
        "--seeds 3,8                          halfway between two images\n"
        "--seeds 3,8,12 --weights 1 -1 0.5    3 without 8, and a little of 12\n"
        "--latents found/latents.npz --seeds 8 --weights 2 1",
        _mix,
    )
    add_seeds(mix, "3,8")
    mix.add_argument(
        "--weights",
        type=float,
        nargs="+",
        help="one for each image, first those of --latents (equal unless given)",
    )
    add_enlargement(mix, "for about 512 in all, and 1,024 of the row")
    mix.add_argument("--out", type=cli.png, default="new/mix.png", help="the picture to write")
    cli.add_overwrite(mix)


def _is_zip(out: str) -> bool:
    return out.lower().endswith(".zip")


def _folder_or_zip(text):
    """A type for `add_argument`: a folder, or the name of a zip."""
    if not _is_zip(text):
        return folder(text)
    if Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: is a folder; expected the name of a zip")
    return text


def _images(arguments):
    """Prints what `save_images` or `save_zip` wrote."""
    zipped = _is_zip(arguments.out)
    if zipped:
        check_free(arguments.out, overwrite=arguments.overwrite)
        if arguments.labels:
            raise ValueError(f"{arguments.out}: a zip holds no grid; leave out --labels")
    if arguments.keep:
        find_critic(arguments.generator or newest_generator())  # raises before a framework loads
    images = chosen_images(arguments)
    loaded = open_for_seeds(arguments)
    scale = arguments.scale or (1 if zipped else None)
    layout = Layout(scale, arguments.resampling, arguments.transparent)
    if not zipped and not arguments.overwrite:
        _check_images(arguments, loaded, images, layout)
    selection = _selection(loaded.path, arguments.keep) if arguments.keep else None
    if zipped:
        save_zip(arguments.out, loaded, images, layout, arguments.truncation, selection)
        files = ", each as a PNG"
    else:
        grid = save_images(
            arguments.out,
            loaded,
            images,
            layout,
            arguments.columns,
            arguments.labels,
            arguments.truncation,
            selection,
        )
        files = ", grid.png and latents.npz" if grid else " and latents.npz (too many for a grid)"
    drawn = count(len(images), "image")
    if selection:
        drawn = f"{selection.count(len(images)):,} of {drawn}, ranked highest by the critic"
    print(f"{arguments.out}: {drawn}{files}")


def _check_images(arguments, loaded: LoadedGenerator, images: Chosen, layout: Layout):
    """Raises ValueError where a file in the folder would be replaced by another one."""
    out = Path(arguments.out)
    for path in arguments.latents or ():
        if Path(path).resolve() == (out / "latents.npz").resolve():
            raise ValueError(
                f"{path}: the latents of these images would take its place; choose another --out, "
                "or replace it with --overwrite"
            )
    z = images.latents(loaded, arguments.truncation)
    layout = layout.sized((1, *loaded.image_shape))
    expected = {out / f"{name}.png": row for name, row in zip(images.names, z, strict=True)}
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
    images = chosen_images(arguments)
    row, latents = save_mix(
        arguments.out,
        open_for_seeds(arguments),
        images,
        arguments.weights,
        Layout(arguments.scale, arguments.resampling),
        arguments.truncation,
    )
    print(f"{arguments.out}: the mixture; in a row with its parts: {row}; all latents: {latents}")
