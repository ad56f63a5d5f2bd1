"""Judges images against a data set, and against its law where one is known."""

import dataclasses
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from utils.quality.similarity import (
    diversity,
    duplicates,
    nearest,
    nearest_other,
    sliced_wasserstein,
)

SETS = 20
"""Sets of real images by which the band of a measure of pixels is found."""

_LARGEST_SET = 256  # images of such a set, and of the images judged
_POOL = 2048  # real images that the sets are drawn from
_SHOWN = 6  # images of each kind in the report
_FIGURES = ("measures", "real", "low", "high", "control", "controls")  # of an `Evaluation`


@dataclasses.dataclass
class Evaluation:
    """What is known about a set of images.

    Attributes:
        count: how many images were judged.
        measures: value of each measure by its name.
        real: the same for real images.
        low, high: the band in which 95 of 100 sets of real images lie.
        control: value for images that are wrong in a way that the measure must notice.
        controls: what these images are.
        histograms: labels and counts by title, where a law is known by which all bars of one are
            equally high.
        examples: (caption, image, the image that explains it); empty without a law.
        neighbours: (image, the nearest training image, their distance as `nearest` gives it).
        projected: errors of images that a generator was searched for, by kind, the judged kind
            first; see `utils.quality.coverage`.
        projections: (caption, real image, the nearest that the generator draws).
    """

    count: int
    measures: dict[str, float]
    real: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    control: dict[str, float]
    controls: dict[str, str]
    histograms: dict[str, tuple[list[str], np.ndarray]]
    examples: list[tuple[str, np.ndarray, np.ndarray]]
    neighbours: list[tuple[np.ndarray, np.ndarray, float]]
    projected: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    projections: list[tuple[str, np.ndarray, np.ndarray]] = dataclasses.field(default_factory=list)

    def within(self, name: str) -> bool:
        """Whether a measure lies in the band of real images."""
        return self.low[name] <= self.measures[name] <= self.high[name]


def evaluate(
    images: np.ndarray,
    training: np.ndarray,
    law=None,
    progress: Callable[[str], None] = print,
) -> Evaluation:
    """Judges images.

    Without a law, real images are a part of the training set, beside which the rest stands, and the
    measures are these, all of at most 256 images: `texture_<pixels>` and `texture_mean`, the
    sliced Wasserstein distance to the training set; `nearest_median`, the median distance to the
    nearest training image; `near_duplicates` and `diversity`. See `utils.quality.similarity`.

    Args:
        images: uint8 (n, H, W, C).
        training: the data set, uint8 (m, H, W, C).
        law: whose measures are added, with the methods of `lines.judge.judge.LineJudge`; None where the
            data have no known law.
        progress: called with a line of text before each of the longer steps.

    Raises:
        ValueError: fewer than 8 images or training images, or images of another shape.
    """
    for what, array in (("images to judge", images), ("training images", training)):
        if len(array) < 8:
            raise ValueError(f"expected at least 8 {what}, received {len(array)}")
    if images.shape[1:] != training.shape[1:]:
        raise ValueError(
            f"the images are {images.shape[1:]} and the training images {training.shape[1:]}; "
            "expected the same height, width and channels"
        )
    rng = np.random.default_rng(0)
    progress("Looking for the nearest training images")
    if law is None:
        mixed = rng.permutation(training)
        held_out = min(_POOL, len(mixed) // 2)
        real, reference = mixed[:held_out], mixed[held_out:]
        distances = np.minimum(nearest(real, reference)[1], nearest_other(real))
        found = {field: {} for field in _FIGURES}
    else:
        found = law.judge(images, progress)
        real, reference = law.fresh(_POOL, seed=1), training
        distances = nearest(real, training)[1]
    for key, more in _by_pixels(images, real, distances, reference, training, rng).items():
        found[key] = found[key] | more
    shown = images[:_SHOWN]
    indices, distances = nearest(shown, training)
    return Evaluation(
        count=len(images),
        **{field: found[field] for field in _FIGURES},
        histograms=law.histograms(found["scenes"]) if law else {},
        examples=_examples(images, law, found) if law else [],
        neighbours=list(zip(shown, training[indices], distances.tolist(), strict=True)),
    )


def _by_pixels(images, real, distances, reference, training, rng):
    """The measures that need no law: of the images, of real ones, their band, and controls.

    `distances` are those of the real images to the nearest of the data, themselves excepted.
    """
    size = min(_LARGEST_SET, len(images), len(real) // 2, len(reference))
    reference = reference[rng.choice(len(reference), size, replace=False)]

    def measured(images, to_training):
        textures = sliced_wasserstein(images, reference)
        found = {f"texture_{level}": value for level, value in textures.items()}
        found["nearest_median"] = float(np.median(to_training))
        found["near_duplicates"] = duplicates(images)
        found["diversity"] = diversity(images)
        return found

    judged = images[:size]
    sets = [rng.choice(len(real), size, replace=False) for _ in range(SETS)]
    of_real = [measured(real[chosen], distances[chosen]) for chosen in sets]
    values = measured(judged, nearest(judged, training)[1])
    low, high = (
        {name: float(np.quantile([row[name] for row in of_real], q)) for name in values}
        for q in (0.025, 0.975)
    )
    control, controls = {}, {}
    for what, wrong in (
        ("blurred", _blurred(real[:size])),
        ("replayed", reference),
        ("one image", np.repeat(real[:1], size, axis=0)),
    ):
        row = measured(wrong, nearest(wrong, training)[1])
        for name in values:
            if _trips(name, f"texture_{images.shape[1]}") == what:
                control[name], controls[name] = row[name], what
    return {
        "measures": values,
        "real": of_real[0],
        "low": low,
        "high": high,
        "control": control,
        "controls": controls,
    }


def _trips(name, finest):
    """The control that a measure must notice; a blur is seen at the finest level."""
    if name in (finest, "texture_mean"):
        return "blurred"
    return "replayed" if name == "nearest_median" else "one image"


def _blurred(images):
    """Every pixel the mean of its neighbourhood of 3 by 3."""
    blurred = [Image.fromarray(image.squeeze()).filter(ImageFilter.BoxBlur(1)) for image in images]
    return np.stack([np.asarray(image) for image in blurred]).reshape(images.shape)


def _examples(images, law, found):
    """The best, the median and the worst images beside what explains them best."""
    order = np.argsort(found["residuals"], kind="stable")
    each = min(_SHOWN, len(order) // 3)
    middle = (len(order) - each) // 2
    examples = []
    for what, chosen in (
        ("best", order[:each]),
        ("median", order[middle : middle + each]),
        ("worst", order[-each:]),
    ):
        for i in chosen:
            caption = f"{what} {found['residuals'][i]:.1%}"
            examples.append((caption, images[i], law.explanation(found["scenes"][i])))
    return examples
