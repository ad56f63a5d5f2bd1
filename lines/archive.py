"""A zip of any number of small files, written in constant memory and with fixed dates."""

import os
import shutil
import struct
import tempfile
import zlib
from typing import BinaryIO

_DATE = (0, 0x21)  # time and date fields of 1980-01-01 00:00, the first that a zip can hold
_MANY, _LARGE = 0xFFFF, 0xFFFFFFFF  # where the 16- and 32-bit fields end and zip64 begins


class ZipWriter:
    """Writes stored (uncompressed) entries one after another.

    The standard library's `zipfile` keeps an object of every entry until it is closed, some 600 MB
    for a million images; here the central directory grows in a temporary file instead. The format
    is that of PKWARE's APPNOTE 6.3.9, with zip64 records where they are needed.

    Args:
        file: a binary file open for writing, at its start.
    """

    def __init__(self, file: BinaryIO):
        self.file = file
        self.entries = 0
        self.offset = 0
        beside = os.path.dirname(os.path.abspath(file.name))
        self.directory = tempfile.TemporaryFile(dir=beside)  # noqa: SIM115, close() ends it

    def write(self, name: str, data: bytes) -> None:
        """Adds one file of at most 4 GiB under an ASCII `name`."""
        encoded = name.encode("ascii")
        sizes = (zlib.crc32(data), len(data), len(data), len(encoded))
        # An offset past 4 GiB goes to the zip64 extra field (type 1), as section 4.5.3 says.
        extra = struct.pack("<HHQ", 1, 8, self.offset) if self.offset >= _LARGE else b""
        self.directory.write(
            struct.pack(
                "<IHHHHHHIIIHHHHHII",
                *(0x02014B50, 45 if extra else 20, 20, 0, 0, *_DATE, *sizes, len(extra)),
                *(0, 0, 0, 0, min(self.offset, _LARGE)),
            )
        )
        self.directory.write(encoded + extra)
        self.file.write(struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, *_DATE, *sizes, 0))
        self.file.write(encoded)
        self.file.write(data)
        self.entries += 1
        self.offset += 30 + len(encoded) + len(data)

    def close(self) -> None:
        """Writes the central directory; without it the file is no zip."""
        size = self.directory.tell()
        self.directory.seek(0)
        shutil.copyfileobj(self.directory, self.file)
        self.directory.close()
        if self.entries >= _MANY or size >= _LARGE or self.offset >= _LARGE:
            counts = (self.entries, self.entries, size, self.offset)
            self.file.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, *counts))
            self.file.write(struct.pack("<IIQI", 0x07064B50, 0, self.offset + size, 1))
        counts = (min(self.entries, _MANY),) * 2
        self.file.write(
            struct.pack(
                *("<IHHHHIIH", 0x06054B50, 0, 0, *counts),
                *(min(size, _LARGE), min(self.offset, _LARGE), 0),
            )
        )
