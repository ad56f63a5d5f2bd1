"""Judges a set of images by the law of the sketch, beside real images and beside the controls."""

from collections.abc import Callable

import numpy as np

from lines.judge.controls import TRIPS, control, draw
from lines.judge.law import LAW, as_array, as_scene, expected_coverage, figures, keys, law
from lines.judge.parse import parse, parse_all
from lines.judge.pixels import crossings, straightness, structure
from lines.render import MAX_WEIGHT, render
from lines.scene import COLOUR_NAMES, ProcessingRandom, Scene, random_scene

VALID = 0.01
"""An image is valid where the scene that explains it best leaves no more of its pixels."""

LOOSE = 0.02
"""A second threshold. Lines cover little, so none above it would mean anything."""

APPEARANCE = (
    "validity",
    "validity_002",
    "residual_median",
    "residual_p95",
    "structure",
    "straightness",
    "crossings",
)
"""The measures made from pixels, of which real images leave no doubt."""

MEASURES = APPEARANCE + LAW

CHEAP = (
    "validity",
    "structure",
    "residual_median",
    "colour_tv_vertical",
    "colour_tv_horizontal",
    "position_ks_vertical",
    "position_ks_horizontal",
)
"""Those taken while a training goes on."""

_RESAMPLED = 200  # sets of real scenes for a band
_OF_CONTROLS = 500  # images: enough to see that a measure notices
_HEAVIEST = MAX_WEIGHT - 1  # the heaviest odd weight
_LOOKED_AT = 50  # images, to see whether they are the sketch's
_TRAINING = 10_000  # images that `python -m lines` draws by default, by seed 0
_SEED = 1_000_003  # of fresh real scenes, unlike any that are likely for Processing's numbers


