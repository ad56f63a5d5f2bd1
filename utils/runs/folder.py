"""Run folders, `run/gan/<RUN_ID>_<data name>/`: paths, what is in them, locks."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from utils.messages import one_line
from utils.runs.params import read_params
from utils.sources import RULES, rules_of

ROOT = Path("run") / "gan"

SHIPPED = ("0000_lines128", "0000_lines64")
"""Runs that come with the project, dated by a checkout; the last one is drawn with first."""

_LOCK_TIMEOUT = 0.5  # seconds; `is_locked` of another process holds a lock for less than 1 ms


def run_folder(run_id: str, data: str | os.PathLike, root: str | os.PathLike = ROOT) -> Path:
    """The folder of run `run_id` on the zip or folder `data`, e.g. `run/gan/0001_output`.

    A run that began under the name that earlier versions gave it keeps that: without what follows
    the last dot in the name of a folder.

    Raises:
        ValueError: `run_id` is not the name of one folder.
    """
    if (
        not run_id
        or run_id.startswith(".")
        or any(c in "/\\:" or not c.isprintable() for c in run_id)
    ):
        raise ValueError(
            f"run id {one_line(repr(run_id))}: expected one name, such as 0002 or birds, without / "
            "and : and not beginning with a dot"
        )
    data = Path(data).resolve()
    name = data.stem if data.suffix.lower() == ".zip" else data.name
    folder, earlier = (Path(root) / f"{run_id}_{n}" for n in (name, data.stem))
    if not folder.exists() and read_params(earlier)["training"].get("data") == data.name:
        return earlier
    return folder


def data_rules(folder: str | os.PathLike) -> int:
    """The rules by which the run in a folder found its images, see `utils.sources.RULES`."""
    fingerprint = read_params(folder)["training"].get("data_fingerprint")
    return rules_of(fingerprint) if isinstance(fingerprint, str) else RULES


def newest_generator(root: str | os.PathLike = ROOT) -> Path:
    """The `<root>/<run>/generator.h5` written last; without any, the newest one under `ROOT`.

    One that comes with the project is older than all others, see `SHIPPED`.

    Raises:
        FileNotFoundError: neither folder has one.
    """
    for folder in (root, ROOT):
        generators = sorted(Path(folder).glob("*/generator.h5"), key=_age)
        if generators:
            return generators[-1]
    raise FileNotFoundError(f"no generator.h5 under {root}: train one first, or name one")


def find_generators(root: str | os.PathLike = ROOT) -> list[Path]:
    """Every `generator.h5` and `generator_best.h5` of the runs in `root`, the newest first."""
    return sorted(Path(root).glob("*/generator*.h5"), key=_age, reverse=True)


def _age(generator):
    """Larger for a newer one; its first number is 0 for those that come along."""
    name = generator.parent.name
    return (0, SHIPPED.index(name)) if name in SHIPPED else (1, generator.stat().st_mtime)


def find_critic(generator: str | os.PathLike) -> Path:
    """The `critic.h5` that a training wrote beside its `generator.h5`.

    Every checkpoint comes with both files, of the same epoch.

    Raises:
        ValueError: a file of another name, such as `generator_best.h5`, which may be of an earlier
            epoch.
        FileNotFoundError: there is no critic.
    """
    generator = Path(generator)
    if generator.name != "generator.h5":
        raise ValueError(
            f"{generator}: no critic of the same epoch is kept for it, only for the generator.h5 "
            "of a run; name that one, or draw without a critic"
        )
    critic = generator.with_name("critic.h5")
    if not critic.is_file():
        raise FileNotFoundError(
            f"{generator} has no critic.h5 beside it, which only a training writes; name the "
            "generator.h5 of a run folder, or draw without a critic"
        )
    return critic


def find_samples(folder: str | os.PathLike) -> list[tuple[int, Path]]:
    """The sample grids of a run folder, (epoch, path), by epoch; empty where none can be read."""
    samples = []
    with contextlib.suppress(OSError):
        for path in (Path(folder) / "images").glob("sample_*.png"):
            epoch = path.stem.removeprefix("sample_")
            if epoch.isdecimal():
                samples.append((int(epoch), path))
    return sorted(samples)


def sample_path(folder: str | os.PathLike, epoch: int) -> Path:
    """Where the sample grid after `epoch`, counted from 0, is written."""
    return Path(folder) / "images" / f"sample_{epoch}.png"


def make_run_folder(folder: str | os.PathLike) -> Path:
    """Makes `folder` with `images`, `weights` and `viz`, where they do not exist yet."""
    folder = Path(folder)
    for name in ("images", "weights", "viz"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other processes from training in `folder` during the block.

    The lock ends with the process, even if that is killed. The thread that has it may take it once
    more. Some network drives support no locks: there, two trainings are not kept apart.

    Raises:
        BlockingIOError: another process trains there.
    """
    lock = filelock.FileLock(Path(folder).resolve() / ".lock", is_singleton=True)
    try:
        lock.acquire(timeout=_LOCK_TIMEOUT)
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
    """Whether a process of this machine trains in `folder`; False on drives without locks."""
    lock = filelock.FileLock(Path(folder) / ".lock")
    if not Path(lock.lock_file).exists():
        return False  # acquiring the lock would create the file
    try:
        with lock.acquire(timeout=0):
            return False
    except filelock.Timeout:
        return True
    except (OSError, NotImplementedError):  # a read-only folder, or a network drive
        return False


def set_aside(folder: str | os.PathLike) -> Path | None:
    """Renames a run folder to the first free `<folder>.old1`, `.old2` …, so that a new run begins.

    Returns:
        the new path; None where there was no folder.

    Raises:
        BlockingIOError: another process trains there.
    """
    folder = Path(folder)
    if not folder.exists():
        return None
    with locked(folder):
        targets = (folder.with_name(f"{folder.name}.old{n}") for n in itertools.count(1))
        target = next(path for path in targets if not path.exists())
    return folder.rename(target)


def check_still_there(folder: str | os.PathLike) -> None:
    """Raises FileNotFoundError where a run folder has vanished.

    Without this check, the next write would make a folder of that name on another disk.
    """
    if not (Path(folder) / "params.json").exists():
        raise FileNotFoundError(
            f"{folder} has vanished during the training; was the drive disconnected?"
        )
