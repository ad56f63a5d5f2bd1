"""Pictures that look the same."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

COMPARED = 20_000
"""Pictures that are compared with each other at most: the time grows with the square."""

_SIDE, _KEPT = 32, 8
_COSINES = np.cos(np.pi / _SIDE * np.outer(np.arange(_KEPT), np.arange(_SIDE) + 0.5))
_THUMBNAIL = 16
_BITS = 12  # of 64 that may differ; photographs of different things differ in 20 or more
_RMS = 8.0  # of 255: what JPEG or two pixels of cropping change; different drawings differ more
_CANDIDATES = 64
_BLOCK = 256


class Look(NamedTuple):
    """What a picture is compared by.

    Attributes:
        bits: its perceptual hash, bytes (8,).
        thumbnail: uint8 (16, 16, 3).
    """

    bits: bytes
    thumbnail: np.ndarray


def look(image: Image.Image) -> Look:
    """The perceptual hash of a picture and its thumbnail.

    The hash is pHash (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash
    Functions", section 3.2.1): of the picture in grey at 32×32, the signs of the 8×8 lowest
    frequencies of its discrete cosine transform against their median. A dHash, simpler yet, finds
    sparse drawings alike: on blank paper no pixel differs from its neighbour. (The package
    imagehash computes the same and brings SciPy and PyWavelets along for it.)
    """
    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    waves = _COSINES @ np.asarray(grey, float) @ _COSINES.T
    waves = np.rint(waves)  # what is nought but for rounding must not pass for a sign
    bits = np.packbits(waves > np.median(waves))
    small = image.convert("RGB").resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    return Look(bits.tobytes(), np.asarray(small))


def near_pairs(looks: Sequence[Look]) -> list[tuple[float, int, int]]:
    """The pictures that look like one before them, each with the one it looks most like.

    A hash alone finds different drawings of few lines alike, so pictures of like hashes (at most 12
    of 64 bits apart) are compared by their thumbnails too, in colour.

    Args:
        looks: of the pictures, in order; only the first `COMPARED` are compared.

    Returns:
        (RMS difference of the thumbnails, 0 to 8 of 255, number of the earlier picture, of the
        later one), in order of the later one; at most one for each picture.
    """
    looks = looks[:COMPARED]
    if not looks:
        return []
    packed = np.frombuffer(b"".join(one.bits for one in looks), np.uint8).reshape(-1, 8)
    signs = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
    thumbnails = np.stack([one.thumbnail for one in looks]).reshape(len(looks), -1)
    pairs = []
    for start in range(0, len(looks), _BLOCK):
        # Equal signs less unequal ones; whole numbers up to 64, which float32 holds exactly.
        alike = signs[start : start + _BLOCK] @ signs[: start + _BLOCK].T
        for later, row in enumerate(alike, start):
            found = np.flatnonzero(row[:later] >= 64 - 2 * _BITS)
            found = found[np.argsort(-row[found], kind="stable")[:_CANDIDATES]]
            if found.size:
                apart = thumbnails[found].astype(np.float32) - thumbnails[later]
                rms = np.sqrt((apart**2).mean(axis=1))
                if rms.min() <= _RMS:
                    pairs.append((float(rms.min()), int(found[rms.argmin()]), later))
    return pairs
