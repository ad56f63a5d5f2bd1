"""The search for a picture: how many it recovers, how long it takes, beside the plain method.

`python -m tests.benchmarks.projection [--seeds 50] [--real 0]`

The pictures are drawn by the generator in tests/data/lines64_best; one is recovered where the mean
absolute error is below 2 of 255. The plain method is one random start for each picture, the mean
squared difference of pixels as the loss, and Adam, for as many generated images.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from keras import ops

from lines.judge.judge import LineJudge
from models import engines
from models.search.projection import project
from tests.helpers import DATA, ROOT
from utils.drawing.latents import draw, draw_images, seed_latents
from utils.generator.load import load_generator
from utils.images import save_picture, to_float

GENERATOR = DATA / "lines64_best" / "generator.h5"
RECOVERED = 2  # of 255
GENERATED = 2000 + 100 * (16 + 8 + 4 + 2)  # images for one by `project`, the pool's included


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--real", type=int, default=0, help="real images to search for as well")
    arguments = parser.parse_args()
    generator = load_generator(GENERATOR)
    wanted = draw_images(generator, arguments.seeds)
    ours = measured("project", wanted, lambda: project(generator, wanted).errors)
    theirs = measured("the plain method", wanted, lambda: plain(generator, wanted))
    print(
        f"project: {np.mean(ours < RECOVERED) / max(np.mean(theirs < RECOVERED), 1e-9):.1f} times "
        f"as many recovered, the median error {np.median(theirs) / np.median(ours):.1f} times less"
    )
    if arguments.real:
        real = LineJudge(64, 3).fresh(arguments.real, seed=2)
        measured("real images", real, lambda: project(generator, real).errors)
    with tempfile.TemporaryDirectory() as folder:
        save_picture(Path(folder, "a.png"), wanted[0])
        line = [sys.executable, "generate.py", "project", Path(folder, "a.png")]
        line += ["--generator", GENERATOR, "--out", Path(folder, "found")]
        start = time.perf_counter()
        subprocess.run(list(map(str, line)), cwd=ROOT, check=True, capture_output=True)
        print(f"generate.py project, from a cold start: {time.perf_counter() - start:.1f} s")


def measured(name, wanted, search):
    """Prints the results and time of a search; returns its errors."""
    start = time.perf_counter()
    errors = search()
    seconds = (time.perf_counter() - start) / len(wanted)
    print(
        f"{name:18}{np.mean(errors < RECOVERED):6.0%} of {len(wanted)} within {RECOVERED} of 255, "
        f"median {np.median(errors):.2f}, 95 % {np.quantile(errors, 0.95):.2f}, worst "
        f"{errors.max():.2f}; {seconds:.2f} s per image"
    )
    return errors


def plain(generator, wanted):
    """Errors of the plain method, its rate falling as ours does."""
    engine, targets = engines.load(), ops.convert_to_tensor(to_float(wanted))
    seeds = range(10**6, 10**6 + len(wanted))
    z = keras.Variable(seed_latents(list(seeds), generator.input_shape[1]))
    schedule = keras.optimizers.schedules.PolynomialDecay(0.1, GENERATED, 0.001)
    adam = keras.optimizers.Adam(schedule)
    adam.build([z])

    def step():
        def loss():
            off = ops.square(generator(z.value, training=False) - targets)
            return ops.sum(ops.mean(off, (1, 2, 3))), off

        _, gradients = engine.gradients(loss, [z])
        engine.update(adam, gradients, [z])

    compiled = engine.compiled(step, [z, *adam.variables])
    for _ in range(GENERATED):
        compiled()
    drawn = draw(generator, ops.convert_to_numpy(z))
    return np.abs(drawn.astype(int) - wanted).mean((1, 2, 3))


if __name__ == "__main__":
    main()
