"""Films: frames per second compared with Pillow's GIF writer; memory by length of a film."""

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.helpers import DATA, ROOT
from utils.drawing.films import write_film
from utils.drawing.latents import draw, seed_latents
from utils.drawing.layout import enlarge
from utils.drawing.walks import film_latents, walk
from utils.generator.load import load_generator
from utils.images import to_picture

GENERATOR = DATA / "lines64_best" / "generator.h5"
FRAMES = 200


def main():
    """Prints the figures."""
    generator = load_generator(GENERATOR)
    z = seed_latents([3, 8, 12], generator.input_shape[1])
    chunks = film_latents(lambda t: walk(z, t, loop=True), FRAMES, loop=True)
    frames = [enlarge(image, 4) for chunk in chunks for image in draw(generator, chunk)]
    with tempfile.TemporaryDirectory() as folder:
        by_pillow = seconds(pillow, Path(folder, "p.gif"), frames)
        print(f"{FRAMES} frames of 256 pixels. Pillow's GIF writer: {FRAMES / by_pillow:.0f}/s")
        for name in ("a.gif", "a.mp4", "frames"):
            ours = seconds(write_film, Path(folder, name), frames, FRAMES, 25)
            print(f"{name}: {FRAMES / ours:.0f}/s, {by_pillow / ours:.1f} times as fast as Pillow")
        for count in (100, 1000):
            print(f"a film of {count} frames: {memory(folder, count):.0f} MB")


def pillow(path, frames):
    """Writes a GIF with Pillow alone."""
    first, *others = map(to_picture, frames)
    first.save(path, save_all=True, append_images=others, duration=40, loop=0)


def seconds(function, *arguments):
    """Returns how long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def memory(folder, count):
    """Peak memory in MB of `generate.py walk` and its child processes, for 512 pixels."""
    line = ["generate.py", "walk", "--generator", GENERATOR, "--seconds", count / 25]
    line += ["--loop", "--out", Path(folder, f"{count}.mp4")]
    process = psutil.Popen([sys.executable, *map(str, line)], cwd=ROOT, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):  # a process may end here
            processes = [process, *process.children(recursive=True)]
            peak = max(peak, sum(each.memory_info().rss for each in processes))
        time.sleep(0.05)
    return peak / 1e6


if __name__ == "__main__":
    main()
