"""Judges the images of a generator, or any others, beside real ones."""

import argparse
from pathlib import Path

from utils import cli
from utils.files import check_free, shared_name
from utils.messages import count

parser = cli.parser(
    __doc__,
    "  python evaluate.py --generator run/gan/0001_output/generator.h5 --count 10000\n"
    "  python evaluate.py --generator run/gan/0002_mine/generator.h5 --data mine.zip\n"
    "  python evaluate.py --generator generator.h5 --data output.zip --project 100\n"
    "  python evaluate.py --images new.zip --data output.zip --json new.json\n"
    "Images of the sketch are judged by its law as well. A run that learned from output.zip, or\n"
    "from what python -m lines draws, is known by its params.json; others need --data.",
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
    help="zip or folder of training images; needed unless the run's params.json has the "
    "fingerprint of output.zip or of what python -m lines draws",
)
parser.add_argument(
    "--count", type=cli.whole(8, 1_000_000), default=1000, help="judge at most this many images"
)
parser.add_argument(
    "--weight",
    type=cli.whole(most=37),
    help="of the lines, in pixels, odd; found in the training images unless given. Without --data "
    "it says that the images are the sketch's",
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
    """Prints sentences and a table, draws the report, and writes a JSON file if asked."""
    if arguments.images and arguments.project:
        raise ValueError("--project searches a generator: name one instead of --images")
    from lines.dataset import write_zip
    from lines.judge import judge_for, usual_weight
    from utils import quality, runs

    named = filter(None, (arguments.json, arguments.report))
    check_free(*named, overwrite=arguments.overwrite)
    source = Path(arguments.images or arguments.generator or runs.newest_generator())
    data, weight = arguments.data, arguments.weight
    if arguments.images:
        from utils.loaders import read_images

        images = read_images(source, count=arguments.count)
        if not (data or weight):
            raise ValueError(
                f"{source}: name the real images with --data, or if these are the sketch's the "
                "--weight of its lines"
            )
        evaluation = quality.evaluate_images(images, judge_for, data, weight)
    else:
        from utils.generator import load_generator

        generator, project = load_generator(source, arguments.range), None
        size = generator.output_shape[2]
        if not (data or weight):
            weights = usual_weight(size), 5
            origin = runs.find_origin(source)
            data, weight = quality.learned_from(source, origin, size, weights, write_zip)
        if arguments.project:
            from models.search import project
        evaluation = quality.evaluate_generator(
            generator,
            judge_for,
            data=data,
            count=arguments.count,
            weight=weight,
            project=project,
            searched=arguments.project,
        )
    print("\n".join(quality.sentences(evaluation)))
    judged = shared_name(source)
    if arguments.json:
        quality.write_json(arguments.json, evaluation, judged=judged)
    report = Path(arguments.report or source.parent / "report.png")
    quality.draw_report(report, evaluation, f"{count(evaluation.count, 'image')} of {judged}")
    print(f"The pictures are in {report}\n\n{quality.figures_table(evaluation)}")


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
