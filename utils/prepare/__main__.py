"""Makes a data set of one's own pictures: squares of one size in a zip, and a report on them."""

import argparse
import warnings

from PIL import ImageColor

from utils import cli
from utils.messages import one_line
from utils.prepare.dataset import prepare, report_path
from utils.prepare.findings import words
from utils.prepare.squares import CROPS, Settings


def paper(text: str) -> tuple[int, int, int]:
    """A type for `add_argument`: a colour."""
    try:
        colour = ImageColor.getrgb(text)
    except ValueError:
        colour = ()
    if len(colour) != 3:
        raise argparse.ArgumentTypeError(
            f"expected a colour such as white or #f4efe6, received {one_line(repr(text))}"
        )
    return colour


def main(arguments: argparse.Namespace) -> None:
    """Prepares, and says what came of it."""
    a = arguments
    # What Pillow warns of by the way, of bad tags and large sizes, would tear the progress bar.
    warnings.filterwarnings("ignore", module="PIL")
    settings = Settings(a.size, a.crop, a.paper, a.mode == "grey", a.every)
    print(words(prepare(a.source, a.out, settings, a.keep_duplicates)))
    print(f"The report is in {report_path(a.out)}")


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        __doc__,
        "  python -m utils.prepare drawings --out mine.zip\n"
        "  python -m utils.prepare scans.zip --out mine.zip --crop fit --paper '#f4efe6'\n"
        "  python -m utils.prepare wall.jpg --out mine.zip --crop tiles --mode grey\n"
        "  python -m utils.prepare film.mp4 --out mine.zip --every 10\n"
        "Then: python train.py --data mine.zip --run-id 0002",
    )
    add = parser.add_argument
    add("source", metavar="SOURCE", help="folder, zip, film or picture; it is only read")
    add("--out", default="mine.zip", metavar="ZIP", help="the zip to write")
    add("--size", type=cli.whole(8, 4096), default=128, help="width and height in pixels")
    add(
        "--crop",
        choices=CROPS,
        default="center",
        help="center: the largest square in the middle; fit: the whole picture, on paper; "
        "tiles: many squares of each picture, in its own pixels",
    )
    add(
        "--paper",
        type=paper,
        default="white",
        metavar="COLOUR",
        help="what transparency and padding get: a CSS name or #rrggbb",
    )
    add("--mode", choices=("rgb", "grey"), default="rgb", help="channels of the pictures")
    add("--every", type=cli.whole(), default=1, metavar="N", help="of films, each N-th frame")
    add("--keep-duplicates", action="store_true", help="keep pictures that come twice")
    return parser


if __name__ == "__main__":
    cli.run(main, _parser().parse_args())
