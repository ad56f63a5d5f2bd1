"""Command lines: one line for every error that a person can mend."""

import argparse
import os
import sys
from collections.abc import Callable


def parser(description: str, examples: str) -> argparse.ArgumentParser:
    """An argument parser that shows defaults and examples, and knows `--debug`."""
    made = argparse.ArgumentParser(
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=_Formatter,
    )
    made.add_argument("--debug", action="store_true", help="show where an error came from")
    return made


class _Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


def run(main: Callable[[argparse.Namespace], int | None], arguments: argparse.Namespace) -> None:
    """Calls `main` and leaves the program: with 2 and one line where the input is at fault."""
    try:
        sys.exit(main(arguments))
    except (ValueError, OSError, FloatingPointError) as error:
        if arguments.debug:
            raise
        print(f"{os.path.basename(sys.argv[0])}: error: {error}", file=sys.stderr)
        sys.exit(2)
