"""Trains a WGAN-GP on a zip or a folder of images, or continues a training."""

import shlex
import sys

from utils import cli

parser = cli.parser(
    __doc__,
    "  python train.py                                  the reference training on output.zip\n"
    "  python train.py --dry-run                        how long would it take?\n"
    "  python train.py --data mine.zip --run-id 0002    on your own images\n"
    "The same command again continues where a training stopped.",
)
add = parser.add_argument
add("--data", default="output.zip", help="zip or folder of images")
add("--run-id", default="0001", help="first part of the run folder's name")
add("--new", action="store_true", help="set an earlier run of this name aside and begin again")
add("--preset", default="lines128", help="lines128, lines64, or either with -best behind it")
add("--checkpoint", metavar="FILE", help="to go back to; None: the run's last one")
add("--epochs", type=cli.whole(), help="generator updates in all; None: 1201, with -best 100000")
add("--minutes", type=cli.number(0.01), help="end after so many; None: only --epochs ends it")
add("--batch-size", type=cli.whole(), help="images per update; None: 16")
add("--print-every", type=cli.whole(), metavar="EPOCHS", help="between grids; None: 100 or 1000")
add("--rows", type=cli.whole(most=100), default=5, help="of the sample grids")
add("--columns", type=cli.whole(most=100), default=5, help="of the sample grids")
add("--n-critic", type=cli.whole(), help="critic updates per epoch; None: 5, with -best 1")
add("--seed", type=cli.whole(0), default=0, help="of weights, noise and order of images")
add("--image-size", type=cli.whole(most=512), help="32, 64 … 512 pixels; None: the preset's")
add("--width", type=cli.number(1 / 32, 8), help="factor of all filters; None: the preset's")
add("--channels", type=int, choices=(1, 3), default=3, help="1: grey, 3: in colours")
add("--augment", default="none", help="for few images: none, flip, transpose or diffaugment")
add("--precision", default="tf32", help="of convolutions: float32, tf32, bfloat16 or float16")
add("--save-minutes", type=cli.number(), default=10, metavar="MINUTES", help="between checkpoints")
add("--save-epochs", type=cli.whole(), metavar="EPOCHS", help="between checkpoints besides")
add("--keep", type=cli.whole(), default=3, help="how many of the last checkpoints stay")
add("--evaluate-every", type=cli.whole(0), metavar="EPOCHS", help="between scores; None: if cheap")
add("--on-nan", default="stop", help="at a loss that is no number: stop, or rollback")
add("--dry-run", action="store_true", help="print the configuration and the time, and stop")


def main(arguments):
    """Loads, builds or continues, trains; 130 where the training was interrupted."""
    from lines.judge import judge_for
    from models import checkpoint
    from models.presets import filled, preset
    from models.WGANGP import WGANGP
    from utils import runs
    from utils.dry_run import dry_run
    from utils.images import to_uint8
    from utils.loaders import load_images

    model = preset(arguments.preset, arguments.image_size, arguments.width, arguments.channels)
    a = filled(arguments)
    x_train = load_images(a.data, model["input_dim"][0], a.batch_size, a.seed, a.channels)
    own = {"seed": a.seed, "precision": a.precision, "augment": a.augment}
    gan = WGANGP(**model, batch_size=a.batch_size, **own)
    folder = runs.run_folder(a.run_id, a.data)
    if a.new and not a.dry_run and (aside := runs.set_aside(folder)):
        print(f"The earlier run is now in {aside}")
    if a.checkpoint or checkpoint.find(folder / "weights"):
        gan.load_weights(a.checkpoint or folder / "weights")
        print(f"Continuing {folder} after {gan.epoch} epochs.")
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


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
