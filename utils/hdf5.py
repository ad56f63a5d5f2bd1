"""HDF5 files that somebody else may have made: checked before they are opened, read without risk.

A damaged or hostile HDF5 file can lead out of itself, claim more memory than it holds, or keep the
HDF5 library in an endless loop. `open_checked` is the only place of this project that opens one
for reading.
"""

import contextlib
import hashlib
import itertools
import math
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from utils.messages import one_line

MAX_FILE_BYTES = 1024**3
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_MEMBERS = 5000
_MAX_DEPTH = 16
_DIGEST = "digest"


class DamagedFileError(ValueError):
    """Not an HDF5 file, or a damaged one."""


class RefusedError(ValueError):
    """A file that is not accepted; the message names it.

    A caller of `open_checked` may derive its own errors from this class: they leave the block as
    they are.
    """


class _NamelessError(ValueError):
    """A reason to refuse the file; `open_checked` makes a RefusedError that names it."""


@contextlib.contextmanager
def open_checked(
    path: str | os.PathLike, most_bytes: int | None = MAX_FILE_BYTES
) -> Iterator[h5py.File]:
    """Opens an HDF5 file for reading; use it as `with open_checked(path) as file:`.

    The signature, the size and the structures that could loop are checked first. Read arrays only
    after `stored_bytes` has accepted them.

    Args:
        path: the file.
        most_bytes: the largest size that is accepted; None accepts any.

    Raises:
        FileNotFoundError: there is no file at `path`.
        OSError: the file may not be read.
        DamagedFileError: not an HDF5 file, a damaged one, or anything that went wrong in the block.
        RefusedError: a folder, a file of more than `most_bytes`, or one that a function of this
            module refused in the block.
    """
    path = Path(path)
    _check_file(path, most_bytes)
    try:
        _check_structures(path)
        with h5py.File(path, "r") as file:
            yield file
    except RefusedError:
        raise
    except _NamelessError as error:
        raise RefusedError(f"{path}: refused: {error}") from error
    except Exception as error:  # damage makes h5py raise a dozen types
        reason = one_line(error)
        raise DamagedFileError(f"{path}: not an HDF5 file, or a damaged one ({reason})") from error


