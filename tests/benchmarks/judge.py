"""Time of the judge for 10,000 images, compared with Pillow decoding them.

`python -m tests.benchmarks.judge [--count 10000] [--size 128] [--weight 5]`
"""

import argparse
import io
import time

import numpy as np
from PIL import Image

from lines.judge import LineJudge
from lines.judge.parse import parse_all
from lines.png import encode_png


def seconds(function, *arguments):
    """Seconds that a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main():
    """Prints seconds, and their ratio to those of decoding."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--weight", type=int, default=5)
    arguments = parser.parse_args()
    count, size, weight = arguments.count, arguments.size, arguments.weight
    judge = LineJudge(size, weight)
    real = judge.fresh(count)
    noise = np.random.default_rng(0).integers(0, 256, real.shape, np.uint8)
    noisy = np.clip(real + np.random.default_rng(1).normal(0, 40, real.shape), 0, 255)
    pngs = [encode_png(image) for image in real]
    decoding = seconds(lambda: [np.asarray(Image.open(io.BytesIO(png))) for png in pngs])
    print(f"{count:,} images of {size} pixels")
    print(f"Pillow decodes them           {decoding:7.1f} s")
    for name, images in (
        ("parse, real images", real),
        ("parse, with noise (σ 40)", noisy.astype(np.uint8)),
        ("parse, noise alone", noise),
    ):
        parsing = seconds(parse_all, images, weight)
        print(f"{name:28s}  {parsing:7.1f} s  {parsing / decoding:5.1f} times as long")
    judged = seconds(judge.judge, real, lambda text: None)
    print(f"{'all measures, with controls':28s}  {judged:7.1f} s")


if __name__ == "__main__":
    main()
