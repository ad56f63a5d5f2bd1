"""What happens between two epochs: progress, log, sample grids, checkpoints."""

import contextlib
import csv
import math
import time
from pathlib import Path

import keras
from tqdm.auto import tqdm

from utils.files import replacing
from utils.loaders import ImageStream
from utils.messages import WHAT_HELPS
from utils.quality import Scores, score_line
from utils.runs import (
    check_still_there,
    lost_line,
    plot_convergence,
    remove_end,
    sample_path,
    write_end,
)

COLUMNS = ("epoch", "critic", "real", "fake", "penalty", "generator")
"""Columns of `losses.csv`."""

_BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} epochs [{elapsed}<{remaining}{postfix}]"
_BAR_BY_TIME = "{n_fmt} epochs [{elapsed} of %g minutes{postfix}]"


def log_line(
    epoch: int, n_critic: int, d_loss: list[float], g_loss: float, fine: bool = False
) -> str:
    """One epoch as a line of the log.

    `452 (5, 1) [D loss: (-92.2)(R -71.9, F -58.8, G 3.8)] [G loss: 41.4]`

    With `fine`, for losses around ln 2 and penalties far below 0.1, of which this would show 0.0:
    `452 (1, 1) [D loss: (0.61)(R -3.68, F 3.43, G 0.01)] [G loss: 0.96]`
    """
    if fine:
        critic = "({:.2f})(R {:.2f}, F {:.2f}, G {:.2g})".format(*d_loss)
        return f"{epoch} ({n_critic}, 1) [D loss: {critic}] [G loss: {g_loss:.2f}]"
    critic = "({:.1f})(R {:.1f}, F {:.1f}, G {:.1f})".format(*d_loss)
    return f"{epoch} ({n_critic}, 1) [D loss: {critic}] [G loss: {g_loss:.1f}]"


class StopOnFault(keras.callbacks.Callback):
    """Ends the training before anything is saved, where a loss is not finite or the folder is gone.

    Args:
        folder: the run folder; None where another process writes to it.
    """

    def __init__(self, folder: Path | None):
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        if self.folder:
            check_still_there(self.folder)
        values = dict(zip(COLUMNS[1:], losses_of(self.model, epoch), strict=True))
        faulty = {name: value for name, value in values.items() if not math.isfinite(value)}
        if faulty:
            raise FloatingPointError(
                f"epoch {epoch}: the loss is no longer finite ({faulty}); the last checkpoint is "
                f"untouched: {WHAT_HELPS}"
            )


class Log(keras.callbacks.Callback):
    """The progress bar, the log on the screen and in `log.txt`, and `losses.csv`.

    The log has a line for every `every`-th epoch, for every one that is scored, and for the last
    one; `losses.csv` has a line per epoch. When a training continues, both files are first written
    anew from the loss history, so they hold every epoch once, and no line tells where it stopped.

    Args:
        folder: the run folder.
        epochs: in all; None for no end.
        images_per_epoch: real images that one epoch trains on.
        n_critic: critic updates per epoch.
        every: epochs between two lines of the log.
        minutes: time limit of the training, shown instead of `epochs`; None for none.
    """

    def __init__(
        self,
        folder: Path,
        epochs: int | None,
        images_per_epoch: int,
        n_critic: int,
        every: int = 1,
        minutes: float | None = None,
    ):
        super().__init__()
        self.folder = Path(folder)
        self.epochs = epochs
        self.minutes = minutes
        self.images_per_epoch = images_per_epoch
        self.n_critic = n_critic
        self.every = every
        self._opened = contextlib.ExitStack()

    def on_train_begin(self, logs=None):
        self.close()  # a training that was rolled back begins again
        with replacing(self.folder / "losses.csv") as path, open(path, "w", newline="") as file:
            csv.writer(file).writerow(COLUMNS)
        with replacing(self.folder / "log.txt") as path:
            path.touch()
        # Line-buffered: what was printed is in the file, even after a kill.
        self.csv, self.text = (
            self._opened.enter_context((self.folder / name).open("a", newline="", buffering=1))
            for name in ("losses.csv", "log.txt")
        )
        self._logged = (-1, 0)  # the last epoch in the log, and its number of lines there
        for epoch in range(self.model.epoch):
            self._write(epoch)
        self.bar = tqdm(
            total=self.epochs,
            initial=self.model.epoch,
            bar_format=_BAR if self.minutes is None else _BAR_BY_TIME % self.minutes,
            dynamic_ncols=True,
        )
        self._opened.callback(self.bar.close)

    def on_epoch_end(self, epoch, logs=None):
        for line in self._write(epoch):
            self.bar.write(line)
        rate = self.bar.format_dict["rate"]
        if rate:
            speed = f"{rate * self.images_per_epoch:.0f} images/s"
            self.bar.set_postfix_str(speed, refresh=False)
        self.bar.update()

    def on_train_end(self, logs=None):
        if self.model.epoch:
            for line in self._log(self.model.epoch - 1):
                self.bar.write(line)
        self.close()

    def close(self):
        """Closes the files and the bar, also where the training fails."""
        self._opened.close()

    def _write(self, epoch: int) -> list[str]:
        """Writes an epoch to both files; returns its new lines of the log."""
        losses = losses_of(self.model, epoch)
        csv.writer(self.csv).writerow([epoch, *(f"{loss:.9g}" for loss in losses)])
        lost = lost_line(epoch, self.model.d_losses, self.model.config)
        due = epoch % self.every == 0 or self._scores(epoch) or lost
        return self._log(epoch, lost) if due else []

    def _log(self, epoch: int, lost: str = "") -> list[str]:
        """Writes to `log.txt` what it lacks of an epoch, and returns it."""
        *d_loss, g_loss = losses_of(self.model, epoch)
        fine = self.model.recipe.penalty == "zero-centred"
        lines = [log_line(epoch, self.n_critic, d_loss, g_loss, fine)]
        lines += [score_line(row) for row in self._scores(epoch)]
        lines += [lost] if lost else []
        last, count = self._logged
        self._logged = epoch, len(lines)
        new = lines[count if last == epoch else 0 :]
        self.text.writelines(f"{line}\n" for line in new)
        return new

    def _scores(self, epoch: int) -> list[dict[str, float]]:
        return [row for row in self.model.scores if row["epoch"] == epoch]


