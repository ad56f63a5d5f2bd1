"""Subcommands that make films: `walk`, `orbit`, `history`."""

from pathlib import Path

from utils import cli
from utils.commands import add_drawing, add_enlargement, open_drawing, subcommand


def add(commands) -> None:
    """Adds the subcommands."""
    walk = subcommand(
        commands,
        "walk",
        "a film that goes from image to image",
        "--seeds 3,8,12,3 --seconds 8\n"
        "--seeds 0-9 --loop --out new/loop.gif                 a loop without a seam\n"
        "--seeds 3,8 --path straight --easing linear --out new/frames    a folder of PNGs",
        _walk,
    )
    add_drawing(walk, "3,8,12")
    walk.add_argument("--path", choices=("sphere", "straight"), default="sphere", help="between")
    walk.add_argument(
        "--easing", choices=("smooth", "linear"), default="smooth", help="smooth rests at each seed"
    )
    walk.add_argument("--loop", action="store_true", help="go back to the first seed")
    _add_film(walk, "new/walk.mp4", "None: 2 for each step")
    orbit = subcommand(
        commands,
        "orbit",
        "a film that circles around one image, a loop without a seam",
        "--seeds 7 --radius 0.4\n--seeds 7 --radius 1 --seconds 12 --out new/orbit.gif",
        _orbit,
    )
    add_drawing(orbit, "7")
    orbit.add_argument(
        "--radius", type=cli.number(0, 1), default=0.5, help="0: the image, 1: far from it"
    )
    _add_film(orbit, "new/orbit.mp4", "None: 6")
    history = subcommand(
        commands,
        "history",
        "a film of a run's samples: how it learned",
        "--run run/gan/0001_output\n--run run/gan/demo_lines64 --fps 4 --out new/learned.gif",
        _history,
    )
    history.add_argument("--run", help="a run folder; None: that of the newest generator")
    history.add_argument("--fps", type=cli.number(0.1, 120), default=5, help="samples per second")
    add_enlargement(history, None)
    history.add_argument("--out", default="new/history.mp4", help="an .mp4, .gif or new folder")


def _add_film(parser, out, seconds):
    parser.add_argument("--fps", type=cli.number(1, 120), default=25, help="frames per second")
    parser.add_argument("--seconds", type=cli.number(0.04, 86_400), help=f"in all; {seconds}")
    add_enlargement(parser, None)
    parser.add_argument("--out", default=out, help="an .mp4, .gif or new folder for frames")


def _walk(arguments):
    """A film through all seeds."""
    from utils.drawing import walk

    path, generator, seeds, z = open_drawing(arguments)
    steps = len(seeds) - (not arguments.loop)
    options = arguments.path, arguments.easing, arguments.loop
    _film(
        arguments,
        (path, generator),
        lambda when: walk(z, when, *options),
        arguments.seconds or 2 * steps,
        loop=arguments.loop,
        seeds=seeds,
    )


def _orbit(arguments):
    """A film around one seed."""
    from utils.drawing import orbit

    path, generator, (seed, *others), (z, *_) = open_drawing(arguments)
    if others:
        raise ValueError(f"an orbit goes around one seed, received {arguments.seeds}")
    _film(
        arguments,
        (path, generator),
        lambda when: orbit(z, when, arguments.radius, seed),
        arguments.seconds or 6,
        loop=True,
        seeds=[seed],
    )


def _film(arguments, opened, path, seconds, loop, seeds):
    """Draws a path and writes its latents beside the film, or into the folder of frames."""
    import numpy as np

    from utils.drawing import Look, Recipe, along, digest, draw, save_latents, write_film

    name, generator = opened
    shape = generator.output_shape[1:]
    look = Look(_scale(arguments, shape[0]), arguments.resampling)
    look.check((1, *shape))
    path(np.zeros(1))  # says what is wrong before the film begins
    frames = max(2, round(arguments.fps * seconds))
    of = str(name), digest(name)
    pictures = (
        look.picture(image[None]) for z in along(path, frames, loop) for image in draw(generator, z)
    )

    each = (latent for z in along(path, frames, loop) for latent in z)

    def save_frame(file, picture):
        Recipe(next(each)[None], *of, look).save(file, picture)

    out = Path(arguments.out)
    write_film(out, pictures, frames, arguments.fps, save_frame)
    beside = out.with_suffix(".npz") if out.suffix else out / "latents.npz"
    chunks = along(path, frames, loop)
    save_latents(beside, chunks, (frames, generator.input_shape[1]), fps=arguments.fps, seeds=seeds)
    print(f"{out}: {frames} frames, {frames / arguments.fps:g} s; their latents are in {beside}")


def _history(arguments):
    """The sample grids of a run in the order of their epochs, the last one for two seconds."""
    import numpy as np
    from PIL import Image

    from utils.drawing import enlarge, label, write_film
    from utils.runs import newest_generator, samples

    run = Path(arguments.run or newest_generator().parent)
    found = samples(run)
    with Image.open(found[0][1]) as image:
        shape = image.size
    scale = _scale(arguments, max(shape))

    def frame(epoch, path):
        with Image.open(path) as image:
            if image.size != shape:
                raise ValueError(f"{path}: {image.size} pixels; expected {shape}, as the first has")
            pixels = np.asarray(image.convert("RGB"))
        return label(enlarge(pixels, scale, arguments.resampling), f"epoch {epoch}")

    rest = [found[-1]] * round(2 * arguments.fps)
    shown = [*found, *rest]
    write_film(arguments.out, (frame(*one) for one in shown), len(shown), arguments.fps)
    print(f"{arguments.out}: {len(found)} samples of {run}, to epoch {found[-1][0]}")


def _scale(arguments, pixels):
    """`--scale`, or what makes about 512 pixels."""
    return arguments.scale or max(1, round(512 / pixels))
