"""The page in headless Chromium: time to the first picture, pictures per second, and Keras's."""

import tempfile
import time
from pathlib import Path

import numpy as np

from models.presets import PRESETS
from models.WGANGP import WGANGP
from tests.helpers import DATA, browser
from utils.drawing import principal_directions, seed_latents
from utils.generator import load_generator, write_site

SECONDS = 5


def main():
    """Prints the figures of two generators; both sides draw one picture at a time."""
    if reason := browser.missing():
        print(reason)
        return
    shipped = load_generator(DATA / "lines64_best" / "generator.h5")
    large = WGANGP(**PRESETS["lines128"].networks, batch_size=16).generator
    for name, generator in (("lines64-best", shipped), ("lines128, untrained", large)):
        by_keras = with_keras(generator)
        first, rate, engine = in_browser(generator)
        print(
            f"{name}: first picture after {first:.1f} s; a walk draws {rate:.1f} pictures per "
            f"second with {engine} (which shows at most 60), {rate / by_keras:.2f} times Keras's "
            f"{by_keras:.1f}"
        )


def with_keras(generator):
    """Pictures per second of `predict_on_batch`."""
    z = seed_latents([7], generator.input_shape[1])
    generator.predict_on_batch(z)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        np.asarray(generator.predict_on_batch(z))
        count += 1
    return count / SECONDS


def in_browser(generator):
    """Seconds to the first picture, pictures per second of a walk, and what computes them."""
    with tempfile.TemporaryDirectory() as folder:
        write_site(generator, Path(folder, "site"), "benchmark", principal_directions(generator))
        with browser.served(Path(folder, "site")) as (address, _), browser.chromium(folder) as page:

            def pictures():
                return int(page.execute_script("return canvas.dataset.pictures") or 0)

            start = time.perf_counter()
            page.get(address)
            browser.until(pictures)
            first = time.perf_counter() - start
            page.execute_script("play.click()")
            before = pictures()
            time.sleep(SECONDS)
            rate = (pictures() - before) / SECONDS
            return first, rate, page.execute_script("return engine.textContent")


if __name__ == "__main__":
    main()
