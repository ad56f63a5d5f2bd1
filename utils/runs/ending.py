"""`end.json`: how the last session of a run ended, and what was made for that end alone.

A session may end between two sample grids and two scores. The grid and the scores of its end are
not those of a training that goes on, so they are kept apart: when the run continues they go, and it
ends like one that never stopped.
"""

import contextlib
import json
import os
from pathlib import Path

from utils.files import read_json, replacing
from utils.runs.folder import sample_path
from utils.runs.params import positive_int

_NAME = "end.json"
REASONS = ("epochs", "time", "interrupted", "stopped")


def write_end(
    folder: str | os.PathLike, reason: str, epoch: int, sample: bool, scores: dict | None
) -> None:
    """Writes `end.json`.

    Args:
        folder: the run folder.
        reason: one of `REASONS`: all epochs are done, the time is over, Ctrl-C or a signal, or a
            callback.
        epoch: the last one, counted from 0.
        sample: whether `images/sample_<epoch>.png` was made for this end.
        scores: a row of scores that `metrics.csv` does not have; None for none.
    """
    content = {"reason": reason, "epochs": epoch + 1, "sample": sample, "scores": scores}
    with replacing(Path(folder) / _NAME) as path:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def end_reason(folder: str | os.PathLike) -> str | None:
    """One of `REASONS`; None while a run goes on, and for one of an earlier version."""
    reason = _read(folder).get("reason")
    return reason if reason in REASONS else None


def end_scores(folder: str | os.PathLike) -> dict[str, float] | None:
    """The row of scores of the last session's end; None where there is none, or no such row."""
    scores = _read(folder).get("scores")
    if not isinstance(scores, dict) or type(scores.get("epoch")) is not int:
        return None
    return scores if all(type(v) in (int, float) for v in scores.values()) else None


def remove_end(folder: str | os.PathLike) -> None:
    """Deletes `end.json` and the sample grid that was made for it."""
    end = _read(folder)
    epochs = positive_int(end, "epochs")
    if end.get("sample") is True and epochs:
        sample_path(folder, epochs - 1).unlink(missing_ok=True)
    (Path(folder) / _NAME).unlink(missing_ok=True)


def _read(folder):
    content = None
    with contextlib.suppress(OSError, ValueError):
        content = read_json(Path(folder) / _NAME)
    return content if isinstance(content, dict) else {}
