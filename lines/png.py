"""Pixels to PNG bytes that are the same on every machine."""

import struct
import zlib

import numpy as np

_SUB, _UP = 1, 2  # filter types of the PNG specification, section 9.2


def encode_png(image: np.ndarray) -> bytes:
    """Encodes a picture of few distinct rows, small and fast.

    A row equal to the one above is stored as "Up" (all zeros), any other as "Sub" (zeros along a
    line). Only runs of zeros are left to compress, so zlib's run-length strategy is enough. Unlike
    the default strategy, it gives the same bytes in zlib and in zlib-ng.

    Args:
        image: uint8 array (H, W, 3), RGB.

    Returns:
        a PNG file (8 bits per channel, no metadata).
    """
    height, width, _ = image.shape
    rows = image.reshape(height, width * 3)
    repeats = np.zeros(height, bool)
    repeats[1:] = (rows[1:] == rows[:-1]).all(axis=1)
    filtered = np.empty((height, 1 + width * 3), np.uint8)
    filtered[:, 0] = np.where(repeats, _UP, _SUB)
    filtered[:, 1:4] = rows[:, :3]
    np.subtract(rows[:, 3:], rows[:, :-3], out=filtered[:, 4:])
    filtered[repeats, 1:] = 0
    compressor = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    data = compressor.compress(filtered) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
