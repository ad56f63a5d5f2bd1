"""Run folders: `run/gan/<RUN_ID>_<data name>/`, their names and locks."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

ROOT = Path("run") / "gan"

_PATIENCE = 0.5  # seconds; `is_locked` of others holds a lock for less than a thousandth


def run_folder(run_id: str, data: str | os.PathLike, root: str | os.PathLike = ROOT) -> Path:
    """Where a run of `run_id` on a zip or folder `data` lives, e.g. `run/gan/0001_output`."""
    return Path(root) / f"{run_id}_{Path(data).resolve().stem}"


def newest_generator(root: str | os.PathLike = ROOT) -> Path:
    """The last `<root>/<run>/generator.h5` that was written, or else the one that comes along.

    Raises:
        FileNotFoundError: there is none.
    """
    for folder in (root, ROOT):
        found = sorted(Path(folder).glob("*/generator.h5"), key=os.path.getmtime)
        if found:
            return found[-1]
    raise FileNotFoundError(f"no generator.h5 under {root}: train one first, or name one")


def samples(folder: str | os.PathLike) -> list[tuple[int, Path]]:
    """The sample grids of a run folder, (epoch, path), in the order of their epochs.

    Raises:
        FileNotFoundError: there are none.
    """
    images = Path(folder) / "images"
    epochs = {path: path.stem.removeprefix("sample_") for path in images.glob("sample_*.png")}
    found = sorted((int(epoch), path) for path, epoch in epochs.items() if epoch.isdecimal())
    if not found:
        raise FileNotFoundError(f"{images}: no sample_0.png and so on; expected a run folder")
    return found


def make_run_folder(folder: str | os.PathLike) -> Path:
    """Makes `folder` with its `images`, `weights` and `viz`, as far as they are not there."""
    folder = Path(folder)
    for name in ("images", "weights", "viz"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other processes from training in `folder` during the block.

    The lock ends with the process, however that ends. Some network drives know no locks; there,
    nobody is kept away.

    Raises:
        BlockingIOError: another process trains there.
    """
    lock = filelock.FileLock(Path(folder) / ".lock")
    try:
        lock.acquire(timeout=_PATIENCE)
    except filelock.Timeout:
        raise BlockingIOError(
            f"{folder} is in use by another training; wait for it, stop it, or choose another "
            "run id"
        ) from None
    except NotImplementedError:
        pass
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: str | os.PathLike) -> bool:
    """Whether a process of this machine trains in `folder`; False where locks are not known."""
    lock = filelock.FileLock(Path(folder) / ".lock")
    if not Path(lock.lock_file).exists():
        return False  # and to ask would make one
    try:
        with lock.acquire(timeout=0):
            return False
    except filelock.Timeout:
        return True
    except (OSError, NotImplementedError):  # a folder for reading only, or a network drive
        return False


def set_aside(folder: str | os.PathLike) -> Path | None:
    """Renames a run folder to the first free `<folder>.old1`, `.old2` …, so that a new run begins.

    Returns:
        where it is now; None where there was none.

    Raises:
        BlockingIOError: another process trains there.
    """
    folder = Path(folder)
    if not folder.exists():
        return None
    with locked(folder):
        numbers = itertools.count(1)
        target = next(
            t for n in numbers if not (t := folder.with_name(f"{folder.name}.old{n}")).exists()
        )
    return folder.rename(target)


def check_still_there(folder: str | os.PathLike) -> None:
    """Raises FileNotFoundError where a run folder has vanished.

    Without this, whoever writes next would make a folder of that name on another disk.
    """
    if not (Path(folder) / "params.json").exists():
        raise FileNotFoundError(
            f"{folder} has vanished during the training; was the drive disconnected?"
        )


def continues(mode: str, folder: str | os.PathLike, saved: bool) -> bool:
    """Whether a session goes on with the run in `folder`.

    Args:
        mode: `auto`: yes where something was saved; `build`: begin; `load`: go on.
        folder: the run folder.
        saved: whether it holds a checkpoint.

    Raises:
        ValueError: an unknown mode, or `build` where a run was saved; FileNotFoundError: `load`
            where none was.
    """
    if mode not in ("auto", "build", "load"):
        raise ValueError(f'mode must be "auto", "build" or "load", received {mode!r}')
    if mode == "build" and saved:
        raise ValueError(
            f'{folder} holds a run already: continue it with mode = "auto", or choose another '
            "RUN_ID"
        )
    if mode == "load" and not saved:
        raise FileNotFoundError(
            f'{folder} holds no checkpoint: begin with mode = "auto", or correct RUN_ID, DATA or '
            "USE_DRIVE"
        )
    return saved


def describe(folder: str | os.PathLike, epoch: int, epochs: int) -> str:
    """What a session found in a run folder, and where it goes on, as a sentence.

    Args:
        folder: the run folder.
        epoch: epochs trained so far; 0 for a new run.
        epochs: that there will be in all.
    """
    if not epoch:
        return f"{folder}: a new run of {epochs} epochs"
    if epoch < epochs:
        return f"Found run {folder}: continuing after {epoch} of {epochs} epochs"
    return f"Found run {folder}: finished after {epoch} epochs; EPOCHS above {epoch} extends it"
