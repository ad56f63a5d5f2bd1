"""One session of a training, in a process of its own that a test may kill.

`… -m tests.helpers.session DATA FOLDER EPOCHS` begins or continues as `train.py` does, with a tiny
model; with `--slowly` a test has the time to kill it within an epoch or a save.
"""

import os
import sys
import time
from pathlib import Path

from models.training import checkpoint
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, train

MODEL = TINY | {
    "critic_dropout_rate": 0.2,
    "generator_dropout_rate": 0.2,
    "penalty_every": 3,
    "generator_average": 100,
    "learning_rate_decay": 0.5,
}
"""Everything whose state a checkpoint must hold, or that depends on the epoch."""


def main(data, folder, epochs, slowly=None):
    """Saves every third epoch; slow, an epoch takes 0.05 s longer and a file 0.1 s."""
    gan = WGANGP(**MODEL)
    if checkpoint.find(Path(folder) / "weights"):
        gan.load_weights(Path(folder) / "weights")
    if slowly:
        after(os, "fsync", 0.1)
        after(gan, "train_epoch", 0.05)
    train(gan, data, folder, int(epochs), save_epochs=3, evaluate_every=4)


def after(owner, name, seconds):
    """Makes a function of `owner` wait when it is done."""
    function = getattr(owner, name)

    def waiting(*arguments):
        function(*arguments)
        time.sleep(seconds)

    setattr(owner, name, waiting)


if __name__ == "__main__":
    main(*sys.argv[1:])
