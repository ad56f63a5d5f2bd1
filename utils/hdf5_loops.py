"""Loops in an HDF5 file over which the HDF5 library (1.14) would run for ever, or crash."""

import mmap
import struct
from pathlib import Path

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
