"""Judges the images of a generator, or any others, beside real ones."""

import argparse
from pathlib import Path

from utils import cli
from utils.files import check_free
from utils.messages import count

parser = cli.parser(
    __doc__,
    "  python evaluate.py --generator run/gan/0001_output/generator.h5 --count 10000\n"
    "  python evaluate.py --generator generator.h5 --project 100\n"
    "  python evaluate.py --images new.zip --json new.json\n"
    "  python evaluate.py --generator generator.h5 --data mine.zip    trained on your own images\n"
    "Images of the sketch, which are also the default of --data, are judged by its law as well.",
)
judged = parser.add_mutually_exclusive_group()
judged.add_argument("--generator", help="a generator.h5; the newest under run/gan unless given")
judged.add_argument(
    "--images", metavar="ZIP", help="judge a zip or folder of images instead of a generator"
)
cli.add_range(parser)
parser.add_argument(
    "--data",
    metavar="ZIP",
    help="zip or folder of training images; those of python -m lines unless given",
)
parser.add_argument(
    "--count", type=cli.whole(8, 1_000_000), default=1000, help="judge at most this many images"
)
parser.add_argument(
    "--weight",
    type=cli.whole(most=37),
    help="of the lines, in pixels, odd; unless given, found in the training images, or 5 of 128",
)
parser.add_argument(
    "--project",
    type=cli.whole(8, 100_000),
    metavar="N",
    help="also search the generator for N real images, to see what it cannot draw; about 3 s an "
    "image on 2 cores",
)
parser.add_argument("--json", metavar="FILE", help="also write the figures to this JSON file")
parser.add_argument(
    "--report",
    type=cli.png,
    metavar="PNG",
    help="where to draw the report; report.png beside what is judged unless given",
)
cli.add_overwrite(parser)


def main(arguments: argparse.Namespace) -> None:
    """Prints a table, draws the report, and writes a JSON file if asked."""
    if arguments.images and arguments.project:
        raise ValueError("--project searches a generator: name one instead of --images")
    from lines.judge import judge_for
    from utils import quality, runs

    named = filter(None, (arguments.json, arguments.report))
    check_free(*named, overwrite=arguments.overwrite)
    source = Path(arguments.images or arguments.generator or runs.newest_generator())
    if arguments.images:
        from utils.loaders import read_images

        images = read_images(source, count=arguments.count)
        evaluation = quality.evaluate_images(images, judge_for, arguments.data, arguments.weight)
    else:
        from utils.generator import load_generator

        generator, project = load_generator(source, arguments.range), None
        if arguments.project:
            from models.search import project
        evaluation = quality.evaluate_generator(
            generator,
            judge_for,
            data=arguments.data,
            count=arguments.count,
            weight=arguments.weight,
            project=project,
            searched=arguments.project,
        )
    print(quality.figures_table(evaluation))
    if arguments.json:
        quality.write_json(arguments.json, evaluation, judged=str(source))
    report = Path(arguments.report or source.parent / "report.png")
    quality.draw_report(report, evaluation, f"{count(evaluation.count, 'image')} of {source}")
    print(f"The report is in {report}")


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
