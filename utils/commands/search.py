"""Subcommand that looks for a picture among those of a generator: `project`."""

from pathlib import Path

from utils import cli
from utils.commands import add_generator, open_generator, subcommand

_SHOWN = 256  # pixels, about, of an image in the comparison and in the film
_FPS = 10


def add(commands) -> None:
    """Adds the subcommand."""
    project = subcommand(
        commands,
        "project",
        "the latents that draw what comes nearest to a picture of yours",
        "drawing.png\n"
        "drawing.png --generator run/gan/0001_output/generator.h5 --out found/\n"
        "drawing.png --starts 64 --steps 1000      longer, and sometimes nearer",
        _project,
    )
    project.add_argument("picture", help="any picture; what is not square is cropped")
    add_generator(project)
    project.add_argument(
        "--starts", type=cli.whole(most=2000), default=16, help="latents that the search begins at"
    )
    project.add_argument(
        "--steps", type=cli.whole(most=1_000_000), default=400, help="of the best of them"
    )
    project.add_argument("--seed", type=cli.whole(0), default=0, help="of the starts")
    project.add_argument("--out", default="found", help="folder for what is found")


def _project(arguments):
    """`found.png`, `comparison.png`, `search.gif` and `latents.npz`."""
    import threading

    from models.projection import project
    from utils.drawing import Recipe, digest
    from utils.images import to_channels
    from utils.loaders import read_picture

    out = Path(arguments.out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; expected a folder for what is found (--out)")
    path, generator = open_generator(arguments)
    height, width, channels = generator.output_shape[1:]
    if height != width:
        raise ValueError(f"{path}: draws {height}×{width} pixels; expected a square")
    given = to_channels(read_picture(arguments.picture, height)[None], channels)
    stop = threading.Event()
    with cli.stop_on_signals(stop.set, "Stopping: the best so far is saved."):
        found = project(
            generator,
            given,
            arguments.starts,
            arguments.steps,
            arguments.seed,
            stop.is_set,
        )
    _save(out, arguments, given, found, Recipe(found.latents, str(path), digest(path)))
    last = found.times[-1]
    early = f" (stopped after {last} steps)" if last < arguments.steps else ""
    _film(out / "search.gif", generator, given, found)
    print(f"Mean absolute error {found.errors[0]:.2f} of 255{early}")
    print(f"found.png, comparison.png, search.gif and latents.npz are in {out}")


def _save(out, arguments, given, found, recipe):
    """What was found alone, beside what was given, and as latents."""
    import numpy as np

    from utils.drawing import Look, save_latents
    from utils.images import save_picture

    error = found.errors[0]
    recipe.save(out / "found.png", found.images[0])
    difference = np.abs(given.astype(np.int16) - found.images).astype(np.uint8)
    labels = ("given", f"found, {error:.1f} of 255 off", "difference")
    look = Look(max(1, _SHOWN // given.shape[1]), columns=3, labels=labels)
    save_picture(
        out / "comparison.png", look.picture(np.concatenate([given, found.images, difference]))
    )
    save_latents(
        out / "latents.npz",
        [found.latents],
        found.latents.shape,
        error=error,
        picture=arguments.picture,
        seed=arguments.seed,
        starts=arguments.starts,
        steps=found.times[-1],
    )


def _film(path, generator, given, found):
    """The given picture, and beside it the way of the start that won; the end rests a second."""
    import numpy as np

    from utils.drawing import Look, draw, write_film

    size = given.shape[1]
    drawn = draw(generator, found.history[:, 0])
    errors = np.abs(drawn.astype(np.int16) - given).mean((1, 2, 3))
    entries = [*range(len(drawn)), *[len(drawn) - 1] * _FPS]

    def frame(i):
        labels = ("given", f"step {found.times[i]}, {errors[i]:.1f} of 255 off")
        look = Look(max(1, _SHOWN // size), columns=2, labels=labels)
        return look.picture(np.stack([given[0], drawn[i]]))

    write_film(path, map(frame, entries), len(entries), _FPS)
