"""Makes a data set of one's own pictures: squares of one size in a zip, and a report on them."""

import argparse

from PIL import ImageColor

from utils import cli
from utils.messages import one_line
from utils.prepare.dataset import prepare, report_path
from utils.prepare.findings import next_command, summary, training_time
from utils.prepare.squares import CROPS, Settings


def colour(text: str) -> tuple[int, int, int]:
    """A type for `add_argument`: an opaque colour, as RGB 0…255."""
    try:
        channels = ImageColor.getrgb(text)
    except ValueError:
        channels = ()
    if len(channels) != 3:
        raise argparse.ArgumentTypeError(
            f"expected a colour such as white or #f4efe6, received {one_line(repr(text))}"
        )
    return channels


def main(arguments: argparse.Namespace) -> None:
    """Prepares the data set and prints a summary."""
    a = arguments
    settings = Settings(a.size, a.crop, a.paper, grey=a.mode == "grey", every=a.every)
    findings = prepare(a.source, a.out, settings, a.keep_duplicates, a.overwrite)
    print(summary(findings))
    print(f"Report: {report_path(a.out)}")
    print(f"Next: {next_command(findings)}")
    print(training_time(findings))


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        __doc__,
        "  python -m utils.prepare drawings --out mine.zip\n"
        "  python -m utils.prepare scans.zip --out mine.zip --crop fit --paper '#f4efe6'\n"
        "  python -m utils.prepare wall.jpg --out mine.zip --crop tiles --mode grey\n"
        "  python -m utils.prepare film.mp4 --out mine.zip --every 10\n"
        "Then: python train.py --data mine.zip --run-id 0002 --recipe fast --minutes 60",
    )
    add = parser.add_argument
    add("source", metavar="SOURCE", help="folder, zip, film or picture; it is only read")
    add("--out", default="mine.zip", metavar="ZIP", help="the zip to write")
    add(
        "--size",
        type=cli.whole(8, 4096),
        default=128,
        metavar="PIXELS",
        help="width and height of the squares",
    )
    add(
        "--crop",
        choices=CROPS,
        default="center",
        help="center: the largest square in the middle; fit: the whole picture, with padding; "
        "tiles: many squares from each picture, without resampling",
    )
    add(
        "--paper",
        type=colour,
        default="white",
        metavar="COLOUR",
        help="colour of the padding and of transparent areas: a CSS name or #rrggbb",
    )
    add("--mode", choices=("rgb", "grey"), default="rgb", help="three channels or one")
    add(
        "--every",
        type=cli.whole(),
        default=1,
        metavar="N",
        help="use each N-th frame of films and animations",
    )
    cli.add_overwrite(parser)
    add("--keep-duplicates", action="store_true", help="keep squares that equal an earlier one")
    return parser


if __name__ == "__main__":
    cli.run(main, _parser().parse_args())
