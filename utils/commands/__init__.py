"""The subcommands of `generate.py`: option tables, and functions that join several rooms.

Each module has `add(commands)`, which adds its subcommands to those of the parser. Each subcommand
sets `main`, which reads the parsed arguments and calls a function that takes values. Frameworks
are imported inside these functions, so that `--help` and mistakes are answered at once.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from utils import cli
from utils.drawing import RESAMPLINGS, Chosen, LoadedGenerator, parse_seeds
from utils.messages import one_line


def subcommand(commands, name: str, summary: str, examples: str, main) -> argparse.ArgumentParser:
    """Adds a subcommand.

    Args:
        commands: what `add_subparsers` returned.
        name: of the subcommand.
        summary: one line of help.
        examples: lines of arguments, shown after `python generate.py <name>`.
        main: called with the parsed arguments.
    """
    lines = [f"  python generate.py {name} {line}" for line in examples.splitlines()]
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="\n".join(["examples:", *lines]),
        formatter_class=cli.Formatter,
    )
    parser.set_defaults(main=main)
    return parser


def add_generator(parser: argparse.ArgumentParser) -> None:
    """Adds `--generator` and `--range`."""
    parser.add_argument(
        "--generator", help="a generator.h5 (the newest under run/gan unless given)"
    )
    cli.add_range(parser)


def seeds(text: str) -> str:
    """A type for `add_argument`: text that `parse_seeds` reads."""
    try:
        parse_seeds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def add_seeds(
    parser: argparse.ArgumentParser,
    default: str,
    type: Callable = seeds,
    help: str = "whole numbers and ranges: 0-24,100,7",
) -> None:
    """Adds `--generator`, `--seeds`, `--latents` and `--truncation`; see `chosen_images`."""
    add_generator(parser)
    parser.add_argument("--seeds", type=type, help=f"{help} ({default} unless given)")
    parser.add_argument(
        "--latents",
        nargs="+",
        metavar="NPZ",
        help="also draw the latents of these files, such as found/latents.npz of project; they "
        "come before the seeds, and without --seeds alone",
    )
    parser.set_defaults(usual_seeds=default)
    parser.add_argument(
        "--truncation",
        type=cli.number(0, 100),
        default=1,
        metavar="T",
        help="the latents are multiplied by T: images are more alike below 1; the variants that "
        "categorical latents choose stay the same",
    )


def chosen_images(arguments: argparse.Namespace) -> Chosen:
    """Reads what `--seeds` and `--latents` name; it needs no framework."""
    unless_given = "" if arguments.latents else arguments.usual_seeds
    return Chosen.of(arguments.seeds or unless_given, arguments.latents or ())


def add_enlargement(
    parser: argparse.ArgumentParser, unless_given: str = "for about 512 in all"
) -> None:
    """Adds `--scale` and `--resampling`."""
    parser.add_argument(
        "--scale",
        type=cli.whole(most=1024),
        help=f"pixels for each pixel of the image ({unless_given} unless given)",
    )
    parser.add_argument(
        "--resampling",
        choices=RESAMPLINGS,
        default="nearest",
        help="how an image is enlarged: square pixels, or smooth edges",
    )


def folder(text: str) -> str:
    """A type for `add_argument`: a folder, or a path where one can be made."""
    if Path(text).exists() and not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: is a file; expected a folder")
    return text


def open_generator(arguments: argparse.Namespace):
    """Loads the generator of `--generator`, or the newest, and says so: (its path, the network)."""
    from utils.runs import newest_generator

    return open_named(arguments.generator or newest_generator(), arguments.range)


def open_named(path: str | Path, value_range: str | None):
    """Loads a generator and says which one it is, and of which run: (its path, the network)."""
    from utils.generator import load_generator
    from utils.runs import find_origin

    network = load_generator(path, value_range)
    print(f"Generator: {one_line(path)}, of {find_origin(path)}")
    return path, network


def open_for_seeds(arguments: argparse.Namespace) -> LoadedGenerator:
    """Does the same as `open_generator`, and says so where `--truncation` has no effect."""
    loaded = LoadedGenerator(*open_generator(arguments))
    if arguments.truncation != 1 and loaded.groups and not loaded.groups.gaussian:
        print(
            f"--truncation {arguments.truncation:g} changes nothing: each group of this "
            "generator's latents chooses a variant, and a factor leaves the choice as it is"
        )
    return loaded
