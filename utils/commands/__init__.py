"""The subcommands of `generate.py`: command line to calls, one module per purpose.

Each module has `add(commands)`, which adds its subcommands to those of the parser; each subcommand
sets `main`, the function that does the work. What is heavy is imported inside these functions, so
that `--help` and mistakes are answered at once.
"""

import argparse

from utils import cli


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
    made = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="\n".join(["examples:", *lines]),
        formatter_class=cli.Formatter,
    )
    made.set_defaults(main=main)
    return made


def add_generator(parser: argparse.ArgumentParser) -> None:
    """Adds `--generator`."""
    parser.add_argument("--generator", help="a generator.h5; None: the newest under run/gan")


def add_drawing(parser: argparse.ArgumentParser, seeds: str) -> None:
    """Adds what every subcommand asks that draws seeds: generator, seeds and truncation."""
    add_generator(parser)
    parser.add_argument("--seeds", default=seeds, help="whole numbers and ranges: 0-24,100,7")
    parser.add_argument(
        "--truncation",
        type=cli.number(0, 100),
        default=1,
        metavar="T",
        help="the latents are multiplied by T: below 1 images are more alike",
    )


def add_enlargement(parser: argparse.ArgumentParser, scale: int | None) -> None:
    """Adds `--scale` and `--resampling`; a scale of None stands for about 512 pixels."""
    parser.add_argument(
        "--scale",
        type=cli.whole(most=1024),
        default=scale,
        help="pixels for each pixel of the image" + ("" if scale else "; None: about 512 in all"),
    )
    parser.add_argument(
        "--resampling",
        choices=("nearest", "lanczos"),
        default="nearest",
        help="of an enlargement: square pixels, or smooth edges",
    )


def open_generator(arguments: argparse.Namespace):
    """The generator of `--generator`, or the newest: (its path, the network)."""
    from utils.generator import load_generator
    from utils.runs import newest_generator

    path = arguments.generator or newest_generator()
    return path, load_generator(path)


def open_drawing(arguments: argparse.Namespace):
    """What `add_drawing` asks for: the generator's path, the network, the seeds, their latents.

    The latents are float32 (n, z_dim), multiplied by `--truncation`.
    """
    import numpy as np

    from utils.drawing import parse_seeds, seed_latents

    seeds = parse_seeds(arguments.seeds)
    path, generator = open_generator(arguments)
    z = seed_latents(seeds, generator.input_shape[1]) * np.float32(arguments.truncation)
    return path, generator, seeds, z
