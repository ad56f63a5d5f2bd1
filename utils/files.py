"""Files that are never half-written."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a path beside `path` to write to, and moves it into place when the block succeeds.

    Whatever stood at `path` stays whole until then, and stays for good where the block fails.
    The temporary name keeps the suffix, by which many writers choose the format.

    Raises:
        OSError: a full disk, a folder that is read-only or gone: one line that names the file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        if error.errno is None:  # not the disk's, but the writer's, which says more itself
            raise
        reason = os.strerror(error.errno)
        raise OSError(
            f"{path} could not be written ({reason}); what stood there is untouched"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # a disk that is gone takes no orders
            beside.unlink(missing_ok=True)


def check_new_folder(path: str | os.PathLike) -> None:
    """Raises ValueError where anything but an empty folder stands at `path`."""
    path = Path(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise ValueError(f"{path}: is there already; expected the name of a new folder")


@contextlib.contextmanager
def new_folder(path: str | os.PathLike, check: Callable = check_new_folder) -> Iterator[Path]:
    """Gives a folder beside `path`, which takes its place when the block succeeds.

    Args:
        path: what stands there is replaced as a whole.
        check: called with `path`, before and after the block; raises where it must stay.

    Raises:
        ValueError: as `check`.
        OSError: a full disk, or a folder that is read-only or gone.
    """
    path = Path(path)
    check(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.mkdir(parents=True)
    try:
        yield beside
        check(path)
        if path.exists():
            old = beside.with_suffix(".old.part")
            path.rename(old)
            try:
                beside.rename(path)
            except OSError:
                old.rename(path)
                raise
            shutil.rmtree(old)
        else:
            beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def delete_unfinished(folder: str | os.PathLike) -> None:
    """Deletes what writers that were killed left half-written in `folder` and below."""
    for file in Path(folder).rglob(".*.part*"):
        file.unlink(missing_ok=True)
