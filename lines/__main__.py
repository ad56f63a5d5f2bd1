"""`python -m lines`: writes a zip of line images."""

import argparse
import io
import sys
import time

from lines.dataset import write_zip
from lines.render import MAX_WEIGHT


def main() -> int:
    """Parses the command line and writes the zip; returns 0, or 2 after an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a path may have any letter
    arguments = vars(_parser().parse_args())
    path, debug = arguments.pop("out"), arguments.pop("debug")
    try:
        repeats = write_zip(path, **arguments, progress=_progress_line(arguments["count"]))
    except (ValueError, OSError) as error:
        if debug:
            raise
        print(f"python -m lines: error: {error}", file=sys.stderr)
        return 2
    if sys.stderr.isatty():
        print(file=sys.stderr)  # ends the progress line
    images = _plural(arguments["count"], "image")
    print(f"{path}: {images}, {_plural(repeats, 'repeat')} skipped")
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        # argparse would print the usage first, which hides the line that matters.
        line = " ".join(message.split())[:500]
        self.exit(2, f"{self.prog}: error: {line}; --help lists the options\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m lines",
        description="Draws the images of the Processing sketch, pixel for pixel, into a zip.",
    )
    default = "(default: %(default)s)"
    parser.add_argument("--count", type=int, default=10_000, help=f"number of images {default}")
    parser.add_argument(
        "--seed", type=int, default=0, help=f"as given to randomSeed in Processing {default}"
    )
    parser.add_argument("--out", default="output.zip", help=f"the zip to write {default}")
    parser.add_argument(
        "--size", type=int, default=128, help=f"width and height in pixels {default}"
    )
    parser.add_argument(
        "--weight",
        type=int,
        default=5,
        help=f"stroke weight in pixels, 1 to {MAX_WEIGHT} {default}",
    )
    parser.add_argument(
        "--allow-duplicates",
        action="store_true",
        help="keep repeated pictures, as the sketch itself does; they are skipped unless given",
    )
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    return parser


def _progress_line(count: int):
    """A function of the images written so far, which keeps one line of a terminal up to date."""
    start = time.monotonic()

    def show(written: int) -> None:
        if sys.stderr.isatty():
            rate = written / (time.monotonic() - start)
            left = (count - written) / rate
            line = f"{_plural(written, 'image')}, {rate:,.0f} images/s, {left:.0f} s left"
            print(f"\r{line:<60}", end="", file=sys.stderr)

    return show


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
