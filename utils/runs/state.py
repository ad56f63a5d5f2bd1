"""What the files of a run folder tell, while it runs and after: of damaged ones, what is whole."""

import contextlib
import csv
import math
import os
import time
from pathlib import Path

import numpy as np

from utils.runs import folder as runs
from utils.runs.params import read_params, whole

QUIET = 30
"""Seconds without a new epoch after which only a run whose lock is held is taken to go on."""

_TAIL = 1 << 16  # bytes of a log
_RECENT = 6  # files that the speed is told from
_RULES = ({"validity": 1, "structure": 1, "residual_median": -1}, {"swd": -1})
_LEAVES = ("params.json", "losses.csv", "images", "weights", "generator.h5")


def is_run(folder: str | os.PathLike) -> bool:
    """Whether something stands there that a training leaves, or is about to."""
    return any((Path(folder) / name).exists() for name in _LEAVES)


def tail(path: Path) -> list[str]:
    """The last whole lines of a text, of which no more than 64 KiB are read."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    lines = text.split("\n")[:-1]  # what follows the last end of line is still being written
    return lines[1:] if size > _TAIL else lines


def epochs_done(folder: str | os.PathLike) -> int:
    """How many epochs `losses.csv` holds."""
    for line in reversed(tail(Path(folder) / "losses.csv")):
        epoch = line.partition(",")[0]
        if epoch.isdecimal():
            return int(epoch) + 1
    return 0


def read_losses(folder: str | os.PathLike) -> dict[str, np.ndarray]:
    """The columns of `losses.csv` by name, of equal length; rows that are damaged are left out."""
    names, rows = [], []
    with (
        contextlib.suppress(OSError, csv.Error),
        open(Path(folder) / "losses.csv", errors="replace", newline="") as file,
    ):
        reader = csv.reader(file)
        names = next(reader, [])
        for row in reader:
            with contextlib.suppress(ValueError):
                values = [float(value) for value in row]
                if len(values) == len(names) and all(map(math.isfinite, values)):
                    rows.append(values)
    return dict(zip(names, np.array(rows).T, strict=True)) if rows else {}


def samples(folder: str | os.PathLike) -> list[tuple[int, Path]]:
    """As `utils.runs.folder.samples`, but empty where there are none."""
    with contextlib.suppress(OSError):
        return runs.samples(folder)
    return []


def read_scores(path: Path) -> list[dict[str, float]]:
    """The rows of a `metrics.csv`; none where there is no such file.

    Raises:
        ValueError: it holds something that is no number.
    """
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        if any("epoch" not in row for row in rows):
            raise ValueError("no column epoch")
        return [
            {name: int(v) if name == "epoch" else float(v) for name, v in row.items()}
            for row in rows
        ]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: not the scores of a training ({error}); move it away to continue"
        ) from error


def scores(folder: str | os.PathLike) -> list[dict[str, float]]:
    """As `read_scores`, but empty where they are damaged."""
    with contextlib.suppress(OSError, ValueError, csv.Error):
        return read_scores(Path(folder) / "metrics.csv")
    return []


def ranked(row: dict[str, float]) -> dict[str, int]:
    """By which measures the judge of a training ranked this row: 1 for more is better, or -1.

    As `rank` of `lines.judge.judge.LineJudge` and `utils.quality.similarity.ImageJudge`, told apart by what they
    measure; empty for a judge of one's own, of which nothing is known here.
    """
    return next((rule for rule in _RULES if rule.keys() <= row.keys()), {})


def rank(row: dict[str, float]) -> tuple[float, ...]:
    """The rank of a row by `ranked`, larger for better images."""
    return tuple(sign * row[name] for name, sign in ranked(row).items())


def best(rows: list[dict[str, float]]) -> dict[str, float] | None:
    """The row whose training is in `weights/best.h5`: the first of those that rank highest."""
    return max(rows, key=rank) if rows and ranked(rows[0]) else None


def seconds_per_epoch(folder: str | os.PathLike) -> float | None:
    """How long an epoch takes of late, with all that happens in between; None if unknown.

    It is told from the times of the files that an epoch leaves. `params.json` is written where a
    session begins, so what lies before it, and the break in between, does not count.
    """
    folder = Path(folder)
    done = epochs_done(folder)
    files = [(epoch + 1, path) for epoch, path in samples(folder)[-_RECENT:]]
    files.append((done, folder / "losses.csv"))
    began = changed(folder / "params.json")
    points = [(epochs, when) for epochs, path in files if (when := changed(path)) >= began > 0]
    if len({epochs for epochs, _ in points}) < 2:
        points.append((_saved_before(folder, began), began))
    (first, start), (last, end) = min(points), max(points)
    return (end - start) / (last - first) if last > first and end > start else None


def _saved_before(folder: Path, began: float) -> int:
    """How many epochs the last checkpoint had that a session can have begun with."""
    names = {path: path.stem.removeprefix("checkpoint_") for path in folder.glob("weights/*.h5")}
    return max(
        (int(n) for path, n in names.items() if n.isdecimal() and changed(path) < began), default=0
    )


def run_status(folder: str | os.PathLike) -> str:
    """`waiting` for the first session, `running`, `finished` or `stopped`.

    Running is what holds its lock, however long an epoch takes. A training on another machine,
    whose lock is not seen, is told by an epoch of the last `QUIET` seconds, unless that was saved
    as the end of a session is.
    """
    folder = Path(folder)
    done, planned = epochs_done(folder), whole(read_params(folder)["training"], "epochs")
    if planned and done >= planned:
        return "finished"
    saved = (folder / "weights" / f"checkpoint_{done}.h5").exists()
    if runs.is_locked(folder) or (age(folder) < QUIET and not saved):
        return "running"
    return "stopped" if changed(folder / "params.json") else "waiting"


def age(folder: str | os.PathLike) -> float:
    """Seconds since the last epoch, or since the training began; infinite for no training."""
    folder = Path(folder)
    latest = max(changed(folder / name) for name in ("losses.csv", "params.json"))
    return max(0.0, time.time() - latest) if latest else math.inf


def changed(path: Path) -> float:
    """When a file was last written, in seconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
