"""Scores during a training: `metrics.csv`, the best checkpoint, warnings."""

import csv
import itertools
import time
from pathlib import Path

import keras
from tqdm.auto import tqdm

from utils.drawing import draw_images
from utils.files import replacing
from utils.loaders import ImageStream
from utils.quality.critic import OVERFITTED, CriticScores
from utils.quality.similarity import ImageJudge, diversity
from utils.runs import rank, read_scores

IMAGES = 500
"""How many images are scored each time, those of seeds from 0."""

AFFORDABLE = 0.03
"""The largest share of the time that scores may take without being asked for."""

AFFORDABLE_AT_END = 0.1
"""The same of a session's time, for the one row at its end."""

COLLAPSED = 0.3
"""A generator with less than this share of the data's diversity has collapsed."""

_TRIED = 25  # images that are scored to estimate the cost


class Scores(keras.callbacks.Callback):
    """Scores the generator at regular epochs, and keeps the best training and generator.

    Each time adds a row to `metrics.csv`: the epoch, `diversity_ratio` (the mean distance between
    two images, divided by that of the data), what the judge measures, and the means of
    `CriticScores` where images are held back. `weights/best.h5` and `generator_best.h5` are those
    of the best row by `utils.runs.rank`.

    A collapse is reported, and so is a critic that learns the images by heart: once until it
    recovers. Where images are held back and the judge takes too much time for every grid, the
    critic alone is watched at the others.

    Args:
        folder: the run folder.
        stream: the training images.
        judge: an object with `measure(images)`, which takes uint8 (n, H, W, C) and returns numbers
            by name, as `utils.quality.ImageJudge` does; None for an `ImageJudge` of `stream`. The
            measures of this project's own judges are known, see `utils.runs.ranking`. Any other
            judge is ranked by its first measure, the first column after `epoch` and
            `diversity_ratio`: larger is better.
        every: epochs between two scores; 0 for never; None for as often as takes at most
            `AFFORDABLE` of the time: with every sample grid, or every 2nd, 5th, 10th, …
        print_every: epochs between two sample grids.
    """

    def __init__(self, folder: Path, stream: ImageStream, judge, every: int | None, print_every):
        super().__init__()
        self.path = Path(folder) / "metrics.csv"
        self.stream = stream
        self.judge = judge
        self.asked = self.every = every
        self.print_every = print_every

    def on_train_begin(self, logs=None):
        self.model.scores = [
            row for row in read_scores(self.path) if row["epoch"] < self.model.epoch
        ]
        if self.path.exists():
            self._write()
        self.began, self.first = time.monotonic(), self.model.epoch
        self.collapsed = self.overfitted = False
        self.diversity = None  # of the data; measured when it is first needed
        self.best = self.model.best_rank(self.path.parent)

    def on_epoch_end(self, epoch, logs=None):
        grid = epoch % self.print_every == 0
        if self.every is None and grid and epoch > self.first:
            self.every = self._affordable()
        if self.every and epoch % self.every == 0:
            self._score(epoch)
        elif self.asked is None and self.every is not None and grid:
            self._watch_critic(epoch)

    def _affordable(self):
        """Epochs between two scores that take at most `AFFORDABLE` of the time; 0 for no judge."""
        epochs = self.model.epoch - self.first
        period = self.print_every * (time.monotonic() - self.began) / epochs
        try:
            cost = self._cost()
        except ValueError as error:
            tqdm.write(f"Not scored during this training: {error}")
            return 0
        grids = _round_up(cost * (1 / AFFORDABLE - 1) / period)
        every = grids * self.print_every
        if grids > 1:
            tqdm.write(
                f"Scored every {every:,} epochs and at the end: with every sample grid, scores "
                f"would take {cost / (cost + period):.0%} of the time. evaluate_every "
                "(--evaluate-every) sets another number."
            )
        return every

    def _cost(self):
        """Seconds that a row of scores takes, an estimate."""
        self._measure(_TRIED)  # the first time takes longer
        few, more = (self._seconds(count) for count in (_TRIED, 3 * _TRIED))
        return few + max(0, more - few) * (IMAGES - _TRIED) / (2 * _TRIED)

    def _seconds(self, count):
        start = time.monotonic()
        self._measure(count)
        return time.monotonic() - start

    def at_end(self) -> dict[str, float] | None:
        """A row of scores of the generator that was saved last, in no file and without a rank.

        None where the last epoch has one of the same generator, where scores are off, or where one
        would take more than `AFFORDABLE_AT_END` of this session's time without being asked for.
        """
        epoch, scores = self.model.epoch - 1, self.model.scores
        scored = scores and scores[-1]["epoch"] == epoch
        if self.asked == 0 or (scored and self.model.chosen_generator is None):
            return None
        if self.asked is None and self.every != self.print_every:  # else it is known to be cheap
            allowed = AFFORDABLE_AT_END * (time.monotonic() - self.began)
            try:
                if self._cost() > allowed:
                    return None
            except ValueError:  # it was said, or the session was short
                return None
        measured, _ = self._measure(IMAGES, self.model.chosen_generator)
        return {"epoch": epoch} | measured

    def _watch_critic(self, epoch):
        if self.stream.held_back_count:
            self._warn_of_overfitting(epoch, self._critic_scores(self._draw(IMAGES)))

    def _draw(self, count, generator=None):
        return draw_images(generator or self.model.drawing_generator(), count)

    def _critic_scores(self, images):
        """`CriticScores` with these generated images; None where no image is held back."""
        if not self.stream.held_back_count:
            return None
        return CriticScores.measure(self.model.critic, self.stream, images)

    def _measure(self, count, generator=None):
        """A row of scores of `count` images but for its epoch, and the critic's scores."""
        if self.diversity is None:
            real = self._real()
            self.judge = self.judge or ImageJudge(real)
            self.diversity = diversity(real)
        images = self._draw(count, generator)
        # The diversity is 0 if all images of the data are the same.
        ratio = diversity(images) / self.diversity if self.diversity else 1.0
        row = {"diversity_ratio": ratio} | self.judge.measure(images)
        critic = self._critic_scores(images)
        return row | (critic.means() if critic else {}), critic

    def _real(self):
        count = min(IMAGES, self.stream.training_count)  # no image twice
        return self.stream.first(count)

    def _score(self, epoch):
        measured, critic = self._measure(IMAGES)
        row = {"epoch": epoch} | measured
        if self.model.scores and row.keys() != self.model.scores[0].keys():
            old = self.path.with_name(f"metrics_before_{epoch}.csv")
            self.path.rename(old)
            tqdm.write(f"The scores of another judge are now in {old}")
            self.model.scores = []
        value = rank(row)
        # Saved before the row is written: if the process is killed between the two, a row must not
        # claim a best training that was never saved.
        if self.best is None or len(self.best) != len(value) or value > self.best:
            self.model.save_best(self.path.parent, value)
            self.best = value
        self.model.scores.append(row)
        self._write()
        self._warn_of_collapse(row)
        if critic:
            self._warn_of_overfitting(epoch, critic)

    def _warn_of_collapse(self, row):
        """Prints a warning when the generator has collapsed, once until it recovers."""
        collapsed = row["diversity_ratio"] < COLLAPSED
        if collapsed and not self.collapsed:
            tqdm.write(
                f"The images of epoch {row['epoch']} are almost all alike: their diversity is "
                f"{row['diversity_ratio']:.0%} of that of the data. Early in a training this "
                "passes. Later it means that the generator has collapsed: resume from "
                "weights/best.h5 (--checkpoint), or begin again with a lower learning rate."
            )
        self.collapsed = collapsed

    def _warn_of_overfitting(self, epoch, critic):
        """Prints a warning when the critic has learned the images by heart, once until it recovers.

        The rule: held-back images have lost more than half of the way from training images to
        generated ones.
        """
        overfitted = critic.overfitting > OVERFITTED
        if overfitted and not self.overfitted:
            training, held_back, generated = critic.means().values()
            tqdm.write(
                f"At epoch {epoch} the critic knows the training images by heart: its mean score "
                f"is {training:.3g} on them, {held_back:.3g} on held-back ones and "
                f"{generated:.3g} on generated ones. From now on the images may get worse: keep "
                "generator_best.h5 (--evaluate-every) and stop earlier, or begin again with more "
                "images or, where the pictures allow it, --augment flip, flips, transpose or "
                "diffaugment."
            )
        self.overfitted = overfitted

    def _write(self):
        rows = self.model.scores
        with replacing(self.path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else ["epoch"])
            writer.writeheader()
            writer.writerows(
                {name: value if name == "epoch" else f"{value:.9g}" for name, value in row.items()}
                for row in rows
            )


def score_line(row: dict[str, float]) -> str:
    """One row of scores as a line of the log."""
    figures = ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
    return f"scores after epoch {row['epoch']}: {figures}"


def _round_up(number):
    """The smallest of 1, 2, 5, 10, 20, 50, … that is at least `number`."""
    steps = (step * 10**power for power in itertools.count() for step in (1, 2, 5))
    return next(step for step in steps if step >= number)
