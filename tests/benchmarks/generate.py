"""Drawing images: images per second by batch size, and the time of one image from a cold start.

It uses the reference generator with untrained weights, on every installed backend. The cold start
is the whole command `python generate.py images --seeds 0`. For comparison: the import of the
framework alone, and the same image by ONNX Runtime where `onnxruntime` and `tf2onnx` are installed.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers import ROOT

BACKENDS = ("tensorflow", "jax", "torch")
BATCHES = (1, 4, 16, 64)
ONNX = """\
import sys
import onnxruntime
from utils.images import save_picture, to_uint8
from utils.drawing.latents import seed_latents
session = onnxruntime.InferenceSession(sys.argv[1])
z = seed_latents([0], 100)
image = session.run(None, {session.get_inputs()[0].name: z})[0]
save_picture(sys.argv[2] + "/seed_0.png", to_uint8(image)[0])
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", action="store_true", help="print those of this backend, as JSON")
    parser.add_argument(
        "--write", metavar="FOLDER", help="write generator.h5, and .onnx if possible"
    )
    arguments = parser.parse_args()
    if arguments.rates:
        print(json.dumps(rates()))
    elif arguments.write:
        write(Path(arguments.write))
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder))


def compare(folder: Path) -> None:
    """Prints both tables."""
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    this = [sys.executable, "-m", "tests.benchmarks.generate"]
    run([*this, "--write", folder], "tensorflow")
    print("images/s".ljust(24) + "".join(f"{f'batch {batch}':>10}" for batch in BATCHES))
    for backend in installed:
        values = json.loads(run([*this, "--rates"], backend).splitlines()[-1])
        print(f"{backend:24}" + "".join(f"{value:10.1f}" for value in values))
    print(f"{'cold start, s':24}{'best':>10}{'median':>10}{'import':>10}")
    generate = [sys.executable, "generate.py", "images", "--seeds", "0"]
    generate += ["--generator", folder / "generator.h5", "--out"]
    for backend in installed:
        starts = seconds([*generate, folder / backend], backend)
        imports = seconds([sys.executable, "-c", f"import {backend}"], backend)
        print_row(backend, starts, imports)
    if not (folder / "generator.onnx").exists():
        print("ONNX Runtime: needs pip install onnxruntime tf2onnx")
        return
    (folder / "onnx").mkdir()
    command = [sys.executable, "-c", ONNX, folder / "generator.onnx", folder / "onnx"]
    imports = seconds([sys.executable, "-c", "import onnxruntime"], "tensorflow")
    print_row("ONNX Runtime", seconds(command, "tensorflow"), imports)
    pictures = [Image.open(folder / name / "seed_0.png") for name in ("tensorflow", "onnx")]
    difference = np.abs(np.subtract(*(np.asarray(p, int) for p in pictures))).max()
    print(f"largest difference of ONNX Runtime's picture: {difference} of 255")


def print_row(name, starts, imports):
    median = statistics.median(starts)
    print(f"{name:24}{min(starts):10.2f}{median:10.2f}{min(imports):10.2f}")


def run(command, backend):
    """Runs a command; returns its output."""
    environment = os.environ | {"KERAS_BACKEND": backend}
    parts = [str(part) for part in command]
    done = subprocess.run(parts, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(parts)}: {done.stderr}")
    return done.stdout


def seconds(command, backend, repeats=3):
    """Seconds of each run of a command, with its start."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(command, backend)
        times.append(time.perf_counter() - start)
    return times


def generator():
    from models.presets import preset
    from models.WGANGP import WGANGP

    return WGANGP(**preset("lines128").networks, batch_size=16).generator


def rates() -> list[float]:
    """Images/s of the generator at each of `BATCHES`, the best of three."""
    from utils.drawing.latents import seed_latents

    network = generator()
    best = []
    for batch in BATCHES:
        z = seed_latents(list(range(batch)), 100)
        network.predict_on_batch(z)  # compiles
        times = []
        for _ in range(3):
            start = time.perf_counter()
            network.predict_on_batch(z)
            times.append(time.perf_counter() - start)
        best.append(batch / min(times))
    return best


def write(folder: Path) -> None:
    """Writes the files that the cold starts open."""
    from models.training.outputs import save_network

    network = generator()
    save_network(network, folder / "generator.h5")
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("tf2onnx"):
        network.export(folder / "generator.onnx", format="onnx", verbose=False)


if __name__ == "__main__":
    main()
