"""Damage to files for `tests.helpers.fuzz`; a seeded random generator makes it repeatable."""

import io
import json
import struct
import zipfile
import zlib

import h5py
import numpy as np

_SIGNATURES = (b"TREE", b"HEAP", b"SNOD", b"GCOL", b"OHDR", b"IHDR", b"IDAT", b"PK\1\2", b"PK\5\6")
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 64) - 1)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """`data` with one to four changes, half of them near the start of an inner structure."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if len(data) > 1:
            _damage(data, rng)
    return bytes(data)


def _damage(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    length = min(int(2 ** rng.uniform(0, 8)), len(data) - at)
    other = int(rng.integers(len(data)))
    match rng.choice(["flip", "byte", "number", "cut", "drop", "copy", "insert", "noise"]):
        case "flip":
            data[at] ^= 1 << int(rng.integers(8))
        case "byte":
            data[at] = int(rng.integers(256))
        case "number":
            number = struct.pack("<Q", _NUMBERS[rng.integers(len(_NUMBERS))])
            size = min(int(rng.choice([1, 2, 4, 8])), len(data) - at)
            data[at : at + size] = number[:size]
        case "cut":
            del data[other:]
        case "drop":
            del data[at : at + length]
        case "copy":
            part = data[other : other + length]
            data[at : at + len(part)] = part
        case "insert":
            data[at:at] = data[other : other + length]
        case "noise":
            data[at : at + length] = rng.bytes(length)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    present = [signature for signature in _SIGNATURES if signature in data]
    if not present or rng.random() < 0.5:
        return int(rng.integers(len(data)))
    signature = present[rng.integers(len(present))]
    # One of its occurrences, or the beginning of the file.
    starts = [0]
    starts += [
        i for i in range(len(data)) if data[i] == signature[0] and data.startswith(signature, i)
    ]
    start = starts[rng.integers(len(starts))]
    return min(start + int(rng.integers(256)), len(data) - 1)


def zip_of(pictures: dict[str, bytes]) -> bytes:
    """A valid zip of files that may be damaged."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, picture in pictures.items():
            archive.writestr(zipfile.ZipInfo(name), picture)
    return buffer.getvalue()


def with_checksums(png: bytes) -> bytes:
    """A PNG with its checksums corrected, so that its damage reaches the decoder."""
    png, at = bytearray(png), 8
    while at + 12 <= len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4], "big")
        if end + 4 > len(png):
            break
        png[end : end + 4] = struct.pack(">I", zlib.crc32(png[at + 4 : end]))
        at = end + 4
    return bytes(png)


def redescribe(path, rng: np.random.Generator) -> None:
    """Changes one or two values in the description of the network in a Keras file."""
    with h5py.File(path, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        for _ in range(rng.integers(1, 3)):
            places = list(_places(model))
            container, key = places[rng.integers(len(places))]
            container[key] = _another(container[key], places, rng)
        file.attrs.create("model_config", json.dumps(model), dtype=h5py.string_dtype())


def _places(item):
    keys = item if isinstance(item, dict) else range(len(item))
    for key in list(keys):
        yield item, key
        if isinstance(item[key], (dict, list)):
            yield from _places(item[key])


def _another(value, places, rng):
    container, key = places[rng.integers(len(places))]
    options = [None, True, -1, 0, 3, 10**9, 10**12, 1e308, float("nan"), "", "x", [], {}, [[]]]
    options += [[value], {"class_name": "function"}, json.loads(json.dumps(container[key]))]
    if isinstance(value, (int, float)):
        options += [value + 1, value * 2, -value]
    return options[rng.integers(len(options))]


def restructure(path, rng: np.random.Generator) -> None:
    """Changes entries of an HDF5 file with the HDF5 library: the file stays valid HDF5."""
    with h5py.File(path, "r+") as file:
        names = []
        file.visit(names.append)
        name = names[rng.integers(len(names))]
        item = file[name]
        attributes = [(file, key) for key in file.attrs] + [(item, key) for key in item.attrs]
        values = [
            0,
            -1,
            2**62,
            1e300,
            np.nan,
            "x",
            b"\xff",
            [1, 2],
            np.zeros((2, 2)),
            h5py.Empty("f"),
        ]
        value = values[rng.integers(len(values))]
        match rng.choice(["attribute", "absent", "lost", "link", "array", "huge", "twice"]):
            case "attribute":
                owner, key = attributes[rng.integers(len(attributes))]
                owner.attrs[key] = value
            case "absent":
                owner, key = attributes[rng.integers(len(attributes))]
                del owner.attrs[key]
            case "lost":
                del file[name]
            case "link":
                del file[name]
                file[name] = h5py.SoftLink("/" + names[rng.integers(len(names))])
            case "array":
                del file[name]
                file[name] = value
            case "huge":
                shape = getattr(item, "shape", None) or (1,)
                shape = (10 ** int(rng.integers(3, 13)), *shape[1:])
                del file[name]
                file.create_dataset(name, shape, "f4")
            case "twice":
                other = names[rng.integers(len(names))]
                del file[name]
                if other in file:
                    file[name] = file[other]
