"""Judges the images of a generator, or any others, beside real ones."""

import argparse
from pathlib import Path

from utils import cli

parser = cli.parser(
    __doc__,
    "  python evaluate.py --generator run/gan/0001_output/generator.h5 --count 10000\n"
    "  python evaluate.py --generator generator.h5 --project 100\n"
    "  python evaluate.py --images new.zip --json new.json\n"
    "  python evaluate.py --generator generator.h5 --data mine.zip    trained on your own images\n"
    "Without --data, or with images of the sketch, every figure of their law is told.",
)
judged = parser.add_mutually_exclusive_group()
judged.add_argument("--generator", help="a generator.h5; None: the newest under run/gan")
judged.add_argument(
    "--images", metavar="ZIP", help="zip or folder of images; None: the generator's"
)
parser.add_argument(
    "--data", metavar="ZIP", help="the training images; None: those of python -m lines"
)
parser.add_argument(
    "--count", type=cli.whole(8, 1_000_000), default=1000, help="number of images, at most"
)
parser.add_argument(
    "--weight", type=cli.whole(most=37), help="of the lines, pixels, odd; None: 5 of 128, 3 of 64"
)
parser.add_argument(
    "--project",
    type=cli.whole(8, 100_000),
    metavar="N",
    help="search the generator for so many real images: what can it not draw? 3 s each on 2 cores",
)
parser.add_argument("--json", metavar="FILE", help="where to write the figures for programs")
parser.add_argument(
    "--report",
    type=cli.png,
    metavar="PNG",
    help="the report; None: report.png beside what is judged",
)


def main(arguments: argparse.Namespace) -> None:
    """A table on the screen, `report.png`, and a JSON file where one is wanted."""
    from lines.judge import judge_for
    from utils.drawing import draw_images
    from utils.generator import load_generator
    from utils.images import as_rgb
    from utils.loaders import read_images
    from utils.quality import add_coverage, draw_report, evaluate, figures_table, write_json
    from utils.runs import newest_generator

    if arguments.images and arguments.project:
        raise ValueError("--project searches a generator: name one instead of --images")
    what = Path(arguments.images or arguments.generator or newest_generator())
    if arguments.images:
        images = read_images(what, count=arguments.count)
    else:
        generator = load_generator(what)
        images = draw_images(generator, arguments.count)
    size, channels = images.shape[2:]
    training = read_images(arguments.data, size, channels=channels) if arguments.data else None
    images = images if arguments.data else as_rgb(images)
    law = judge_for(size, arguments.weight, training)
    if law:
        training = law.training_images()
    evaluation = evaluate(images, training, law)
    if arguments.project:
        add_coverage(evaluation, generator, training, law, arguments.project)
    print(figures_table(evaluation))
    if arguments.json:
        write_json(arguments.json, evaluation, judged=str(what), size=size)
    report = Path(arguments.report or what.parent / "report.png")
    draw_report(report, evaluation, f"{len(images)} images of {what}")
    print(f"The report is in {report}")


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
