"""Finds pictures that look nearly the same."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

COMPARED = 20_000
"""Number of pictures that are compared, the first ones: the time grows with its square."""

_SIDE, _FREQUENCIES = 32, 8
_COSINES = np.cos(np.pi / _SIDE * np.outer(np.arange(_FREQUENCIES), np.arange(_SIDE) + 0.5))
_THUMBNAIL = 16
_BITS = 12  # of 64 that may differ; photographs of different things differ in 20 or more
_RMS = 8.0  # of 255: what JPEG or two pixels of cropping change; different drawings differ more
_CANDIDATES = 64
_BLOCK = 256


class Signature(NamedTuple):
    """What a picture is compared by.

    Attributes:
        phash: its perceptual hash, 8 bytes.
        thumbnail: uint8 (16, 16, 3).
    """

    phash: bytes
    thumbnail: np.ndarray


def signature(image: Image.Image) -> Signature:
    """Computes the perceptual hash and the thumbnail of a picture.

    The hash is pHash (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash
    Functions", section 3.2.1): the picture in grey at 32×32, the 8×8 lowest frequencies of its
    discrete cosine transform, and of each a bit that says whether it is above their median. The
    simpler dHash does not suit sparse drawings: on blank paper no pixel differs from its neighbour,
    so their hashes are alike. (The package imagehash computes pHash too, but needs SciPy and
    PyWavelets.)
    """
    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    frequencies = np.rint(_COSINES @ np.asarray(grey, float) @ _COSINES.T)  # no rounding errors
    bits = np.packbits(frequencies > np.median(frequencies))
    thumbnail = image.convert("RGB").resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    return Signature(bits.tobytes(), np.asarray(thumbnail))


def near_duplicates(signatures: Sequence[Signature]) -> list[tuple[float, int, int]]:
    """Finds pictures that look like an earlier one, and for each the one that it is most like.

    Different drawings of few lines can have similar hashes. So pictures with similar hashes (at
    most 12 of 64 bits differ) are compared by their thumbnails too, in colour.

    Args:
        signatures: of the pictures, in order; only the first `COMPARED` are compared.

    Returns:
        (RMS difference of the thumbnails, 0 to 8 of 255, index of the earlier picture, index of the
        later one), sorted by the later one; at most one for each picture.
    """
    signatures = signatures[:COMPARED]
    if not signatures:
        return []
    packed = np.frombuffer(b"".join(s.phash for s in signatures), np.uint8).reshape(-1, 8)
    signs = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1  # (n, 64)
    thumbnails = np.stack([s.thumbnail for s in signatures]).reshape(len(signatures), -1)
    pairs = []
    for start in range(0, len(signatures), _BLOCK):
        # Equal bits minus different ones: whole numbers up to 64, which float32 holds exactly.
        agreement = signs[start : start + _BLOCK] @ signs[: start + _BLOCK].T
        for later, row in enumerate(agreement, start):
            candidates = np.flatnonzero(row[:later] >= 64 - 2 * _BITS)
            candidates = candidates[np.argsort(-row[candidates], kind="stable")[:_CANDIDATES]]
            if candidates.size:
                difference = thumbnails[candidates].astype(np.float32) - thumbnails[later]
                rms = np.sqrt((difference**2).mean(axis=1))
                if rms.min() <= _RMS:
                    pairs.append((float(rms.min()), int(candidates[rms.argmin()]), later))
    return pairs
