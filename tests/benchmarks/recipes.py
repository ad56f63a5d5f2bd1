"""Training speed of every recipe beside the reference's: generator updates and images a second.

An update of the generator comes with `n_critic` updates of the critic, 5 in the reference and 1 in
most others. All are timed one after another in this process, on images of random noise in five
colours; `fast` has other networks for photographs.
"""

import argparse
import time

import numpy as np

from models.presets import preset

CASES = (
    ("reference", 128),
    ("lines128-best", None),
    ("fast", 128),
    ("fast, photos", 128),
    ("lines", 128),
    ("reference", 64),
    ("lines64", None),
    ("lines64-best", None),
    ("fast", 64),
    ("fast, photos", 64),
    ("lines", 64),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, help="timed, for each recipe")
    seconds = parser.parse_args().seconds
    print(f"{'recipe':16}{'pixels':>7}{'updates/s':>11}{'images/s':>10}{'× reference':>13}")
    reference = None
    for name, image_size in CASES:
        recipe, _, photos = name.partition(", ")
        chosen = preset(recipe, image_size)
        rate = updates_per_second(chosen, seconds, few_colours=not photos)
        if name == "reference":
            reference = rate  # of the rows up to the next one
        images = rate * chosen.options.n_critic * chosen.options.batch_size
        print(
            f"{name:16}{chosen.image_size:7}{rate:11.2f}{images:10.0f}{rate / reference:13.1f}",
            flush=True,
        )


def updates_per_second(chosen, seconds: float, few_colours: bool) -> float:
    """Trains for a while, as `train.py` does, after every kind of update was compiled."""
    from models.build import build_gan
    from utils.loaders import ArraySource, ImageStream

    rng = np.random.default_rng(0)
    palette = rng.integers(256, size=(5, 3), dtype=np.uint8)
    images = palette[rng.integers(5, size=(200, chosen.image_size, chosen.image_size))]
    options = chosen.options
    colours = palette if few_colours else None
    gan = build_gan(chosen.networks, options.batch_size, chosen.recipe, colours)
    stream = ImageStream(ArraySource(images), options.batch_size, 0)
    for _ in range(2 * chosen.recipe.penalty_every):
        gan.train_epoch(stream, options.n_critic)
    start, first = time.perf_counter(), gan.epoch
    while time.perf_counter() - start < seconds:
        gan.train_epoch(stream, options.n_critic)
    return (gan.epoch - first) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
