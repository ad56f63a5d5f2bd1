"""What a training says when it begins: what it runs on, and the time that is foreseen."""

import time
from importlib.metadata import version

import keras
from tqdm.auto import tqdm

from models import engines
from utils.frameworks import FRAMEWORKS
from utils.messages import count

_LEAST = 1.0  # seconds that are measured

_UNITS = (("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400))


def start_line(gan) -> str:
    """The devices, the framework and the precision of a training, as one line."""
    kind, name = engines.load().device()
    devices = gan.processes.devices
    where = f"{devices} × {kind}" if devices > 1 else kind
    if kind == "CPU":
        where += " (no GPU found; see docs/training.md)"
    elif name:
        where += f" ({name})"
    backend = keras.config.backend()
    framework = f"{FRAMEWORKS[backend]} {'.'.join(version(backend).split('.')[:2])}"
    # Only GPUs compute with the 10 bits of tf32.
    precision = gan.recipe.dtype if kind == "CPU" else gan.recipe.precision
    return f"Training on {where}, {framework}, {precision}"


def foreseen(seconds: float, epochs: int | None, minutes: float | None) -> str:
    """How long a training takes, or how far it comes, as the end of a sentence.

    Args:
        seconds: of one epoch.
        epochs: those that are left; None for no end.
        minutes: the time limit; None for none.
    """
    if epochs == 0:
        return "no epoch is left"
    if minutes is not None and (epochs is None or 60 * minutes < epochs * seconds):
        reached = count(max(1, round(60 * minutes / seconds)), "epoch")
        return f"about {reached} in {minutes:g} minutes"
    if epochs is None:
        return "no end is planned"
    return f"about {duration(epochs * seconds)} for {count(epochs, 'epoch')}"


def duration(seconds: float) -> str:
    """A time in the largest unit of which there are two: "90 minutes", "2.5 hours"."""
    unit, length = next((u for u in reversed(_UNITS) if seconds >= 2 * u[1]), _UNITS[0])
    if length >= 3600:
        return f"{seconds / length:.1f} {unit}s"
    return count(max(1, round(seconds / length)), unit)


class Forecast(keras.callbacks.Callback):
    """Prints once how long the training will take, by its first epochs.

    Args:
        epochs: in all; None for no end.
        minutes: the time limit of the training; None for none.
        cycle: epochs in which every kind of update occurs. They are compiled in the first ones,
            which are not measured.
    """

    def __init__(self, epochs: int | None, minutes: float | None, cycle: int):
        super().__init__()
        self.epochs = epochs
        self.minutes = minutes
        self.cycle = cycle
        self.seen = 0
        self.said = False

    def on_epoch_end(self, epoch, logs=None):
        self.seen += 1
        if self.seen == self.cycle:
            self.began = time.monotonic()
        elif not self.said and self.seen % self.cycle == 0:
            passed = time.monotonic() - self.began
            if passed >= _LEAST and epoch + 1 != self.epochs:
                self._say(passed / (self.seen - self.cycle), epoch + 1)

    def _say(self, seconds, done):
        left = None if self.epochs is None else self.epochs - done
        tqdm.write(f"{seconds:.2g} s per epoch: {foreseen(seconds, left, self.minutes)}")
        self.said = True
