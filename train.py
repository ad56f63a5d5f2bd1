"""Trains a WGAN-GP on a zip or a folder of images, or continues a training."""

import argparse
import contextlib
import dataclasses
import json
import shlex
import sys

from models.presets import FOLLOW_DATA, NAMES, preset
from models.recipe import AUGMENTATIONS, ON_NAN, PRECISIONS
from utils import cli
from utils.images import SIZES

parser = cli.parser(
    __doc__,
    "  python train.py                                  the reference training on output.zip\n"
    "  python train.py --dry-run                        how long will it take?\n"
    "  python train.py --data mine.zip --run-id 0002 --recipe fast    on your own images\n"
    "  python train.py --data mine.zip --run-id 0002    continues that run, with its own options\n"
    "The same command again continues where a training stopped.",
)
add = parser.add_argument
add("--data", default="output.zip", help="zip or folder of images")
add("--run-id", default="0001", help="first part of the run folder's name")
add("--new", action="store_true", help="set an earlier run of this name aside and begin again")
add(
    "--recipe",
    "--preset",
    default="reference",
    choices=NAMES,
    help="networks and hyperparameters: reference; fast, for your own images; lines, for pictures "
    "of rows and columns in few colours; or an earlier preset",
)
add("--config", metavar="FILE", help="take the options of this params.json, unless named here")
add("--checkpoint", metavar="FILE", help="continue from this one instead of the run's last")
add(
    "--start-from",
    metavar="RUN",
    help="begin a new run with the networks of this run folder, or with the generator of this "
    "generator.h5; both must have the same size, colours, recipe and width",
)
add("--epochs", type=cli.whole(), help="generator updates in all; else the preset's number")
add("--minutes", type=cli.number(0.01), help="time limit; without one, only --epochs ends it")
add("--batch-size", type=cli.whole(), help="images per update; else the preset's, 16")
add("--print-every", type=cli.whole(), metavar="EPOCHS", help="between two sample grids")
add("--log-every", type=cli.whole(), metavar="EPOCHS", help="between two lines of the log")
add(
    "--tensorboard",
    action=argparse.BooleanOptionalAction,
    help="also write losses, scores and samples for TensorBoard",
)
add("--rows", type=cli.whole(most=100), default=5, help="of the sample grids")
add("--columns", type=cli.whole(most=100), default=5, help="of the sample grids")
add("--n-critic", type=cli.whole(), help="critic updates per epoch; else the preset's number")
add("--seed", type=cli.whole(0), default=0, help="of weights, noise and order of images")
add(
    "--image-size",
    type=int,
    choices=SIZES,
    help="in pixels; else the recipe's, or the data's for fast and lines",
)
add(
    "--width", type=cli.number(1 / 32, 8), help="factor of all filters, or of the variants of lines"
)
add("--channels", type=int, choices=(1, 3), default=3, help="1 for grey, 3 for colours")
add("--augment", choices=AUGMENTATIONS, help="of the real images; else the recipe's")
add(
    "--held-back",
    type=cli.number(0, 0.5),
    metavar="SHARE",
    help="of the images, never trained on, to notice a critic that learns the others by heart",
)
add("--precision", choices=PRECISIONS, default="tf32", help="of convolutions")
add("--save-minutes", type=cli.number(), default=10, metavar="MINUTES", help="between checkpoints")
add("--save-epochs", type=cli.whole(), metavar="EPOCHS", help="between checkpoints, in addition")
add("--keep", type=cli.whole(), default=3, help="number of checkpoints that stay, the last ones")
add(
    "--evaluate-every",
    type=cli.whole(0),
    metavar="EPOCHS",
    help="between two scores, 0 for none; else as often as takes 3 %% of the time",
)
add("--on-nan", choices=ON_NAN, default="stop", help="what to do at a loss that is not finite")
add("--devices", type=cli.whole(word="all"), metavar="N", help="of this machine, or all; JAX only")
add("--coordinator", metavar="HOST:PORT", help="address of process 0, where several train")
add("--processes", type=cli.whole(), metavar="N", help="their number, on one machine or several")
add("--process", type=cli.whole(0), metavar="I", help="the number of this one, from 0")
add("--dry-run", action="store_true", help="print sizes, memory and time, and stop")
add("--verbose", action="store_true", help="print the whole configuration, too")

ONCE = (
    *("run_id", "new", "config", "checkpoint", "start_from", "dry_run", "verbose", "debug", "help"),
    *("data", "devices", "coordinator", "processes", "process"),
)
"""Options of one call, and those that hold for one machine: `params.json` has all the others."""


