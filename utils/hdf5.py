"""Text and arrays of an HDF5 file by a stranger: nothing outside it, and no more than it holds."""

import itertools
import os
from pathlib import Path

import h5py
import numpy as np

from utils.hdf5_loops import refuse_endless
from utils.messages import one_line

MAX_FILE_BYTES = 1024**3
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_OBJECTS = 5000
_MAX_DEPTH = 16


class RefusedError(ValueError):
    """What this module says itself, to tell it from what the HDF5 library raises."""


def read(
    path: str | os.PathLike, attributes: tuple[str, ...], group: str
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Reads some attributes and all arrays of a group.

    Links that lead out of the file or around in it, arrays kept in other files, and arrays that
    claim more than the file holds are refused before they are opened, so memory stays within twice
    the size of the file, itself at most 1 GiB.

    Args:
        path: the file.
        attributes: names of text attributes of the whole file.
        group: name of a group at the top.

    Returns:
        the attributes that there are, by name, and the arrays by their path inside the group.

    Raises:
        FileNotFoundError: nothing stands at `path`.
        OSError: the file may not be read.
        ValueError: not an HDF5 file, a damaged one, or one that is refused; one line says why.
    """
    path = Path(path)
    size = _size(path)
    try:
        refuse_endless(path)
        with h5py.File(path) as file:
            texts = {name: _text(file, name, size) for name in attributes if name in file.attrs}
            return texts, _arrays(file, group, size)
    except RefusedError as error:
        raise ValueError(f"{path}: refused: {error}") from error
    except Exception as error:  # h5py passes on whatever the damage leads to, as a dozen types
        reason = one_line(error)
        raise ValueError(f"{path}: not an HDF5 file, or a damaged one ({reason})") from error


def _size(path: Path) -> int:
    """Bytes of what may be an HDF5 file of a size that is read."""
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; expected an HDF5 file")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected an HDF5 file")
    with open(path, "rb") as file:
        signature = file.read(len(_SIGNATURE))
    if signature != _SIGNATURE:
        raise ValueError(f"{path}: not an HDF5 file")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ValueError(f"{path}: refused: {size} bytes, more than {MAX_FILE_BYTES}")
    return size


def _text(file: h5py.File, name: str, size: int) -> str:
    attribute = file.attrs.get_id(name)
    if attribute.shape != () or not h5py.check_string_dtype(attribute.dtype):
        raise RefusedError(f"its attribute {name!r} is no text")
    if attribute.dtype.itemsize > size:
        raise RefusedError(f"its attribute {name!r} claims {attribute.dtype.itemsize} bytes")
    text = file.attrs[name]
    return text.decode() if isinstance(text, bytes) else text


def _arrays(file: h5py.File, top: str, size: int) -> dict[str, np.ndarray]:
    arrays, left = {}, size
    # Not `top in file`, which would follow a link to find out.
    waiting = [(file, top, "", 0)] if top in _names(file) else []
    seen = len(waiting)
    while waiting:
        parent, name, prefix, depth = waiting.pop()
        where = f"{prefix}{name}"
        item = _open(parent, name, where)
        if isinstance(item, h5py.Group):
            names = _names(item)
            seen += len(names)
            if seen > _MAX_OBJECTS or depth > _MAX_DEPTH:  # a group may hold itself
                raise RefusedError(
                    f"more than {_MAX_OBJECTS} entries, or more than {_MAX_DEPTH} in one another"
                )
            inside = f"{where}/" if depth else ""
            waiting.extend((item, child, inside, depth + 1) for child in names)
            continue
        left -= stored(item, where)
        if left < 0:
            raise RefusedError(f"its arrays claim more than the {size} bytes of the file")
        arrays[where] = item[()]
    return arrays


def _names(group: h5py.Group) -> list[str]:
    return list(itertools.islice(group, _MAX_OBJECTS + 1))


def _open(parent: h5py.Group, name: str, where: str) -> h5py.Group | h5py.Dataset:
    link = parent.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        target = f"{getattr(link, 'filename', '')} {link.path}".strip()
        raise RefusedError(f"{where!r} is a link to {target!r}, not an array of its own")
    item = parent[name]
    if not isinstance(item, (h5py.Group, h5py.Dataset)):
        raise RefusedError(f"{where!r} is neither a group nor an array")
    return item


def stored(array: h5py.Dataset, where: str) -> int:
    """Bytes of an array of numbers that lies in the file, whole and plain.

    Raises:
        ValueError: it is another array; the message calls it `where`.
    """
    plan = array.id.get_create_plist()
    # Before the shape is asked for: to tell that of a virtual array, other files are opened.
    plain = plan.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
    if not plain or plan.get_external_count() or plan.get_nfilters():
        raise RefusedError(f"{where!r} is compressed, in pieces or in another file")
    if array.dtype.kind not in "fiu":
        raise RefusedError(f"{where!r} is an array of {array.dtype}, not of numbers")
    size = array.dtype.itemsize * int(np.prod(array.shape, dtype=object))
    if array.shape is None or array.id.get_storage_size() != size:
        raise RefusedError(f"{where!r} claims {array.shape}, and the file does not hold as much")
    return size
