"""Time for 10,000 images: `python -m lines` against Processing, which saves the same ones.

`python -m tests.benchmarks.dataset`
"""

import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers import ROOT
from tests.helpers.processing import processing_command

COUNT = 10_000


def main():
    """Times both twice, as processes, and checks that the last pictures are the same."""
    java = processing_command()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ours.zip"
        options = ["--count", COUNT, "--allow-duplicates", "--out", path]
        ours = [sys.executable, "-m", "lines", *options]
        theirs = [*java, "Sketch", COUNT, 0, Path(folder) / "sketch"]
        seconds = [timed(command) for command in (theirs, ours, ours, theirs)]
        sketch = np.asarray(Image.open(Path(folder) / "sketch" / f"{COUNT - 1:05d}.png"))
        with zipfile.ZipFile(path) as archive:
            last = np.asarray(Image.open(archive.open(f"ours/{COUNT - 1:05d}.png")))
        assert np.array_equal(sketch[..., :3], last)
    best_theirs, best_ours = min(seconds[0], seconds[3]), min(seconds[1], seconds[2])
    print(f"Processing, one process  {best_theirs:6.2f} s  {COUNT / best_theirs:6.0f} images/s")
    print(f"python -m lines          {best_ours:6.2f} s  {COUNT / best_ours:6.0f} images/s")
    print(f"ratio                    {best_theirs / best_ours:6.1f}")


def timed(command):
    """Seconds that a command takes, including its start."""
    start = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
