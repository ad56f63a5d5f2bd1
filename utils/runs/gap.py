"""Whether a critic still tells real images from generated ones, judged by its losses alone."""

import math
import os
from pathlib import Path

import numpy as np

from utils.runs.params import positive_int
from utils.runs.state import last_lines

WINDOW = 200
"""Epochs over which a critic is judged; the first ones, with their warm-up, never are."""

LOST = 0.53
"""A critic that puts the real image first in fewer of the pairs no longer tells them apart.

Of nine trainings that went well, 290,000 epochs, the worst window had 0.58.
"""


def chance_to_tell(losses: np.ndarray, batch_size: int) -> float:
    """The chance that a critic scores a real image above a generated one: 0.5 is a guess.

    Only the mean scores of each batch are known. Their gap g = −(R + F) has the mean m, and the
    noise s of the differences between consecutive epochs, which leave out any slow drift. Scores of
    single images then differ by m in the mean, with a deviation of √batch · s, and for normal
    scores the chance is Φ(m / (√batch · s)). It has no unit, so it means the same for every loss.

    Args:
        losses: rows [D, R, F, G], (n, 4), n of at least 2.
        batch_size: images per update.
    """
    gap = -(losses[:, 1] + losses[:, 2])
    noise = math.sqrt(np.mean(np.diff(gap) ** 2) / 2)
    mean = float(gap.mean())
    if not noise:
        return 0.5 if mean <= 0 else 1.0
    return 0.5 * (1 + math.erf(mean / (noise * math.sqrt(2 * batch_size))))


def lost_chance(losses: np.ndarray, epochs: int, model: dict) -> float | None:
    """`chance_to_tell` over the last `WINDOW` epochs, where the critic is lost; None where not.

    None, too, until `WINDOW` epochs have followed the first `WINDOW`, or the warm-up where that is
    longer.

    Args:
        losses: the last rows [D, R, F, G], (n, 4); all of them or the end.
        epochs: number of epochs done.
        model: the section of `params.json`.
    """
    warmup = positive_int(model, "warmup") or 0
    batch_size = positive_int(model, "batch_size")
    if not batch_size or len(losses) < WINDOW or epochs < WINDOW + max(WINDOW, warmup):
        return None
    chance = chance_to_tell(np.asarray(losses)[-WINDOW:], batch_size)
    return chance if chance < LOST else None


def lost_line(epoch: int, losses: list, model: dict) -> str:
    """What the log says after an epoch: a warning where a window ends that lost the critic.

    Empty in the middle of a window, and where the window before had lost it too. It depends on the
    losses alone, so a log that is written anew says the same.

    Args:
        epoch: counted from 0.
        losses: rows [D, R, F, G] up to this epoch or beyond.
        model: the section of `params.json`.
    """
    done = epoch + 1
    if done % WINDOW:
        return ""
    now, before = (
        lost_chance(np.array(losses[max(0, end - WINDOW) : end]), end, model)
        for end in (done, done - WINDOW)
    )
    return "" if now is None or before is not None else f"after epoch {epoch}: {describe_lost(now)}"


def describe_lost(chance: float) -> str:
    """Says what a lost critic means and what helps, as sentences."""
    return (
        "the critic no longer tells real images from generated ones: it scores the real one higher "
        f"in {chance:.0%} of pairs, and 50% is a guess. The generator learns hardly anything from "
        "it now. If the images are not good yet, begin again with less --augment, or with another "
        "--recipe."
    )


def lost_chance_of_run(folder: str | os.PathLike, model: dict) -> float | None:
    """`lost_chance` of a run folder now, from the end of its `losses.csv`."""
    rows = []
    for line in reversed(last_lines(Path(folder) / "losses.csv")):
        try:
            epoch, *values = map(float, line.split(","))
        except ValueError:
            break
        if len(values) != 5 or not all(map(math.isfinite, values)):
            break
        rows.append((epoch, *values[:4]))
        if len(rows) == WINDOW:
            break
    if not rows:
        return None
    return lost_chance(np.array(rows[::-1])[:, 1:], int(rows[0][0]) + 1, model)
