"""The state of a run, read from its files while it trains and after; damaged parts are skipped."""

import contextlib
import csv
import math
import os
import re
import time
from pathlib import Path

import numpy as np

from utils.files import read_text
from utils.messages import one_line
from utils.runs.ending import end_reason, end_scores
from utils.runs.folder import find_samples, is_locked
from utils.runs.params import positive_int, read_params

QUIET = 30
"""Seconds without a new epoch after which a run without a lock no longer counts as running."""

CRITIC_SCORES = ("critic_training", "critic_held_back", "critic_generated")
"""Columns of `metrics.csv`: the critic's mean scores, see `utils.quality.CriticScores`."""

_EPOCH = re.compile("([0-9]{1,12}),")  # at the beginning of a row of `losses.csv`
_TAIL_BYTES = 1 << 16  # the end of a log that is read
_RECENT_SAMPLES = 6  # for the speed
_RUN_FILES = ("params.json", "losses.csv", "images", "weights", "generator.h5")
_RANKINGS = (
    {"validity": 1, "structure": 1, "residual_median": -1},  # lines.judge.LineJudge
    {"swd": -1},  # utils.quality.ImageJudge
)
_NOT_RANKED = ("epoch", "diversity_ratio", *CRITIC_SCORES)  # columns that no judge measured


def is_run(folder: str | os.PathLike) -> bool:
    """Whether a folder holds anything that a training writes."""
    return any((Path(folder) / name).exists() for name in _RUN_FILES)


def last_lines(path: Path) -> list[str]:
    """The last complete lines of a text, from at most 64 KiB; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    lines = text.split("\n")[:-1]  # what follows the last end of line is still being written
    return lines[1:] if size > _TAIL_BYTES else lines


def epochs_done(folder: str | os.PathLike) -> int:
    """The number of epochs in `losses.csv`."""
    for line in reversed(last_lines(Path(folder) / "losses.csv")):
        if match := _EPOCH.match(line):
            return int(match[1]) + 1
    return 0


def read_losses(folder: str | os.PathLike) -> dict[str, np.ndarray]:
    """The columns of `losses.csv` by name, of equal length, without damaged rows."""
    names, rows = [], []
    with (
        contextlib.suppress(OSError),
        open(Path(folder) / "losses.csv", encoding="utf-8", errors="replace") as file,
    ):
        names = next(file, "").strip().split(",")
        for line in file:
            with contextlib.suppress(ValueError):
                values = [float(value) for value in line.split(",")]
                if len(values) == len(names) and all(map(math.isfinite, values)):
                    rows.append(values)
    return dict(zip(names, np.array(rows).T, strict=True)) if rows else {}


def read_scores(path: Path) -> list[dict[str, float]]:
    """The rows of a `metrics.csv`; empty where there is no such file.

    Raises:
        ValueError: no column `epoch`, or a value that is not a number.
    """
    if not path.exists():
        return []
    try:
        rows = list(csv.DictReader(read_text(path).splitlines()))
        if any("epoch" not in row for row in rows):
            raise ValueError("no column epoch")
        return [
            {name: int(v) if name == "epoch" else float(v) for name, v in row.items()}
            for row in rows
        ]
    except (TypeError, ValueError, csv.Error) as error:
        raise ValueError(
            f"{path}: not the scores of a training ({one_line(error)}); move it away to continue"
        ) from error


def find_scores(folder: str | os.PathLike) -> list[dict[str, float]]:
    """The rows of a run folder's `metrics.csv`; empty where there are none or they are damaged."""
    with contextlib.suppress(OSError, ValueError):
        return read_scores(Path(folder) / "metrics.csv")
    return []


def shown_scores(folder: str | os.PathLike) -> list[dict[str, float]]:
    """`find_scores`, and after them those of the generator that the last session left.

    The last row is then no regular one: it never decides which training is the best. Where the same
    epoch has a regular one, it stands in its place: that generator drew all its variants.
    """
    rows, end = find_scores(folder), end_scores(folder)
    if not end or (rows and (rows[-1]["epoch"] > end["epoch"] or rows[-1].keys() != end.keys())):
        return rows
    return [row for row in rows if row["epoch"] < end["epoch"]] + [end]


