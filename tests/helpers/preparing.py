"""What the tests of preparing pictures share."""

import io
import zipfile

import numpy as np
from PIL import Image

from utils.prepare import Settings, prepare


def drawing(seed, size=32):
    """A picture unlike those of other seeds."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(blocks).resize((size, size), Image.Resampling.BICUBIC)


def prepared(source, keep_duplicates=False, **settings):
    """The squares of `source`, of 8 pixels unless `size` is given, and the findings."""
    out = source.parent / "mine.zip"
    findings = prepare(source, out, Settings(**{"size": 8} | settings), keep_duplicates)
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == findings.names
        files = [io.BytesIO(archive.read(name)) for name in findings.names]
    return [np.asarray(Image.open(file)) for file in files], findings
