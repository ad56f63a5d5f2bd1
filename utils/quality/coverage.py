"""Coverage: how near a generator can come to real images, by searching its latents for them."""

import numpy as np

from models.projection import project
from utils.drawing import draw_images
from utils.images import to_channels
from utils.quality.evaluation import Evaluation

FIGURES = {"projection_median": 0.5, "projection_p95": 0.95}
"""The measures: quantiles of the errors, mean absolute differences of pixels, 0…255."""

_RESAMPLED = 200  # sets of errors for the band
_SHOWN = 2  # images of each of three kinds in the report


def add_coverage(evaluation: Evaluation, generator, training, law, count: int) -> None:
    """Adds what a generator cannot draw: `FIGURES`, the curves of the errors, and examples.

    A generator that has left out a part of the data may draw nothing but right images, and no
    other measure sees what is missing. Here the latents are searched for real images, fresh ones
    where there is a law, otherwise some of the training set. Whatever the search misses counts
    as the generator's fault; so, in the place of real images, stand as many of the generator's own:
    what it can certainly draw, and what the search therefore reaches when nothing is missing. Their
    band is that of sets drawn from their errors. The control are two real images in one, the mean
    of both: no generator of such data should draw these.

    Args:
        evaluation: of the same generator; it is added to.
        generator: maps (B, z_dim) to (B, H, W, 1 or 3).
        training: the training set, uint8 (n, H, W, 1 or 3).
        law: as for `utils.quality.evaluation.evaluate`.
        count: of images of each kind; at most as many as there are.
    """
    if law:
        real = law.fresh(count, seed=2)
    else:
        some = np.random.default_rng(2).permutation(len(training))[:count]
        real = training[some]
    real = to_channels(real, generator.output_shape[-1])
    sums = real.astype(np.uint16) + np.roll(real, 1, axis=0)
    kinds = {
        "real images": real,
        "the generator's own": draw_images(generator, len(real)),
        "two real images in one": (sums // 2).astype(np.uint8),
    }
    found = {}
    for kind, images in kinds.items():
        print(f"Searching the generator for {len(images)} images: {kind}")
        found[kind] = project(generator, images)
    errors = evaluation.projected = {kind: one.errors for kind, one in found.items()}
    ours, own, double = errors.values()
    sets = np.random.default_rng(0).choice(own, (_RESAMPLED, len(own)))
    for name, share in FIGURES.items():
        evaluation.measures[name] = float(np.quantile(ours, share))
        evaluation.real[name] = float(np.quantile(own, share))
        low, high = np.quantile(np.quantile(sets, share, axis=1), (0.025, 0.975))
        evaluation.low[name], evaluation.high[name] = float(low), float(high)
        evaluation.control[name] = float(np.quantile(double, share))
        evaluation.controls[name] = "two in one"
    order = np.argsort(ours, kind="stable")
    middle = (len(order) - _SHOWN) // 2
    chosen = [*order[:_SHOWN], *order[middle : middle + _SHOWN], *order[-_SHOWN:]]
    drawn = found["real images"].images
    evaluation.projections = [(f"{ours[i]:.1f} of 255", real[i], drawn[i]) for i in chosen]
