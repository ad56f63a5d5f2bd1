"""All runs as a table."""

import os
import time
from pathlib import Path

from utils.runs import state
from utils.runs.params import read_params, whole

COLUMNS = ("run", "data", "parameters", "epochs", "state", "best score", "last sample", "disk")

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def describe_run(folder: Path) -> tuple[str, ...]:
    """One row of the table, see `COLUMNS`: what is known of a run, however damaged; else `–`."""
    params = read_params(folder)
    done, planned = state.epochs_done(folder), whole(params["training"], "epochs")
    return (
        folder.name,
        str(params["training"].get("data") or "–"),
        "/".join(_parameters(folder / f"{name}.h5") for name in ("generator", "critic")),
        f"{done or '–'} of {planned or '–'}",
        state.run_status(folder),
        _best(folder),
        _last_sample(folder),
        _size(folder),
    )


def _parameters(path):
    from utils.hdf5 import read

    try:
        _, arrays = read(path, (), "model_weights")
    except (OSError, ValueError):
        return "–"
    count = sum(array.size for array in arrays.values())
    return f"{count / 1e6:.2f}M" if count >= 1e5 else f"{count}"


def _best(folder):
    row = state.best(state.scores(folder))
    if row is None:
        return "–"
    names = state.ranked(row)
    name = next((name for name in names if row[name]), next(iter(names)))  # that tells something
    return f"{name} {row[name]:.4g} at {row['epoch']}"


def _last_sample(folder):
    samples = state.samples(folder)
    if not samples:
        return "–"
    _, path = samples[-1]
    return f"{path.name}, {_duration(time.time() - state.changed(path))} ago"


def _duration(seconds):
    unit, length = next((u for u in _UNITS if seconds >= u[1]), _UNITS[-1])
    return f"{max(0, seconds) // length:.0f} {unit}"


def _size(folder):
    size = 0
    for place, _, names in os.walk(folder):  # does not follow links
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # deleted meanwhile
                continue
    return f"{size / 1e6:.1f} MB"


def runs_table(folders: list[Path]) -> str:
    """A line for each of the runs, under a line of headings."""
    rows = [COLUMNS, *map(describe_run, folders)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def find_runs(root: Path) -> list[Path]:
    """The run folders in `root`, by name.

    Raises:
        FileNotFoundError: there is no such folder, or no run in it.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder; expected one that holds run folders")
    found = sorted(folder for folder in root.iterdir() if state.is_run(folder))
    if not found:
        raise FileNotFoundError(f"{root}: holds no run; expected folders such as 0001_output")
    return found


def find_run(name: str, root: Path) -> Path:
    """A run by the path of its folder, or by its name in `root`.

    Raises:
        FileNotFoundError: it is neither.
    """
    for folder in (root / name, Path(name)):
        if state.is_run(folder):
            return folder
    raise FileNotFoundError(f"{name}: no run of that name in {root}, nor a run folder by that path")
