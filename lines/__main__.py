"""`python -m lines`: writes a zip of line images."""

import argparse
import sys
import time

from lines.dataset import write_zip
from lines.render import MAX_WEIGHT


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        # argparse would print the usage first, which hides the line that matters.
        line = " ".join(message.split())[:500]
        self.exit(2, f"{self.prog}: error: {line}; --help shows what there is\n")


def main() -> int:
    """Parses the command line and writes the zip; 0, or 2 where the arguments are at fault."""
    parser = _Parser(
        prog="python -m lines",
        description="Draws the images of the Processing sketch, pixel for pixel, into a zip.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=10_000, help="number of images")
    parser.add_argument("--seed", type=int, default=0, help="as given to randomSeed in Processing")
    parser.add_argument("--out", default="output.zip", help="the zip to write")
    parser.add_argument("--size", type=int, default=128, help="width and height in pixels")
    parser.add_argument(
        "--weight", type=int, default=5, help=f"stroke weight in pixels, 1 to {MAX_WEIGHT}"
    )
    parser.add_argument(
        "--allow-duplicates",
        action="store_true",
        help="keep pictures that come twice, as the sketch itself does",
    )
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    arguments = vars(parser.parse_args())
    path, debug = arguments.pop("out"), arguments.pop("debug")
    start = time.monotonic()

    def progress(written: int) -> None:
        if sys.stderr.isatty():
            rate = written / (time.monotonic() - start)
            left = (arguments["count"] - written) / rate
            line = f"{written} images, {rate:.0f} images/s, {left:.0f} s left"
            print(f"\r{line:<60}", end="", file=sys.stderr)

    try:
        repeats = write_zip(path, **arguments, progress=progress)
    except (ValueError, OSError) as error:
        if debug:
            raise
        print(f"python -m lines: error: {error}", file=sys.stderr)
        return 2
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(f"{path}: {arguments['count']} images, {repeats} repeated pictures passed over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
