"""Subcommands that make films: `walk`, `orbit`, `history`."""

import argparse
from pathlib import Path

from utils import cli
from utils.commands import (
    add_enlargement,
    add_seeds,
    chosen_images,
    open_for_seeds,
    seeds,
    subcommand,
)
from utils.drawing import (
    EASINGS,
    PATHS,
    FilmOptions,
    parse_seeds,
    save_history,
    save_orbit,
    save_walk,
)
from utils.files import check_free
from utils.messages import count, one_line


def add(commands) -> None:
    """Adds the subcommands."""
    for add_one in (_add_walk, _add_orbit, _add_history):
        add_one(commands)


def _add_walk(commands):
    walk = subcommand(
        commands,
        "walk",
        "a film that goes from image to image; where latents are categorical, one group after "
        "another fades from its old variant to its new one",
        "--seeds 3,8,12,3 --seconds 8\n"
        "--seeds 0-9 --loop --out new/loop.gif                 a loop without a seam\n"
        "--latents found/latents.npz --seeds 3,8               from what project found\n"
        "--seeds 3,8 --path straight --easing linear --out new/frames    a folder of PNGs",
        _walk,
    )
    add_seeds(walk, "3,8,12")
    walk.add_argument(
        "--path", choices=PATHS, default="sphere", help="shape of the path between two images"
    )
    walk.add_argument(
        "--easing", choices=EASINGS, default="smooth", help="smooth rests at each image"
    )
    walk.add_argument("--loop", action="store_true", help="return to the first image")
    _add_film(walk, "new/walk.mp4", "2 between two images, at least 1 for each categorical group")


def _add_orbit(commands):
    orbit = subcommand(
        commands,
        "orbit",
        "a film that circles around one image, a loop without a seam; where latents are "
        "categorical, one group after another changes and returns",
        "--seeds 7 --radius 0.4\n"
        "--latents found/latents.npz\n"
        "--seeds 7 --radius 1 --seconds 12 --out new/orbit.gif",
        _orbit,
    )
    add_seeds(orbit, "7", _one_seed, "the one seed in the centre")
    orbit.add_argument(
        "--radius",
        type=cli.number(0, 1),
        default=0.5,
        help="0: the image itself, 1: far from it; the share of groups that change",
    )
    _add_film(orbit, "new/orbit.mp4", "6")


def _add_history(commands):
    history = subcommand(
        commands,
        "history",
        "a film of a run's samples: how it learned",
        "--run run/gan/0001_output\n--run run/gan/demo_lines64 --fps 4 --out new/learned.gif",
        _history,
    )
    history.add_argument(
        "--run", help="a run folder (that of the newest generator.h5 unless given)"
    )
    history.add_argument("--fps", type=cli.number(0.1, 120), default=5, help="samples per second")
    add_enlargement(history)
    history.add_argument("--out", default="new/history.mp4", help="an .mp4, .gif or new folder")
    cli.add_overwrite(history)


def _one_seed(text):
    """A type for `add_argument`: text of a single seed."""
    if len(parse_seeds(seeds(text))) > 1:
        raise argparse.ArgumentTypeError(
            f"an orbit goes around one seed, received {one_line(text)}"
        )
    return text


def _add_film(parser, out, seconds):
    parser.add_argument("--fps", type=cli.number(1, 120), default=25, help="frames per second")
    parser.add_argument(
        "--seconds", type=cli.number(0.04, 86_400), help=f"in all ({seconds} unless given)"
    )
    add_enlargement(parser)
    parser.add_argument("--out", default=out, help="an .mp4, .gif or new folder for frames")
    cli.add_overwrite(parser)


def _walk(arguments):
    _check_free(arguments, ".npz")
    images = chosen_images(arguments)
    if len(images) < 2:
        raise ValueError("a walk needs at least two images, received 1: add --seeds or --latents")
    film = save_walk(
        arguments.out,
        open_for_seeds(arguments),
        images,
        _options(arguments),
        arguments.truncation,
        arguments.path,
        arguments.easing,
        arguments.loop,
    )
    _print_film(arguments.out, film)


def _orbit(arguments):
    _check_free(arguments, ".npz")
    centre = chosen_images(arguments)
    if len(centre) != 1:
        raise ValueError(
            f"an orbit goes around one image, received {len(centre):,}: give one seed, or a file "
            "that holds the latents of one image"
        )
    film = save_orbit(
        arguments.out,
        open_for_seeds(arguments),
        centre,
        _options(arguments),
        arguments.truncation,
        arguments.radius,
    )
    _print_film(arguments.out, film)


def _check_free(arguments, *suffixes):
    """Looks for the film, and for files of its name with other suffixes."""
    out = Path(arguments.out)
    if out.suffix:  # a folder must be new or empty
        others = map(out.with_suffix, suffixes)
        check_free(out, *others, overwrite=arguments.overwrite)


def _options(arguments: argparse.Namespace) -> FilmOptions:
    return FilmOptions(arguments.seconds, arguments.fps, arguments.scale, arguments.resampling)


def _print_film(out, film):
    frames = count(film.frames, "frame")
    print(f"{out}: {frames}, {film.seconds:g} s; their latents: {film.latents}")


def _history(arguments):
    from utils.runs import find_samples, newest_generator

    _check_free(arguments)
    run = Path(arguments.run or newest_generator().parent)
    samples = find_samples(run)
    if not samples:
        raise FileNotFoundError(
            f"{run / 'images'}: no sample_0.png and so on; expected a run folder"
        )
    save_history(arguments.out, samples, arguments.fps, arguments.scale, arguments.resampling)
    shown = count(len(samples), "sample")
    print(f"{arguments.out}: {shown} of {one_line(run)}, to epoch {samples[-1][0]}")
