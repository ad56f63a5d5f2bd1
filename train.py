"""Trains a WGAN-GP on a zip or a folder of images, or continues a training."""

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
add("--devices", type=cli.whole(word="all"), metavar="N", help="of this machine, or all; JAX only")
add("--coordinator", metavar="HOST:PORT", help="where process 0 of several is found; None: alone")
add("--processes", type=cli.whole(), metavar="N", help="how many, on one machine or several")
add("--process", type=cli.whole(0), metavar="I", help="the number of this one, from 0")
add("--dry-run", action="store_true", help="print the configuration and the time, and stop")


def main(arguments):
    """Trains, alone or with others; 130 where the training was interrupted."""
    from lines.judge import judge_for
    from models.engines.processes import joined
    from models.session import session

    with joined(arguments.devices, arguments.coordinator, arguments.processes, arguments.process):
        return session(arguments, judge_for)


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
