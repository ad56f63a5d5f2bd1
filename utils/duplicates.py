"""Pictures that look the same."""

import numpy as np
from PIL import Image

COMPARED = 50_000
"""Pictures that are compared with each other at most: the time grows with the square."""

_SIDE, _KEPT = 32, 8
_BLOCK = 256
_COSINES = np.cos(np.pi / _SIDE * np.outer(np.arange(_KEPT), np.arange(_SIDE) + 0.5))


def perceptual_hash(image: Image.Image) -> int:
    """64 bits that stay nearly the same when a picture is resized, recompressed or brightened.

    pHash (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions",
    section 3.2.1): of the picture in grey at 32×32, the signs of the 8×8 lowest frequencies of its
    discrete cosine transform against their median. A dHash, simpler yet, finds sparse drawings
    alike: on blank paper no pixel differs from its neighbour. (The package imagehash computes the
    same and brings SciPy and PyWavelets along for it.)
    """
    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    waves = _COSINES @ np.asarray(grey, float) @ _COSINES.T
    bits = (waves > np.median(waves)).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def nearest_before(hashes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """For each picture, the one before it that looks most like it.

    Args:
        hashes: of N pictures, as `perceptual_hash` gives them; only the first `COMPARED` count.

    Returns:
        two arrays, int (N,) with N at most `COMPARED`: the number of that picture (the earliest,
        where several are as near), and how many of the 64 bits differ; −1 and 65 for the first.
    """
    packed = np.array(hashes[:COMPARED], ">u8").view(np.uint8).reshape(-1, 8)
    signs = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
    nearest = np.full(len(signs), -1)
    bits = np.full(len(signs), 65)
    for start in range(0, len(signs), _BLOCK):
        # Equal signs less unequal ones; whole numbers up to 64, which float32 holds exactly.
        alike = signs[start : start + _BLOCK] @ signs[: start + _BLOCK].T
        for row, number in enumerate(range(start, min(start + _BLOCK, len(signs)))):
            if number:
                nearest[number] = alike[row, :number].argmax()
                bits[number] = 32 - int(alike[row, nearest[number]]) // 2
    return nearest, bits
