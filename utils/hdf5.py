"""Text and arrays of an HDF5 file by a stranger: nothing outside it, and no more than it holds."""

import itertools
import mmap
import os
import struct
from pathlib import Path

import h5py
import numpy as np

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


_NEWER = (b"OHDR", b"FRHP", b"BTHD")  # may loop too; what h5py writes by default has none
_MAX_ENTRIES = 1_000_000
_END = 1  # of a free list; no place is odd


def refuse_endless(path: Path) -> None:
    """Refuses heaps and trees that lead back to themselves, wherever in the file they lie.

    They are found by their signatures, so weights could be taken for one; but a float that holds
    such letters lies above 100, and then the rest would have to fit too.

    Raises:
        ValueError: there is one, or what would take ever so long; without the name of the file.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for signature in _NEWER:
            if data.find(signature) >= 0:
                raise ValueError(
                    f"it holds a structure {signature.decode()}, which Keras never does"
                )
        _check_heaps(data)
        _check_trees(data)
        _check_free_lists(data)


def _found(data: mmap.mmap, signature: bytes):
    start = data.find(signature)
    while start >= 0:
        if start + 48 <= len(data):
            yield start
        start = data.find(signature, start + 1)


def _check_heaps(data: mmap.mmap) -> None:
    """The library goes through a heap of texts by sizes, and never gets past free space of 0."""
    objects = 0
    for start in _found(data, b"GCOL\1"):
        (size,) = struct.unpack_from("<Q", data, start + 8)
        at, end = start + 16, min(start + size, len(data))
        while at + 16 <= end:
            index, size = struct.unpack_from("<H6xQ", data, at)
            step = 16 + -(-size // 8) * 8 if index else size
            objects += 1
            if step == 0 or step >= 1 << 63 or objects > _MAX_ENTRIES:
                raise ValueError(
                    f"its heap at byte {start} has an object of {size} bytes, or too many"
                )
            at += step


def _check_trees(data: mmap.mmap) -> None:
    """The library goes down a tree of names whatever its levels say, and as often as it is told."""
    children = set()
    for start in _found(data, b"TREE\0"):
        level, entries = struct.unpack_from("<BH", data, start + 5)
        for i in range(entries if level else 0):
            place = start + 32 + 16 * i  # of a child's address, between two keys
            (child,) = struct.unpack_from("<Q", data, min(place, len(data) - 8))
            at = child + _base(data)
            below = data[at : at + 6] if at + 6 <= len(data) else b""
            if below[:5] != b"TREE\0" or below[5] != level - 1 or child in children:
                raise ValueError(f"its tree at byte {start} does not branch downwards")
            children.add(child)
            if len(children) > _MAX_ENTRIES:
                raise ValueError(f"its trees have more than {_MAX_ENTRIES} branches")


def _check_free_lists(data: mmap.mmap) -> None:
    """The library takes memory for every free place in a heap of names, however often it is met."""
    for start in _found(data, b"HEAP\0"):
        size, place, address = struct.unpack_from("<QQQ", data, start + 8)
        begin = address + _base(data)
        seen = set()
        while place != _END and place + 16 <= size and begin + place + 16 <= len(data):
            if place in seen or len(seen) > _MAX_ENTRIES:
                raise ValueError(f"the free list of its heap at byte {start} has no end")
            seen.add(place)
            (place,) = struct.unpack_from("<Q", data, begin + place)


def _base(data: mmap.mmap) -> int:
    """The address that all others are counted from; versions of the superblock keep it apart."""
    return struct.unpack_from("<Q", data, {0: 24, 1: 28}.get(data[8], 12))[0]
