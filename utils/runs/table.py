"""All runs as a table."""

import os
import time
from pathlib import Path

from utils.messages import one_line
from utils.runs.folder import find_samples
from utils.runs.params import positive_int, read_params
from utils.runs.state import (
    best_scores,
    epochs_done,
    is_run,
    modified_time,
    ranking,
    run_status,
    shown_scores,
)

COLUMNS = ("run", "data", "parameters", "epochs", "state", "best score", "sampled", "disk")

WIDTH = 80
"""Characters of a line in any terminal."""

_DISPENSABLE = ("data", "parameters", "disk", "sampled")  # where a line is too short, in this order
_LONGEST = 60  # characters of a cell; names of folders and of data may come from anyone
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def table_row(folder: Path) -> tuple[str, ...]:
    """The row of one run, see `COLUMNS`; `–` for what its files do not say."""
    training = read_params(folder)["training"]
    done, planned = epochs_done(folder), positive_int(training, "epochs")
    state = run_status(folder)
    epochs = f"{done or '–'} of {planned or '–'}"
    return (
        folder.name,
        str(training.get("data") or "–"),
        "/".join(_parameters(folder / f"{name}.h5") for name in ("generator", "critic")),
        str(planned or "–") if state == "shipped" else epochs,
        state,
        _best_score(folder),
        _last_sample(folder),
        _size(folder),
    )


def _parameters(path):
    """The number of parameters of a network."""
    from utils.hdf5 import count_values

    try:
        total = count_values(path, "model_weights")
    except (OSError, ValueError):
        return "–"
    return f"{total / 1e6:.2f}M" if total >= 1e5 else f"{total}"


def _best_score(folder):
    """The first measure of the ranking that is not 0, which would say little."""
    scores = best_scores(shown_scores(folder))
    if scores is None:
        return "–"
    names = list(ranking(scores))
    name = next((name for name in names if scores[name]), names[0])
    return f"{name} {scores[name]:.4g} at {scores['epoch']}"


def _last_sample(folder):
    samples = find_samples(folder)
    if not samples:
        return "–"
    _, path = samples[-1]
    return f"{_duration(time.time() - modified_time(path))} ago"


def _duration(seconds):
    unit, length = next((u for u in _UNITS if seconds >= u[1]), _UNITS[-1])
    return f"{max(0, seconds) // length:.0f} {unit}"


def _size(folder):
    size = 0
    for parent, _, names in os.walk(folder):  # does not follow links
        for name in names:
            try:
                size += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # deleted meanwhile
                continue
    return f"{size / 1e6:.1f} MB"


def runs_table(folders: list[Path], width: int = WIDTH) -> str:
    """A line of headings, then a line for each run.

    Args:
        folders: the runs.
        width: characters of a line, at least `WIDTH`. Where they are too few, columns are left out;
            then the longest cells end in "…".
    """
    rows = [[one_line(cell, _LONGEST) for cell in table_row(f)] for f in folders]
    columns = dict(zip(COLUMNS, zip(COLUMNS, *rows, strict=True), strict=True))
    for name in _DISPENSABLE:
        if _total(columns) > width:
            del columns[name]
    while _total(columns) > width:
        name = max(columns, key=lambda name: max(map(len, columns[name])))
        longest = max(map(len, columns[name]))
        columns[name] = [one_line(cell, longest - 2) for cell in columns[name]]  # and an "…"
    widths = [max(map(len, column)) for column in columns.values()]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in zip(*columns.values(), strict=True)
    )
    return "\n".join(line.rstrip() for line in lines)


def _total(columns):
    return sum(max(map(len, column)) + 2 for column in columns.values()) - 2


def find_runs(root: Path) -> list[Path]:
    """The run folders in `root`, by name.

    Raises:
        FileNotFoundError: no such folder, or no run in it.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder; expected one that holds run folders")
    folders = sorted(folder for folder in root.iterdir() if is_run(folder))
    if not folders:
        raise FileNotFoundError(f"{root}: holds no run; expected folders such as 0001_output")
    return folders


def find_run(name: str, root: Path) -> Path:
    """A run by its name in `root`, or by the path of its folder.

    Raises:
        FileNotFoundError: there is no such run.
    """
    for folder in (root / name, Path(name)):
        if is_run(folder):
            return folder
    raise FileNotFoundError(f"{name}: no run of that name in {root}, nor a run folder by that path")
