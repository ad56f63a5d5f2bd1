"""Files and folders that are complete or absent: written under another name, then renamed."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path to write to, and renames it to `path` when the block succeeds.

    An older file at `path` stays as it is until then, and for good if the block fails. The
    temporary file is in the same folder and has the same suffix, by which many writers choose the
    format.

    Raises:
        OSError: the disk is full, or the folder is read-only or gone; the message is one line and
            names `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        if error.errno is None:  # raised by a library, whose message is more precise
            raise
        reason = os.strerror(error.errno)
        raise OSError(
            f"{path} could not be written ({reason}); an older file of this name is unchanged"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # the disk may be gone
            partial.unlink(missing_ok=True)


def check_new_folder(path: str | os.PathLike) -> None:
    """Raises ValueError if anything but an empty folder is at `path`."""
    path = Path(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise ValueError(f"{path}: is there already; expected the name of a new folder")


@contextlib.contextmanager
def new_folder(path: str | os.PathLike, check: Callable = check_new_folder) -> Iterator[Path]:
    """Yields a temporary folder to write to, and renames it to `path` when the block succeeds.

    Args:
        path: of the folder; an older file or folder of this name is deleted.
        check: is called with `path` before and after the block, and raises an error if the file or
            folder at `path` must not be deleted.

    Raises:
        ValueError: from `check`.
        OSError: the disk is full, or the folder is read-only or gone.
    """
    path = Path(path)
    check(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    partial.mkdir(parents=True)
    try:
        yield partial
        check(path)
        if path.exists():
            old = partial.with_suffix(".old.part")
            path.rename(old)
            try:
                partial.rename(path)
            except OSError:
                old.rename(path)
                raise
            shutil.rmtree(old)
        else:
            partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def delete_unfinished(folder: str | os.PathLike) -> None:
    """Deletes the temporary files of killed processes in `folder` and the folders in it."""
    for file in Path(folder).rglob(".*.part*"):
        file.unlink(missing_ok=True)
