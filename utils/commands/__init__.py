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


def open_generator(arguments: argparse.Namespace):
    """The generator of `--generator`, or the newest: (its path, the network)."""
    from utils.loaders import load_generator
    from utils.runs import newest_generator

    path = arguments.generator or newest_generator()
    return path, load_generator(path)
