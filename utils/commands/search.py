"""Subcommand that searches for a picture among those of a generator: `project`."""

import functools
from collections.abc import Callable
from pathlib import Path

from utils import cli
from utils.commands import add_generator, folder, open_generator, subcommand
from utils.drawing import SEARCH_FILES, LoadedGenerator, save_search
from utils.files import check_free
from utils.messages import count


def add(commands, project: Callable) -> None:
    """Adds the subcommand; `project` is the search, as in `utils.drawing.save_search`."""
    parser = subcommand(
        commands,
        "project",
        "the latents that draw the image nearest to a picture of yours",
        "drawing.png\n"
        "drawing.png --generator run/gan/0001_output/generator.h5 --out found/\n"
        "drawing.png --starts 64 --steps 1000      takes longer and sometimes gets nearer",
        functools.partial(_project, project),
    )
    parser.add_argument("picture", help="any picture; it is cropped to the shape of the images")
    add_generator(parser)
    parser.add_argument(
        "--starts",
        type=cli.whole(most=2000),
        default=16,
        help="latents from which the search starts",
    )
    parser.add_argument(
        "--steps",
        type=cli.whole(most=1_000_000),
        default=400,
        help="steps of the best start; among the variants of categorical latents the search ends "
        "when nothing improves",
    )
    parser.add_argument("--seed", type=cli.whole(0), default=0, help="seed of the starts")
    parser.add_argument("--out", type=folder, default="found", help="folder for the result")
    cli.add_overwrite(parser)


def _project(project, arguments):
    """Prints how near the search came."""
    from utils.loaders import read_picture

    files = (Path(arguments.out) / name for name in SEARCH_FILES)
    check_free(*files, overwrite=arguments.overwrite)
    loaded = LoadedGenerator(*open_generator(arguments))
    found = save_search(
        arguments.out,
        loaded,
        read_picture(arguments.picture, loaded.image_shape[:2]),
        project,
        arguments.picture,
        arguments.starts,
        arguments.steps,
        arguments.seed,
    )
    last = int(found.times[-1])
    early = f" (ended after {count(last, 'step')})" if last < arguments.steps else ""
    print(f"Mean absolute error {found.errors[0]:.2f} of 255{early}")
    print(f"{arguments.out}: found.png, comparison.png, search.gif and latents.npz")