def ranking(scores: dict[str, float]) -> dict[str, int]:
    """The measures that decide which scores are better, the most important one first.

    The two judges of this project are recognised by their measures. Any other judge is ranked by
    the first thing it measures, the first column after `epoch` and `diversity_ratio`. The critic's
    own scores never decide: they say nothing about the images.

    Args:
        scores: a row of `metrics.csv`.

    Returns:
        1 by name where larger is better, -1 where smaller is better; empty without a measure.
    """
    for known in _RANKINGS:
        if known.keys() <= scores.keys():
            return known
    measures = [name for name in scores if name not in _NOT_RANKED]
    return {measures[0]: 1} if measures else {}


def rank(scores: dict[str, float]) -> tuple[float, ...]:
    """The values of a row's `ranking`, their signs such that a larger tuple is better."""
    return tuple(sign * scores[name] for name, sign in ranking(scores).items())


def best_scores(rows: list[dict[str, float]]) -> dict[str, float] | None:
    """The row of the training in `weights/best.h5`: the first one of the highest rank."""
    return max(rows, key=rank) if rows and ranking(rows[0]) else None


def seconds_per_epoch(folder: str | os.PathLike) -> float | None:
    """Seconds per epoch of late, samples and checkpoints included; None if unknown.

    Measured by the times of the files that epochs write. A session writes `params.json` when it
    begins, so files older than that, and the break before it, do not count.
    """
    folder = Path(folder)
    done = epochs_done(folder)
    files = [(epoch + 1, path) for epoch, path in find_samples(folder)[-_RECENT_SAMPLES:]]
    files.append((done, folder / "losses.csv"))
    began = modified_time(folder / "params.json")
    times = [(epochs, modified_time(path)) for epochs, path in files]
    points = [(epochs, written) for epochs, written in times if written >= began > 0]
    if len({epochs for epochs, _ in points}) < 2:
        points.append((_saved_before(folder, began), began))
    (first, start), (last, end) = min(points), max(points)
    return (end - start) / (last - first) if last > first and end > start else None


def _saved_before(folder: Path, began: float) -> int:
    """The epochs of the last checkpoint that was there when a session began; 0 without one."""
    epochs = {path: path.stem.removeprefix("checkpoint_") for path in folder.glob("weights/*.h5")}
    return max(
        (
            int(number)
            for path, number in epochs.items()
            if number.isdecimal() and modified_time(path) < began
        ),
        default=0,
    )


def run_status(folder: str | os.PathLike) -> str:
    """`waiting` for the first session, `running`, `finished`, `stopped`, or `shipped`.

    A run is finished when all planned epochs are done, or when the time that it was given is over.
    A shipped one has its generator, but nothing else that a training leaves.

    A run whose lock is held is running, however long an epoch takes. The lock of another machine
    cannot be seen: such a run is running if its last epoch is less than `QUIET` seconds old and has
    no checkpoint, which the end of a session would have saved.
    """
    folder = Path(folder)
    done, planned = epochs_done(folder), positive_int(read_params(folder)["training"], "epochs")
    if (folder / "generator.h5").exists() and not any(map(os.path.lexists, _left_by(folder))):
        return "shipped"
    if planned and done >= planned:
        return "finished"
    saved = (folder / "weights" / f"checkpoint_{done}.h5").exists()
    if is_locked(folder) or (seconds_since_last_epoch(folder) < QUIET and not saved):
        return "running"
    if end_reason(folder) == "time":
        return "finished"
    return "stopped" if modified_time(folder / "params.json") else "waiting"


def _left_by(folder):
    return [folder / name for name in ("losses.csv", "log.txt", "weights", "images")]


def seconds_since_last_epoch(folder: str | os.PathLike) -> float:
    """Seconds since the last epoch, or since the session began; infinite without a training."""
    folder = Path(folder)
    latest = max(modified_time(folder / name) for name in ("losses.csv", "params.json"))
    return max(0.0, time.time() - latest) if latest else math.inf


def modified_time(path: Path) -> float:
    """When a file was last written, in seconds since 1970; 0 without a file."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