def judge_for(
    size: int, weight: int | None = None, training: np.ndarray | None = None
) -> "LineJudge | None":
    """The judge of images of one size, or None where the training images are not the sketch's.

    Args:
        size: width and height of the images in pixels.
        weight: stroke weight in pixels; None for the one that explains the training images, and
            without them the odd one nearest to 5 of 128.
        training: see `LineJudge`. Some of them are looked at: all must be explained to the pixel.

    Raises:
        ValueError: an even weight.
    """
    usual = min(2 * round((5 * size / 128 - 1) / 2) + 1, _HEAVIEST)
    if training is None:
        return LineJudge(size, weight or usual)
    if training.shape[1:] != (size, size, 3):
        return None
    some = training[:: -(-len(training) // _LOOKED_AT)]
    others = (odd for odd in range(1, _HEAVIEST + 1, 2) if odd != usual)
    for tried in [weight] if weight else [usual, *others]:
        if all(parse(image, tried)[1] == 0 for image in some):
            return LineJudge(size, tried, training)
    return None


class LineJudge:
    """The law of the sketch for images of one size.

    Args:
        size: width and height of the images in pixels.
        weight: stroke weight in pixels, odd.
        training: images of the training set, uint8 (n, size, size, 3); None for those that
            `python -m lines` draws by default.

    Raises:
        ValueError: an even weight.
    """

    def __init__(self, size: int, weight: int, training: np.ndarray | None = None):
        if weight % 2 == 0:
            raise ValueError(f"only lines of an odd weight can be judged, received {weight}")
        self.size = size
        self.weight = weight
        self._training = training

    def measure(self, images: np.ndarray) -> dict[str, float]:
        """The cheap measures, for a few hundred images while a training goes on.

        Args:
            images: uint8 (n, size, size, 3), RGB.
        """
        scenes, residuals = parse_all(images, self.weight)
        found = self._broad(images, residuals)
        found |= figures(as_array(scenes), self.size, self.weight, np.zeros(0, np.uint64))
        return {name: found[name] for name in CHEAP}

    @staticmethod
    def rank(measured: dict[str, float]) -> tuple[float, ...]:
        """By this, the larger the better, one `measure` is compared with another."""
        return measured["validity"], measured["structure"], -measured["residual_median"]

    def fresh(self, n: int, seed: int = 0) -> np.ndarray:
        """n real images that stand in no training set but by chance, uint8 (n, size, size, 3)."""
        scenes = law(n, self.size, np.random.default_rng((_SEED, seed)))
        return draw([as_scene(row) for row in scenes], self.size, self.weight)

    def training_images(self) -> np.ndarray:
        """The training set, uint8 (n, size, size, 3)."""
        if self._training is None:
            random = ProcessingRandom(0)
            # A few more, as those that come twice are passed over.
            scenes = [random_scene(random, self.size) for _ in range(_TRAINING + _TRAINING // 10)]
            names = keys(as_array(scenes), self.size, self.weight)
            first = np.sort(np.unique(names, return_index=True)[1])[:_TRAINING]
            self._training = draw([scenes[i] for i in first], self.size, self.weight)
        return self._training

    def judge(self, images: np.ndarray, progress: Callable[[str], None] = print) -> dict:
        """All measures, with those of as many fresh real images and of the controls.

        Args:
            images: uint8 (n, size, size, 3), RGB.
            progress: called with a line of text before each of the longer steps.

        Returns:
            `measures`, `real`, `low` and `high` (the band that 95 % of sets of as many real scenes
            keep to) and `control`: {name: value} with the names of `MEASURES`; `controls`, which
            control that is; `scenes` of the images, (n, 3, 2), and their `residuals`, (n,).
        """
        progress("Explaining the training images")
        training = as_array(parse_all(self.training_images(), self.weight)[0])
        known = keys(training, self.size, self.weight)
        progress(f"Explaining {len(images)} images")
        scenes, residuals = parse_all(images, self.weight)
        found = self._measures(images, scenes, residuals, known)
        progress(f"Explaining {len(images)} fresh real images, and the controls")
        fresh = self.fresh(len(images))
        real = self._measures(fresh, *parse_all(fresh, self.weight), known)
        low, high = self._band(len(images), known)
        return {
            "measures": found,
            "real": real,
            # Of what is seen in the pixels of real images, nothing differs from set to set.
            "low": {name: real[name] for name in APPEARANCE} | low,
            "high": {name: real[name] for name in APPEARANCE} | high,
            "control": self._of_controls(training, known),
            "controls": TRIPS,
            "scenes": as_array(scenes),
            "residuals": residuals,
        }

    def explanation(self, scene: np.ndarray) -> np.ndarray:
        """A scene of those that `judge` gives as an image, uint8 (size, size, 3)."""
        return render(as_scene(scene), self.size, self.weight)

    def histograms(self, scenes: np.ndarray) -> dict[str, tuple[list[str], np.ndarray]]:
        """Labels and counts by title; by the law, all bars of one are equally high."""
        found = {}
        for title, lines in (("vertical", scenes[:, :1]), ("horizontal", scenes[:, 1:])):
            positions, colours = lines.reshape(-1, 2).T
            found[f"colour, {title}"] = (list(COLOUR_NAMES), np.bincount(colours, minlength=4))
            labels = [str(i) for i in range(self.size)]
            counts = np.bincount(positions, minlength=self.size)
            met = expected_coverage(len(positions), self.size)
            name = f"position, {title} (coverage to be expected: {met:.1%})"
            found[name] = (labels, counts)
        return found

    def _broad(self, images, residuals):
        """What is seen without looking at single lines."""
        return {
            "validity": float(np.mean(residuals <= VALID)),
            "validity_002": float(np.mean(residuals <= LOOSE)),
            "residual_median": float(np.median(residuals)),
            "residual_p95": float(np.quantile(residuals, 0.95)),
            "structure": structure(images, self.weight),
        }

    def _measures(self, images, scenes: list[Scene], residuals, known):
        found = self._broad(images, residuals) | {
            "straightness": straightness(images, scenes, self.weight),
            "crossings": crossings(images, scenes, self.weight),
        }
        found |= figures(as_array(scenes), self.size, self.weight, known)
        return {name: found[name] for name in MEASURES}

    def _band(self, n, known):
        """From and to which 95 % of sets of n real scenes lie, without their pixels.

        `parse` gives every real scene back, so drawing and parsing them would change nothing.
        """
        rng = np.random.default_rng(_SEED)
        sets = [
            figures(law(n, self.size, rng), self.size, self.weight, known)
            for _ in range(_RESAMPLED)
        ]
        table = np.array([[found[name] for name in LAW] for found in sets])
        low, high = np.quantile(table, (0.025, 0.975), axis=0)
        return dict(zip(LAW, low.tolist(), strict=True)), dict(zip(LAW, high.tolist(), strict=True))

    def _of_controls(self, training, known):
        """Each measure of the control that it must notice."""
        rng = np.random.default_rng((_SEED, 1))
        found = {}
        for name in sorted(set(TRIPS.values())):
            scenes = law(_OF_CONTROLS, self.size, rng)
            if name == "replayed":
                scenes = training[rng.integers(0, len(training), _OF_CONTROLS)]
            images = control(name, scenes, self.size, self.weight)
            found[name] = self._measures(images, *parse_all(images, self.weight), known)
        return {measure: found[name][measure] for measure, name in TRIPS.items()}