def read(
    path: str | os.PathLike, attributes: tuple[str, ...], group: str
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Reads some attributes and all arrays of a group.

    Refused before they are opened: links, arrays kept in other files, and arrays that claim more
    bytes than the file has. So memory stays within twice the size of the file, which is at most
    1 GiB.

    Args:
        path: the file.
        attributes: names of text attributes of the whole file.
        group: name of a group at the top of the file.

    Returns:
        the attributes that the file has, by name, and the arrays by their path inside the group.

    Raises:
        FileNotFoundError, OSError, DamagedFileError, RefusedError: see `open_checked`.
    """
    with open_checked(path) as file:
        size = os.path.getsize(path)
        check_seal(file)
        texts = {name: _text(file, name, size) for name in attributes if name in file.attrs}
        found = _datasets(file, group)
        return texts, {where.partition("/")[2] or where: array[()] for where, array in found}


def count_values(path: str | os.PathLike, group: str) -> int:
    """How many numbers all arrays of a group hold; none of them is read.

    Raises:
        FileNotFoundError, OSError, DamagedFileError, RefusedError: see `open_checked`.
    """
    with open_checked(path) as file:
        return sum(array.size for _, array in _datasets(file, group))


def seal(file: h5py.File) -> None:
    """Writes a digest of all arrays and attributes into a file that is open for writing."""
    file.attrs[_DIGEST] = _digest(file)


def check_seal(file: h5py.File) -> None:
    """Raises ValueError if a file has a digest and holds anything else; see `seal`.

    Call it inside `open_checked`, which makes a DamagedFileError of it. Files from before there
    were digests, and those that other programs wrote, have none.
    """
    if _DIGEST in file.attrs and file.attrs[_DIGEST] != _digest(file):
        raise ValueError("it does not hold what was written")


def _digest(file: h5py.File) -> str:
    """32 hexadecimal digits of names, types, shapes and contents, in a fixed order."""
    digest = hashlib.blake2b(digest_size=16)
    most = os.path.getsize(file.filename)
    for where, member in [("", file), *_members(file, sorted(_names(file)))]:
        for name in sorted(itertools.islice(member.attrs, _MAX_MEMBERS)):
            attribute = member.attrs.get_id(name)
            if attribute.dtype.itemsize * math.prod(attribute.shape or ()) > most:
                raise _NamelessError(f"its attribute {name!r} claims more bytes than the file has")
            if (where, name) != ("", _DIGEST):
                value = member.attrs[name]
                value = value.tolist() if isinstance(value, np.generic | np.ndarray) else value
                digest.update(repr((where, name, value)).encode(errors="surrogateescape"))
        if isinstance(member, h5py.Dataset):
            digest.update(repr((where, member.dtype.str, member.shape)).encode())
            digest.update(np.ascontiguousarray(member[()]))
    return digest.hexdigest()


def stored_bytes(array: h5py.Dataset, name: str) -> int:
    """Size in bytes of a numeric array, which must be stored in this file in one piece.

    Call it inside `open_checked`, which turns the refusal of any other array into a RefusedError.

    Args:
        array: of an open file.
        name: what the message calls it.
    """
    properties = array.id.get_create_plist()
    # The layout before the shape: to find the shape of a virtual array, HDF5 opens other files.
    one_piece = properties.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
    if not one_piece or properties.get_external_count() or properties.get_nfilters():
        raise _NamelessError(f"{name!r} is compressed, in pieces or in another file")
    if array.dtype.kind not in "fiu":
        raise _NamelessError(f"{name!r} is an array of {array.dtype}, not of numbers")
    size = array.dtype.itemsize * math.prod(array.shape or ())
    if array.shape is None or array.id.get_storage_size() != size:
        raise _NamelessError(f"{name!r} claims {array.shape}, and the file does not hold as much")
    return size


def _check_file(path: Path, most_bytes: int | None) -> None:
    if path.is_dir():
        raise RefusedError(f"{path}: is a folder; expected an HDF5 file")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected an HDF5 file")
    with open(path, "rb") as file:
        signature = file.read(len(_SIGNATURE))
    if signature != _SIGNATURE:
        raise DamagedFileError(f"{path}: not an HDF5 file")
    size = path.stat().st_size
    if most_bytes is not None and size > most_bytes:
        raise RefusedError(f"{path}: refused: {size} bytes, more than {most_bytes}")


def _text(file: h5py.File, name: str, size: int) -> str:
    attribute = file.attrs.get_id(name)
    if attribute.shape != () or not h5py.check_string_dtype(attribute.dtype):
        raise _NamelessError(f"its attribute {name!r} is not text")
    if attribute.dtype.itemsize > size:
        raise _NamelessError(f"its attribute {name!r} claims {attribute.dtype.itemsize} bytes")
    text = file.attrs[name]
    return text.decode() if isinstance(text, bytes) else text


def _datasets(file: h5py.File, top: str) -> Iterator[tuple[str, h5py.Dataset]]:
    """The arrays in a member of a file, by path."""
    # Not `top in file`: that would follow a link.
    for where, member in _members(file, [top] if top in _names(file) else []):
        if isinstance(member, h5py.Dataset):
            yield where, member


def _members(file: h5py.File, tops: list[str]) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """All groups and arrays in some members of a file, by path; the file really holds them.

    Links are refused, and arrays that claim more bytes than the file has.
    """
    size = bytes_left = os.path.getsize(file.filename)
    waiting = [(file, top, top, 0) for top in tops]
    members = len(waiting)
    while waiting:
        parent, name, where, depth = waiting.pop()
        member = _member(parent, name, where)
        if isinstance(member, h5py.Dataset):
            bytes_left -= stored_bytes(member, where)
            if bytes_left < 0:
                raise _NamelessError(f"its arrays claim more than the {size} bytes of the file")
        yield where, member
        if isinstance(member, h5py.Group):
            names = _names(member)
            members += len(names)
            if members > _MAX_MEMBERS or depth > _MAX_DEPTH:  # a group can hold itself
                raise _NamelessError(
                    f"more than {_MAX_MEMBERS} entries, or more than {_MAX_DEPTH} in one another"
                )
            waiting.extend((member, child, f"{where}/{child}", depth + 1) for child in names)


def _names(group: h5py.Group) -> list[str]:
    return list(itertools.islice(group, _MAX_MEMBERS + 1))


def _member(parent: h5py.Group, name: str, where: str) -> h5py.Group | h5py.Dataset:
    link = parent.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        target = f"{getattr(link, 'filename', '')} {link.path}".strip()
        raise _NamelessError(f"{where!r} is a link to {target!r}, not an array of its own")
    member = parent[name]
    if not isinstance(member, (h5py.Group, h5py.Dataset)):
        raise _NamelessError(f"{where!r} is neither a group nor an array")
    return member


# Structures that could keep the HDF5 library in an endless loop --------------------------------

_NEWER = (b"OHDR", b"FRHP", b"BTHD")  # could loop too; h5py writes none of them by default
_MAX_ENTRIES = 1_000_000
_END_OF_FREE_LIST = 1  # an odd number, which is never an offset


def _check_structures(path: Path) -> None:
    """Raises where a heap or a tree leads back to itself, anywhere in the file.

    Structures are found by their signatures. Four bytes of a weight could look like one, but only
    those of a float above 100, and the bytes that follow would have to fit too.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for signature in _NEWER:
            if data.find(signature) >= 0:
                raise _NamelessError(
                    f"it holds a structure {signature.decode()}, which Keras never does"
                )
        _check_heaps(data)
        _check_trees(data)
        _check_free_lists(data)


def _positions(data: mmap.mmap, signature: bytes) -> Iterator[int]:
    position = data.find(signature)
    while position >= 0:
        if position + 48 <= len(data):
            yield position
        position = data.find(signature, position + 1)


def _check_heaps(data: mmap.mmap) -> None:
    """Heaps of texts: HDF5 steps from object to object by their sizes, and stays at a size of 0."""
    objects = 0
    for start in _positions(data, b"GCOL\1"):
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
    """Trees of names: HDF5 follows every branch, whatever level the branch claims to have."""
    children = set()
    for start in _positions(data, b"TREE\0"):
        level, entries = struct.unpack_from("<BH", data, start + 5)
        for i in range(entries if level else 0):
            address_at = start + 32 + 16 * i  # a child's address, between two keys
            (child,) = struct.unpack_from("<Q", data, min(address_at, len(data) - 8))
            at = child + _base(data)
            below = data[at : at + 6] if at + 6 <= len(data) else b""
            if below[:5] != b"TREE\0" or below[5] != level - 1 or child in children:
                raise ValueError(f"its tree at byte {start} does not branch downwards")
            children.add(child)
            if len(children) > _MAX_ENTRIES:
                raise ValueError(f"its trees have more than {_MAX_ENTRIES} branches")


def _check_free_lists(data: mmap.mmap) -> None:
    """Heaps of names: HDF5 allocates memory for each free block, again each time it meets one."""
    for start in _positions(data, b"HEAP\0"):
        size, offset, address = struct.unpack_from("<QQQ", data, start + 8)
        begin = address + _base(data)
        seen = set()
        while (
            offset != _END_OF_FREE_LIST and offset + 16 <= size and begin + offset + 16 <= len(data)
        ):
            if offset in seen or len(seen) > _MAX_ENTRIES:
                raise ValueError(f"the free list of its heap at byte {start} has no end")
            seen.add(offset)
            (offset,) = struct.unpack_from("<Q", data, begin + offset)


def _base(data: mmap.mmap) -> int:
    """The base address, from which all others are counted; its place depends on the version."""
    return struct.unpack_from("<Q", data, {0: 24, 1: 28}.get(data[8], 12))[0]
