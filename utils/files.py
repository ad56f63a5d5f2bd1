"""Files and folders that are complete or absent: written under another name, then renamed."""

import contextlib
import functools
import json
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

_UNFINISHED = re.compile(
    r"\.(?P<name>.+)\.(?P<process>\d{1,10})(?P<old>\.old)?\.part(?P<suffix>\.[^.]*)?"
)
"""Names of temporary files, see `replacing`, and of folders, see `new_folder`."""


_MAX_TEXT = 1 << 26  # bytes


def read_text(path: str | os.PathLike) -> str:
    """The text of a file that somebody else may have put into a folder, such as a card.

    Raises:
        ValueError: it is a link, which may lead anywhere, no file, or has more than 64 MiB; or its
            bytes are no text.
        OSError: it is not there or cannot be read.
    """
    path = Path(path)
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a link or a device"
        raise ValueError(f"{path}: {what}; expected a file")
    if status.st_size > _MAX_TEXT:
        raise ValueError(f"{path}: {status.st_size} bytes, more than {_MAX_TEXT}")
    return path.read_text(encoding="utf-8")


def read_json(path: str | os.PathLike) -> object:
    """What a file of JSON holds.

    Raises:
        ValueError, OSError: as `read_text`, or it is no JSON; the message does not name the file.
    """
    try:
        return json.loads(read_text(path))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def shared_name(path: str | os.PathLike) -> str:
    """A file and its folder, `0001_output/generator.h5`: what files for others may tell of a path.

    The rest of a path tells who made it, and where.
    """
    return "/".join(Path(path).absolute().parts[-2:])


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
    _tidy(path.parent.absolute())
    try:
        yield partial
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        if error.errno is None:  # raised by a library, whose message is more precise
            raise
        raise _unwritten(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # the disk may be gone
            partial.unlink(missing_ok=True)


def _unwritten(path, error):
    """An error that names `path`, not a temporary name."""
    reason = os.strerror(error.errno)
    return OSError(f"{path} could not be written ({reason}); what was there before is unchanged")


def zip_entry(name: str) -> zipfile.ZipInfo:
    """An entry of a zip whose bytes are the same on every system and every day."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # the earliest that a zip can hold
    entry.create_system = 3  # as on Linux
    entry.external_attr = 0o100644 << 16
    return entry


def check_free(*paths: str | os.PathLike, overwrite: bool) -> None:
    """Raises ValueError where a file that a command would write is there already.

    With `overwrite` it may be replaced.
    """
    for path in map(Path, paths):
        if path.exists() and not overwrite:
            raise ValueError(
                f"{path}: is there already; choose another --out, or replace it with --overwrite"
            )


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
        OSError: as from `replacing`.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    _tidy(path.parent.absolute())
    check(path)
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
    except OSError as error:
        if error.errno is None:  # of a file in the folder
            raise OSError(str(error).replace(partial.name, path.name)) from error
        raise _unwritten(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def delete_unfinished(folder: str | os.PathLike) -> None:
    """Deletes what killed processes left unfinished in `folder` and the folders in it.

    What a process is still writing stays, and so does every file with a name of another kind. A
    folder that was about to be replaced gets its name back.
    """
    for path in sorted(Path(folder).rglob(".*.part*")):
        _delete_unfinished(path)


def _delete_unfinished(path):
    left = _UNFINISHED.fullmatch(path.name)
    if not left or psutil.pid_exists(int(left["process"])):
        return
    replaced = path.with_name(left["name"])
    with contextlib.suppress(OSError):  # another process may do the same
        if left["old"] and not replaced.exists():
            path.rename(replaced)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@functools.cache
def _tidy(folder):
    """Deletes what killed processes left in a folder, once for each folder that is written to."""
    for path in folder.glob(".*.part*"):
        _delete_unfinished(path)
