"""Evaluates a generator: its images, and its coverage, found by searching it for real images."""

import os
from collections.abc import Callable

import keras
import numpy as np

from utils.drawing import draw_images
from utils.images import to_channels
from utils.messages import count as counted
from utils.messages import tell
from utils.quality.evaluation import Evaluation, evaluate, with_law

FIGURES = {"projection_median": 0.5, "projection_p95": 0.95}
"""The measures: quantiles of the errors, mean absolute differences of pixels, 0…255."""

_RESAMPLED = 200  # sets of errors for the band
_SHOWN = 2  # images of each of three kinds in the report


def evaluate_generator(
    generator: keras.Model,
    judge_for: Callable,
    data: str | os.PathLike | None = None,
    count: int = 1000,
    weight: int | None = None,
    project: Callable | None = None,
    searched: int = 100,
) -> Evaluation:
    """Evaluates the images of a generator as `evaluate_images` does, and its coverage if asked.

    Args:
        generator: maps (B, z_dim) to (B, H, W, 1 or 3).
        judge_for, data, weight: see `utils.quality.evaluate_images`.
        count: how many images are judged, those of seeds from 0.
        project: `models.search.project`, which measures the coverage, see
            `add_coverage`; None leaves it out.
        searched: how many real images are searched for; about 3 s each on 2 cores.

    Raises:
        FileNotFoundError, ValueError: as `evaluate_images`.
    """
    images, training, law = with_law(draw_images(generator, count), judge_for, data, weight)
    evaluation = evaluate(images, training, law)
    if project:
        add_coverage(evaluation, generator, training, law, searched, project)
    return evaluation


def add_coverage(
    evaluation: Evaluation,
    generator: keras.Model,
    training: np.ndarray,
    law,
    count: int,
    project: Callable,
) -> None:
    """Adds what a generator cannot draw: `FIGURES`, the curves of the errors, and examples.

    All images of a generator may be right while it never draws a part of the data. The other
    measures cannot see what is missing. So the latents are searched for real images: fresh ones if
    there is a law, else some of the training set. An image that the search does not reach counts as
    missing.

    For comparison the search also looks for as many images of the generator itself. These it can
    certainly draw, so their errors are those of the search alone; they are the figures of `real`,
    and sets resampled from them give the band. The control are means of two real images, which no
    generator of such data should draw.

    Args:
        evaluation: of the same generator; the figures are added to it.
        generator: maps (B, z_dim) to (B, H, W, 1 or 3).
        training: the training set, uint8 (n, H, W, 1 or 3).
        law: as for `utils.quality.evaluate`.
        count: how many images of each kind; at most as many as there are training images.
        project: as `models.search.project`: `project(generator, images)` returns the
            closest `images` of the generator and their `errors`.
    """
    kinds = _searched_images(generator, training, law, count)
    results = {}
    for kind, images in kinds.items():
        tell(f"Searching the generator for {counted(len(images), 'image')}: {kind}")
        results[kind] = project(generator, images)
    errors = evaluation.projected = {kind: result.errors for kind, result in results.items()}
    real, own, control = errors.values()
    sets = np.random.default_rng(0).choice(own, (_RESAMPLED, len(own)))
    for name, share in FIGURES.items():
        evaluation.measures[name] = float(np.quantile(real, share))
        evaluation.real[name] = float(np.quantile(own, share))
        low, high = np.quantile(np.quantile(sets, share, axis=1), (0.025, 0.975))
        evaluation.low[name], evaluation.high[name] = float(low), float(high)
        evaluation.control[name] = float(np.quantile(control, share))
        evaluation.controls[name] = "two in one"
    order = np.argsort(real, kind="stable")
    middle = (len(order) - _SHOWN) // 2
    shown = [*order[:_SHOWN], *order[middle : middle + _SHOWN], *order[-_SHOWN:]]
    images, closest = kinds["real images"], results["real images"].images
    evaluation.projections = [(f"{real[i]:.1f} of 255", images[i], closest[i]) for i in shown]


def _searched_images(generator, training, law, count):
    """Images to search for by kind, uint8 (count, H, W, C): real, generated, and controls."""
    if law:
        real = law.fresh(count, seed=2)
    else:
        real = training[np.random.default_rng(2).permutation(len(training))[:count]]
    real = to_channels(real, generator.output_shape[-1])
    sums = real.astype(np.uint16) + np.roll(real, 1, axis=0)
    return {
        "real images": real,
        "the generator's own": draw_images(generator, len(real)),
        "two real images in one": (sums // 2).astype(np.uint8),
    }
