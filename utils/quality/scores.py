"""Scores along a training: `metrics.csv`, the best checkpoint, and a word where it collapses."""

import csv
import time
from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from utils.drawing import draw_images
from utils.files import replacing
from utils.images import to_uint8
from utils.loaders import ImageStream
from utils.quality.similarity import ImageJudge, diversity
from utils.runs import read_scores

IMAGES = 500
"""How many images, of the seeds from 0 on, are scored each time."""

AFFORDABLE = 0.03
"""Share of the time that scores may take unless they are asked for."""

COLLAPSED = 0.3
"""Share of the data's diversity under which a generator is said to have collapsed."""

_TRIED = 25  # images, to see what scores cost


class Scores(keras.callbacks.Callback):
    """Scores the generator every so many epochs, and keeps the best training and generator.

    `metrics.csv` has a row for each time: the epoch, `diversity_ratio` (the mean distance between
    two images, as a share of the data's), and what the judge measures. The best by the judge's
    `rank` lie in `weights/best.h5` and `generator_best.h5`.

    Args:
        folder: the run folder.
        stream: the training images.
        judge: has `measure(images)` and `rank(measured)`, as `utils.quality.similarity.ImageJudge`, which
            stands in for None.
        every: epochs between two scores; 0 for never; None for every `print_every`, where that
            takes no more than `AFFORDABLE` of the time.
        print_every: epochs between two sample grids.
    """

    def __init__(self, folder: Path, stream: ImageStream, judge, every: int | None, print_every):
        super().__init__()
        self.path = Path(folder) / "metrics.csv"
        self.stream = stream
        self.judge = judge
        self.every = every
        self.print_every = print_every

    def on_train_begin(self, logs=None):
        self.model.scores = [
            row for row in read_scores(self.path) if row["epoch"] < self.model.epoch
        ]
        if self.path.exists():
            self._write()
        self.began, self.first = time.monotonic(), self.model.epoch
        self.collapsed = False
        self.diversity = None  # of the data, once it is needed
        self.best = self.model.best_rank(self.path.parent)

    def on_epoch_end(self, epoch, logs=None):
        if self.every is None and epoch % self.print_every == 0 and epoch > self.first:
            self.every = self.print_every if self._affordable() else 0
        if self.every and epoch % self.every == 0:
            self._score(epoch)

    def _affordable(self):
        """Whether scores at every sample grid would take little enough of the time."""
        period = (time.monotonic() - self.began) / (self.model.epoch - self.first)
        try:
            self._measured(_TRIED)  # once for what only the first time takes
            few, more = (self._seconds(count) for count in (_TRIED, 3 * _TRIED))
        except ValueError as error:
            tqdm.write(f"Not scored along the way: {error}")
            return False
        cost = few + max(0, more - few) * (IMAGES - _TRIED) / (2 * _TRIED)
        share = cost / (cost + period * self.print_every)
        if share > AFFORDABLE:
            tqdm.write(
                f"Not scored along the way, which would take {share:.0%} of the time; "
                "evaluate_every (--evaluate-every) asks for it."
            )
        return share <= AFFORDABLE

    def _seconds(self, count):
        start = time.monotonic()
        self._measured(count)
        return time.monotonic() - start

    def _measured(self, count):
        if self.diversity is None:
            real = self._real()
            self.judge = self.judge or ImageJudge(real)
            self.diversity = diversity(real)
        images = draw_images(self.model.drawing_generator(), count)
        # Data of one picture have no diversity to compare with.
        ratio = diversity(images) / self.diversity if self.diversity else 1.0
        return {"diversity_ratio": ratio} | self.judge.measure(images)

    def _real(self):
        count = min(IMAGES, len(self.stream.source))  # each once
        batches = -(-count // self.stream.batch_size)
        images = np.concatenate([self.stream[k][0] for k in range(batches)])
        return to_uint8(images[:count])

    def _score(self, epoch):
        row = {"epoch": epoch} | self._measured(IMAGES)
        if self.model.scores and row.keys() != self.model.scores[0].keys():
            aside = self.path.with_name(f"metrics_before_{epoch}.csv")
            self.path.rename(aside)
            tqdm.write(f"Another judge's scores are now in {aside}")
            self.model.scores = []
        rank = self.judge.rank(row)
        # Before the row: a training that is killed in between must not take it for saved.
        if self.best is None or len(self.best) != len(rank) or rank > self.best:
            self.model.save_best(self.path.parent, rank)
            self.best = rank
        self.model.scores.append(row)
        self._write()
        collapsed = row["diversity_ratio"] < COLLAPSED
        if collapsed and not self.collapsed:
            tqdm.write(
                f"The images of epoch {epoch} are all much alike: {row['diversity_ratio']:.0%} of "
                "the diversity of the data. Early in a training that passes; later, the generator "
                "has collapsed: go back to weights/best.h5 (--checkpoint), or begin again with a "
                "lower learning rate."
            )
        self.collapsed = collapsed

    def _write(self):
        rows = self.model.scores
        with replacing(self.path) as beside, open(beside, "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else ["epoch"])
            writer.writeheader()
            writer.writerows(
                {name: value if name == "epoch" else f"{value:.9g}" for name, value in row.items()}
                for row in rows
            )


def score_line(row: dict[str, float]) -> str:
    """One row of scores as it stands in the log."""
    figures = ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
    return f"scores after epoch {row['epoch']}: {figures}"