def main(a):
    """Loads the images, builds the model or continues it, trains; 130 where it was interrupted."""
    from lines.judge import judge_for
    from models.engines import distributed
    from models.session import open_session, preset_for
    from models.training.outputs import resume
    from models.training.start import start_from
    from utils.runs import data_rules, locked, run_folder
    from utils.sources import RULES

    if a.start_from and a.checkpoint:
        raise ValueError(
            "--start-from begins a new run and --checkpoint continues one: expected one of them"
        )
    a = settled(a)
    networks = {"image_size": a.image_size, "width": a.width, "channels": a.channels}
    settings = {n: getattr(a, n) for n in ("seed", "precision", "augment", "held_back")}
    chosen = preset_for(a.data, a.recipe, networks, settings)
    options = chosen.with_options(
        epochs=a.epochs,
        minutes=a.minutes,
        batch_size=a.batch_size,
        n_critic=a.n_critic,
        print_every_n_batches=a.print_every,
        rows=a.rows,
        columns=a.columns,
        save_minutes=a.save_minutes,
        save_epochs=a.save_epochs,
        keep=a.keep,
        evaluate_every=a.evaluate_every,
        on_nan=a.on_nan,
        log_every=a.log_every,
        tensorboard=a.tensorboard,
        command=kept(a, chosen.image_size),
    )
    folder = run_folder(a.run_id, a.data)
    with contextlib.ExitStack() as stack:
        group = distributed(a.devices, a.coordinator, a.processes, a.process)
        processes = stack.enter_context(group)
        rules = RULES if a.new else data_rules(folder)
        session = open_session(a.data, chosen, options, rules, processes)
        gan = session.gan
        if processes.is_first:
            mode = "new" if a.new and not a.dry_run else "auto"
            if folder.is_dir() and not (a.new or a.dry_run):
                stack.enter_context(locked(folder))  # before the checkpoint is read
            print(resume(gan, folder, mode, a.checkpoint))
            if a.start_from:
                print(start_from(gan, folder, a.start_from))
        if a.verbose:
            shown = dataclasses.asdict(options) | {"run_folder": str(folder), "model": gan.config}
            print(json.dumps(shown, indent=2))
        if a.dry_run:
            return report(gan, session.x_train, options)
        session.train(folder, judge_for)
        return end(gan, folder, options)


def settled(a):
    """The options typed; for the others what `--config` says, or the run that is continued.

    A length that is typed replaces another kind of length in a file, unless the recipe needs both.
    """
    from utils.runs import as_typed, named_options, read_command, run_folder

    named, config, own = named_options(parser), {}, {}
    if a.config:
        config = read_command(a.config, parser, ONCE)
        if config is None:
            raise ValueError(
                f"{a.config}: holds no options; expected the params.json of a run that train.py "
                "began, by this version or a later one"
            )
    folder = run_folder(a.run_id, a.data)
    # Several processes need one command: not each of their machines has the run folder.
    if (folder / "params.json").exists() and not (a.new or a.coordinator):
        own = read_command(folder / "params.json", parser, ONCE) or {}
    chosen = vars(a)
    recipe = preset((chosen | own | config | named)["recipe"]).recipe
    for options in (own, config, named):
        if "epochs" in options:
            chosen = chosen | {"minutes": None}
        elif "minutes" in options and not recipe.needs_epochs:
            chosen = chosen | {"epochs": None}
        chosen = chosen | options
    taken = {n: v for n, v in own.items() if chosen[n] == v and n not in {*config, *named}}
    if typed := as_typed(parser, taken):
        print(f"With the options of {folder}: {typed}")
    return argparse.Namespace(**chosen)


def kept(a, size):
    """The options that `params.json` keeps; the size of the images where the data gave it."""
    options = {name: value for name, value in vars(a).items() if name not in ONCE}
    if a.recipe in FOLLOW_DATA:
        options["image_size"] = size
    return {name: value for name, value in options.items() if value is not None}


def report(gan, x_train, options):
    """Prints where it would run, the size of the networks, memory and time; returns 0."""
    from models.training.forecast import foreseen, start_line
    from models.training.memory import check_memory

    print(start_line(gan))
    height, width, channels = gan.input_dim
    sizes = [f"{n.name} {n.count_params():,} parameters" for n in (gan.critic, gan.generator)]
    print(f"{height} × {width} × {channels} values an image, {', '.join(sizes)}")
    check_memory(gan)
    epochs = None if options.epochs is None else max(0, options.epochs - gan.epoch)
    seconds = gan.time_epoch(x_train, options.n_critic)
    rate = options.n_critic * options.batch_size / seconds
    print(f"one epoch: {seconds:.2f} s ({rate:.0f} images/s)")
    print(f"time: {foreseen(seconds, epochs, options.minutes)}")
    return 0


def continuing(words):
    """The words of a command line without the options that begin anew or go back."""
    kept, words = [], iter(words)
    for word in words:
        name, joined, _ = word.partition("=")
        if name in ("--checkpoint", "--start-from"):
            if not joined:
                next(words, None)  # its value
        elif name != "--new":
            kept.append(word)
    return kept


def end(gan, folder, options):
    """Prints how the training ended and how to continue; returns the exit code."""
    if gan.interrupted:
        epochs = gan.training["epochs"]
        planned = "" if epochs is None else f" of {epochs}"
        print(f"Stopped after {gan.epoch}{planned} epochs; everything is in {folder}")
        print(f"Continue with: python {shlex.join(continuing(sys.argv))}")
        return 130
    if options.minutes is not None and gan.epoch != gan.training["epochs"]:
        print(
            f"{options.minutes:g} minutes are over after {gan.epoch} epochs; the same command adds "
            "more"
        )
    if folder.is_dir():
        print(f"Samples, losses and generator.h5 are in {folder}")
    else:
        print(f"Nothing was trained, so there is no {folder}")
    return 0


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
