"""Evaluates images against a data set, and against its law where one is known."""

import dataclasses
import os
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter
from tqdm.auto import tqdm

from utils.images import as_rgb
from utils.loaders import read_images
from utils.quality.similarity import (
    DUPLICATE,
    diversity,
    duplicates,
    nearest,
    nearest_other,
    sliced_wasserstein,
)

SETS = 20
"""How many sets of real images give the band of a measure of pixels."""

_MIN_IMAGES = 8
_MAX_SET = 256  # images in such a set, and of the images to judge
_POOL = 2048  # real images that the sets are drawn from
_SHOWN = 6  # images of each kind in the report
_FIGURES = ("measures", "real", "low", "high", "control", "controls")  # of an `Evaluation`


@dataclasses.dataclass
class Evaluation:
    """What was measured of a set of images.

    Attributes:
        count: how many images were judged.
        size: their width in pixels.
        measures: the value of each measure by its name.
        real: the same for a set of real images.
        low, high: the band in which 95 of 100 sets of real images lie.
        control: the same for images that are wrong in a way that the measure must notice.
        controls: how these images are wrong.
        histograms: labels and counts by title; by the law, all bars of a histogram are equally
            high. Empty without a law.
        examples: (caption, image, the image that explains it); empty without a law.
        neighbours: (image, the nearest training image, their distance as from `nearest`).
        copies: images that look like a training image (RMS up to `DUPLICATE`), of those compared.
        compared: images whose distance to the training images was measured.
        projected: the errors of images that the generator was searched for, by kind, the real ones
            first; see `utils.quality.add_coverage`.
        projections: (caption, real image, the closest image of the generator).
    """

    count: int
    size: int
    measures: dict[str, float]
    real: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    control: dict[str, float]
    controls: dict[str, str]
    histograms: dict[str, tuple[list[str], np.ndarray]]
    examples: list[tuple[str, np.ndarray, np.ndarray]]
    neighbours: list[tuple[np.ndarray, np.ndarray, float]]
    copies: int
    compared: int
    projected: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    projections: list[tuple[str, np.ndarray, np.ndarray]] = dataclasses.field(default_factory=list)

    def within(self, name: str) -> bool:
        """Whether a measure lies in the band of real images."""
        return self.low[name] <= self.measures[name] <= self.high[name]


def evaluate_images(
    images: np.ndarray,
    judge_for: Callable,
    data: str | os.PathLike | None = None,
    weight: int | None = None,
) -> Evaluation:
    """Evaluates images against a data set, by its law if it consists of images of the sketch.

    Args:
        images: uint8 (n, H, W, 1 or 3).
        judge_for: `lines.judge.judge_for`, which finds the law of the training images.
        data: zip or folder of training images; None for those of `python -m lines`, by default.
        weight: stroke weight of the lines in pixels, odd; None to find it.

    Raises:
        FileNotFoundError, ValueError: as `utils.loaders.read_images`, `judge_for` and `evaluate`.
    """
    return evaluate(*with_law(images, judge_for, data, weight))


def with_law(
    images: np.ndarray, judge_for: Callable, data: str | os.PathLike | None, weight: int | None
) -> tuple[np.ndarray, np.ndarray, object | None]:
    """The first arguments of `evaluate`, (images, training, law), from those of `evaluate_images`.

    The sketch draws in colours, so without `data` grey images become RGB.
    """
    height, width, channels = images.shape[1:]
    if not data and height != width:
        raise ValueError(
            f"the images have {width}×{height} pixels, and the sketch draws squares: name the "
            "training images with --data"
        )
    training = read_images(data, (height, width), channels=channels) if data else None
    law = judge_for(width, weight, training)
    images = images if data else as_rgb(images)
    return images, law.training_images() if law else training, law


