"""What saving costs: seconds and disk of a save, and its share of the time between two saves.

The reference block with its optimisers, as every save of `train.py` writes it: a checkpoint,
`generator.h5` and `critic.h5`, each flushed to the disk. The share is for the default, a save
every 10 minutes. It is compared with the time of copying as many bytes to the same disk.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from models.presets import PRESETS
from models.WGANGP import WGANGP

MINUTES, KEEP = 10, 3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="lines128", choices=sorted(PRESETS))
    gan = WGANGP(**PRESETS[parser.parse_args().preset].networks, batch_size=16)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        seconds = []
        for gan.epoch in range(1, KEEP + 3):
            start = time.perf_counter()
            gan.save_weights(folder, KEEP)
            gan.save_model(folder)
            seconds.append(time.perf_counter() - start)
        disk = sum(file.stat().st_size for file in Path(folder).rglob("*.h5"))
        newest = [
            Path(folder) / "weights" / f"checkpoint_{gan.epoch}.h5",
            *Path(folder).glob("*.h5"),
        ]
        size = sum(file.stat().st_size for file in newest)
        start = time.perf_counter()
        for file in newest:
            with open(Path(folder) / f"{file.name}.copy", "wb") as copy:
                copy.write(file.read_bytes())
                os.fsync(copy.fileno())
        copying = time.perf_counter() - start
    share = statistics.median(seconds) / (60 * MINUTES)
    print(f"one save: {size / 1e6:.0f} MB in {statistics.median(seconds):.2f} s (median of 5)")
    print(f"  {statistics.median(seconds) / copying:.1f} times as long as copying the files")
    print(f"  {share:.2%} of the {MINUTES} minutes between two saves")
    print(f"disk with the last {KEEP} checkpoints: {disk / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
