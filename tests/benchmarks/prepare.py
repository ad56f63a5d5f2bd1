"""Preparing pictures: `utils.prepare` against a plain loop with Pillow over the same files.

The loop turns each picture upright, crops and resamples it and writes a PNG into a zip. It does not
look for duplicates and writes no report. Each runs in its own process. Prints images/s of each and
their ratio, milliseconds of processor time for one picture, and the growth of peak memory in MB.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from PIL import Image, ImageOps

from tests.helpers import ROOT
from tests.helpers.preparing import drawing
from utils.prepare import Settings, prepare

SIZE = 128


def plain_loop(folder, out):
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(Path(folder).iterdir()):
            with Image.open(path) as image:
                image = ImageOps.exif_transpose(image).convert("RGB")
            image = ImageOps.fit(image, (SIZE, SIZE), Image.Resampling.LANCZOS)
            file = io.BytesIO()
            image.save(file, "PNG")
            archive.writestr(path.name, file.getvalue())


def utils_prepare(folder, out):
    prepare(folder, out, Settings(SIZE))


CONTENDERS = {"plain_loop": plain_loop, "utils_prepare": utils_prepare}


def measure(name, folder):
    """Runs one contender in this process and prints seconds, processor seconds and MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as temporary:
        start, busy = time.perf_counter(), time.process_time()
        CONTENDERS[name](folder, Path(temporary) / "out.zip")
        took, work = time.perf_counter() - start, time.process_time() - busy
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps([took, work, grown // 1024]))


def compare(count, width, height, suffix):
    """Makes a folder of pictures and runs both contenders on it."""
    with tempfile.TemporaryDirectory() as folder:
        for i in range(count):
            noise = Image.effect_noise((width, height), 12).convert("RGB")
            picture = drawing(i, max(width, height)).crop((0, 0, width, height))
            Image.blend(picture, noise, 0.2).save(f"{folder}/{i:05}{suffix}")
        rates = {}
        for name in CONTENDERS:
            line = [sys.executable, "-m", "tests.benchmarks.prepare", "--one", name, folder]
            done = subprocess.run(line, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
            took, work, grown = json.loads(done.stdout)
            rates[name] = count / took
            figures = f"{rates[name]:7.0f} images/s  {1000 * work / count:7.2f} ms  {grown:5} MB"
            print(f"  {name:14} {figures}")
        print(f"  ratio {rates['utils_prepare'] / rates['plain_loop']:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=2000, help="pictures of 640 × 480")
    arguments = parser.parse_args()
    if arguments.one:
        return measure(*arguments.one)
    for count, width, height, suffix in (
        (arguments.count, 640, 480, ".jpg"),
        (arguments.count // 4, 640, 480, ".png"),
        (arguments.count // 50, 4000, 3000, ".jpg"),
    ):
        print(f"{count} pictures of {width}×{height}, {suffix}:")
        compare(count, width, height, suffix)
    return None


if __name__ == "__main__":
    main()
