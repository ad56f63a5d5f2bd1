"""One training as `train.py` is asked for it: what it begins with, and what is said at its end."""

import shlex
import sys
from argparse import Namespace
from collections.abc import Callable

from models.engines import processes as team
from models.presets import filled, preset
from models.training import checkpoint
from models.training.memory import dry_run
from models.WGANGP import WGANGP
from utils import runs
from utils.images import to_uint8
from utils.loaders import load_images


def session(arguments: Namespace, judge_for: Callable) -> int:
    """Loads, builds or continues, trains.

    Args:
        arguments: of `train.py`.
        judge_for: makes the judge of the images along the way, as `lines.judge.judge.judge_for` does.

    Returns:
        the exit code: 0, or 130 where the training was interrupted.

    Raises:
        ValueError, OSError, FloatingPointError: see `WGANGP.train`.
    """
    model = preset(arguments.preset, arguments.image_size, arguments.width, arguments.channels)
    a = filled(arguments)
    x_train = load_images(a.data, model["input_dim"][0], a.batch_size, a.seed, a.channels)
    own = {"seed": a.seed, "precision": a.precision, "augment": a.augment}
    gan = WGANGP(**model, batch_size=a.batch_size, **own)
    folder = runs.run_folder(a.run_id, a.data)
    if team.current().first:
        _take_up(gan, folder, a)
    if a.dry_run:
        return dry_run(gan, x_train, folder, vars(a))
    gan.train(
        x_train,
        batch_size=a.batch_size,
        epochs=a.epochs,
        run_folder=folder,
        print_every_n_batches=a.print_every,
        n_critic=a.n_critic,
        using_generator=True,
        rows=a.rows,
        columns=a.columns,
        save_minutes=a.save_minutes,
        save_epochs=a.save_epochs,
        keep=a.keep,
        on_nan=a.on_nan,
        judge=judge_for(x_train.source.size, training=to_uint8(x_train[0][0])),
        evaluate_every=a.evaluate_every,
        minutes=a.minutes,
    )
    return _end(gan, folder, a)


def _take_up(gan, folder, a):
    """Goes on with what is in the run folder, unless it is to be set aside."""
    if a.new and not a.dry_run and (aside := runs.set_aside(folder)):
        print(f"The earlier run is now in {aside}")
    if a.checkpoint or checkpoint.find(folder / "weights"):
        gan.load_weights(a.checkpoint or folder / "weights")
        print(f"Continuing {folder} after {gan.epoch} epochs.")


def _end(gan, folder, a):
    """Says how the training ended and how to go on; the exit code."""
    if gan.interrupted:
        print(f"Stopped after {gan.epoch} of {a.epochs} epochs; everything is in {folder}")
        print(f"Continue with: python {shlex.join(sys.argv)}")
        return 130
    if gan.epoch < a.epochs:
        print(
            f"{a.minutes:g} minutes are over after {gan.epoch} epochs; the same command adds more"
        )
    print(f"Samples, losses and generator.h5 are in {folder}")
    return 0