class StopAfter(keras.callbacks.Callback):
    """Ends the training a number of minutes from now, rollbacks included."""

    def __init__(self, minutes: float):
        super().__init__()
        self.end = time.monotonic() + 60 * minutes

    def on_epoch_end(self, epoch, logs=None):
        if time.monotonic() >= self.end:
            self.model.stop_training = True


class Samples(keras.callbacks.Callback):
    """A sample grid and `converge.png` every `print_every` epochs; the latter also at the end."""

    def __init__(self, folder: Path, print_every: int, rows: int, columns: int):
        super().__init__()
        self.folder = Path(folder)
        self.print_every = print_every
        self.grid = rows, columns
        self.plotted = 0  # epochs in `converge.png`

    def is_due(self, epoch: int) -> bool:
        """Whether a grid belongs to an epoch, also where the training does not end."""
        return epoch >= 0 and epoch % self.print_every == 0

    def on_epoch_end(self, epoch, logs=None):
        if self.is_due(epoch):
            self.model.sample_images(self.folder, *self.grid)
            self._plot()

    def on_train_end(self, logs=None):
        if self.model.epoch and self.plotted != self.model.epoch:
            self._plot()

    def _plot(self):
        self.plotted = self.model.epoch
        path = self.folder / "images" / "converge.png"
        losses = self.model.d_losses, self.model.g_losses
        plot_convergence(path, *losses, self.model.scores, self.model.config)


class End(keras.callbacks.Callback):
    """A sample grid and scores of the generator that a session leaves, once that is saved.

    They are there until the run continues, see `utils.runs.ending`. Regular ones do where there
    are any, unless the saved generator draws chosen variants, which the training does not.

    Args:
        folder: the run folder.
        samples: where the regular grids come from.
        scores: where the regular scores come from; None for no scores.
        epochs: in all; None for no end.
        minutes: time limit of the session; None for none.
    """

    def __init__(
        self,
        folder: Path,
        samples: Samples,
        scores: Scores | None,
        epochs: int | None,
        minutes: float | None,
    ):
        super().__init__()
        self.folder = Path(folder)
        self.samples = samples
        self.scores = scores
        self.epochs = epochs
        self.minutes = minutes

    def on_train_begin(self, logs=None):
        remove_end(self.folder)
        epoch = self.model.epoch - 1
        if self.samples.is_due(epoch) and not sample_path(self.folder, epoch).exists():
            self.model.sample_images(self.folder, *self.samples.grid)  # one of an end replaced it

    def on_train_end(self, logs=None):
        epoch, reason = self.model.epoch - 1, self._reason()
        chosen = self.model.chosen_generator
        own = chosen is not None or not self.samples.is_due(epoch)  # a grid of this end's own
        if own:
            write_end(self.folder, reason, epoch, own, None)
            self.model.sample_images(self.folder, *self.samples.grid, chosen)
        row = self.scores and self.scores.at_end()
        if row:
            tqdm.write(score_line(row))
            with (self.folder / "log.txt").open("a") as log:
                log.write(score_line(row) + "\n")
        if row or reason == "time":
            write_end(self.folder, reason, epoch, own, row)

    def _reason(self):
        if self.model.interrupted:
            return "interrupted"
        if self.model.epoch == self.epochs:
            return "epochs"
        return "stopped" if self.minutes is None else "time"


class Checkpoint(keras.callbacks.Callback):
    """Saves the training and both networks: by the clock, by epochs, and at the end.

    Args:
        folder: the run folder.
        minutes: between two saves.
        epochs: between two saves; None to save by the clock alone.
        keep: number of checkpoints that stay, the last ones.
        stream: of the data, which the generator of the end is compared with; None for no choice.
    """

    def __init__(
        self,
        folder: Path,
        minutes: float,
        epochs: int | None,
        keep: int,
        stream: ImageStream | None = None,
    ):
        super().__init__()
        self.folder = Path(folder)
        self.minutes = minutes
        self.epochs = epochs
        self.keep = keep
        self.stream = stream

    def on_train_begin(self, logs=None):
        self.saved = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        due = time.monotonic() - self.saved >= 60 * self.minutes
        if due or (self.epochs and (epoch + 1) % self.epochs == 0):
            self._save(None)

    def on_train_end(self, logs=None):
        self._save(self.stream)

    def _save(self, stream):
        check_still_there(self.folder)
        self.model.save_weights(self.folder, self.keep)
        self.model.save_model(self.folder, stream)
        self.saved = time.monotonic()


def losses_of(gan, epoch: int) -> list[float]:
    """The losses of one epoch, in the order of `COLUMNS`, after the epoch."""
    return [*gan.d_losses[epoch], gan.g_losses[epoch]]