def evaluate(images: np.ndarray, training: np.ndarray, law=None) -> Evaluation:
    """Measures images beside real ones and beside controls; shows progress bars.

    The measures that need no law use at most 256 images: `texture_<pixels>` and `texture_mean`, the
    sliced Wasserstein distance to the training set; `nearest_median`, the median distance to the
    nearest training image; `near_duplicates` and `diversity`. See `utils.quality.similarity`.
    Without a law, one half of the training set serves as the real images, the other half as the
    reference.

    Args:
        images: uint8 (n, H, W, C).
        training: the data set, uint8 (m, H, W, C).
        law: adds the measures of its `judge`, see `lines.judge.LineJudge`; None where the data have
            no known law.

    Raises:
        ValueError: fewer than 8 images or training images, or images of another shape.
    """
    _check(images, training)
    rng = np.random.default_rng(0)
    if law is None:
        mixed = rng.permutation(training)
        held_out = min(_POOL, len(mixed) // 2)
        real, reference = mixed[:held_out], mixed[held_out:]
        others = nearest_other(real)
        figures = {field: {} for field in _FIGURES}
    else:
        figures = law.judge(images, _bar)
        real, reference, others = law.fresh(_POOL, seed=1), training, np.inf
    advance = _bar("Comparing with the training images", len(reference) + len(training))
    distances = np.minimum(nearest(real, reference, advance)[1], others)
    indices, to_training = nearest(images[:_MAX_SET], training, advance)
    pixels = _pixel_figures(images, to_training, real, distances, reference, training, rng)
    return Evaluation(
        count=len(images),
        size=images.shape[2],
        **{field: figures[field] | pixels[field] for field in _FIGURES},
        histograms=law.histograms(figures["scenes"]) if law else {},
        examples=_examples(images, law, figures["scenes"], figures["residuals"]) if law else [],
        neighbours=[
            (images[i], training[indices[i]], float(to_training[i]))
            for i in range(min(_SHOWN, len(images)))
        ],
        copies=int((to_training <= DUPLICATE).sum()),
        compared=len(to_training),
    )


def _bar(task, total):
    """A progress bar of a step that takes longer than a second; returns its `update`."""
    bar = tqdm(desc=task, total=total, unit=" images", delay=1)

    def update(done):
        bar.update(done)
        if bar.n >= total:
            bar.close()

    return update


def _check(images, training):
    for kind, array in (("images to judge", images), ("training images", training)):
        if len(array) < _MIN_IMAGES:
            raise ValueError(f"expected at least {_MIN_IMAGES} {kind}, received {len(array)}")
    if images.shape[1:] != training.shape[1:]:
        raise ValueError(
            f"the images are {images.shape[1:]} and the training images {training.shape[1:]}; "
            "expected the same height, width and channels"
        )


def _pixel_figures(images, to_training, real, distances, reference, training, rng):
    """The figures that need no law, by the names of `_FIGURES`.

    Args:
        images: those to judge.
        to_training: of the first of them, the distance to the nearest training image.
        real: real images.
        distances: of each real image to the nearest other image of the data.
        reference: training images that none of `real` is among.
        training: all training images.
        rng: draws the sets of real images.
    """
    size = min(_MAX_SET, len(images), len(real) // 2, len(reference))
    reference = reference[rng.choice(len(reference), size, replace=False)]

    def measure(images, to_nearest):
        textures = sliced_wasserstein(images, reference)
        return {f"texture_{level}": value for level, value in textures.items()} | {
            "nearest_median": float(np.median(to_nearest)),
            "near_duplicates": duplicates(images),
            "diversity": diversity(images),
        }

    sets = [rng.choice(len(real), size, replace=False) for _ in range(SETS)]
    of_sets = [measure(real[indices], distances[indices]) for indices in sets]
    measures = measure(images[:size], to_training[:size])
    low, high = (
        {name: float(np.quantile([row[name] for row in of_sets], q)) for name in measures}
        for q in (0.025, 0.975)
    )
    control, controls = {}, {}
    for kind, wrong in (
        ("blurred", _blurred(real[:size])),
        ("replayed", reference),
        ("one image", np.repeat(real[:1], size, axis=0)),
    ):
        row = measure(wrong, nearest(wrong, training)[1])
        for name in measures:
            if _control_of(name, f"texture_{images.shape[1]}") == kind:
                control[name], controls[name] = row[name], kind
    return {
        "measures": measures,
        "real": of_sets[0],
        "low": low,
        "high": high,
        "control": control,
        "controls": controls,
    }


def _control_of(measure, finest):
    """The control that a measure must notice. A blur shows at the finest level."""
    if measure in (finest, "texture_mean"):
        return "blurred"
    return "replayed" if measure == "nearest_median" else "one image"


def _blurred(images):
    """Replaces every pixel by the mean of the 3 × 3 pixels around it."""
    blurred = [Image.fromarray(image.squeeze()).filter(ImageFilter.BoxBlur(1)) for image in images]
    return np.stack([np.asarray(image) for image in blurred]).reshape(images.shape)


def _examples(images, law, scenes, residuals):
    """The best, median and worst images, each with the image of the scene that explains it."""
    order = np.argsort(residuals, kind="stable")
    each = min(_SHOWN, len(order) // 3)
    middle = (len(order) - each) // 2
    return [
        (f"{kind} {residuals[i]:.1%}", images[i], law.explanation(scenes[i]))
        for kind, indices in (
            ("best", order[:each]),
            ("median", order[middle : middle + each]),
            ("worst", order[-each:]),
        )
        for i in indices
    ]
