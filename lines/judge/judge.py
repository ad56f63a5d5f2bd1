"""Judges a set of images by the law of the sketch, next to real images and to the controls."""

from collections.abc import Callable

import numpy as np

from lines.judge.controls import CONTROL_FOR, control_images
from lines.judge.law import (
    LAW_MEASURES,
    as_array,
    as_scene,
    expected_coverage,
    measure_scenes,
    sample_scenes,
    scene_hashes,
)
from lines.judge.parse import parse, parse_all
from lines.judge.pixels import crossings, straightness, structure
from lines.render import MAX_WEIGHT, render, render_all
from lines.scene import COLOUR_NAMES, ProcessingRandom, Scene, random_scene

VALID = 0.01
"""An image is valid if its best scene leaves at most this share of its pixels unexplained."""

VALID_002 = 0.02
"""A second threshold. Lines cover few pixels, so a higher one would mean nothing."""

PIXEL_MEASURES = (
    "validity",
    "validity_002",
    "residual_median",
    "residual_p95",
    "structure",
    "straightness",
    "crossings",
)
"""The measures made from pixels. Every set of real images has the same values."""

MEASURES = PIXEL_MEASURES + LAW_MEASURES

CHEAP = (
    "validity",
    "structure",
    "residual_median",
    "colour_tv_vertical",
    "colour_tv_horizontal",
    "position_ks_vertical",
    "position_ks_horizontal",
)
"""The measures that `LineJudge.measure` takes during a training."""

_BAND_SETS = 200  # sets of real scenes that a band is computed from
_CONTROL_IMAGES = 500  # images of each control: enough for a measure to notice it
_MAX_ODD_WEIGHT = MAX_WEIGHT - 1
_CHECKED = 50  # training images that decide whether a data set is the sketch's
_TRAINING = 10_000  # images that `python -m lines` draws by default, with seed 0
_SEED = 1_000_003  # of NumPy's generator, for fresh real scenes


def usual_weight(size: int) -> int:
    """The odd weight nearest to 5 pixels of 128, for images of `size` pixels."""
    return min(2 * round((5 * size / 128 - 1) / 2) + 1, _MAX_ODD_WEIGHT)


def judge_for(
    size: int, weight: int | None = None, training: np.ndarray | None = None
) -> "LineJudge | None":
    """The judge of images of one size, or None if the training images are not the sketch's.

    Args:
        size: width and height of the images in pixels.
        weight: stroke weight in pixels. If None, the weight that explains the training images;
            without training images, `usual_weight`.
        training: see `LineJudge`. About 50 of them are parsed, and all of these must be explained
            to the pixel.

    Raises:
        ValueError: an even weight.
    """
    usual = usual_weight(size)
    if training is None:
        return LineJudge(size, weight or usual)
    if training.shape[1:] != (size, size, 3):
        return None
    checked = training[:: -(-len(training) // _CHECKED)]
    others = (odd for odd in range(1, _MAX_ODD_WEIGHT + 1, 2) if odd != usual)
    for candidate in [weight] if weight else [usual, *others]:
        if all(parse(image, candidate)[1] == 0 for image in checked):
            return LineJudge(size, candidate, training)
    return None


class LineJudge:
    """Measures how far images of one size are from the law of the sketch.

    Args:
        size: width and height of the images in pixels.
        weight: stroke weight in pixels, odd.
        training: images of the training set, uint8 (n, size, size, 3). If None, the images that
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
        self._training_scenes = None  # known without a search where the images are drawn here

    def measure(self, images: np.ndarray) -> dict[str, float]:
        """The measures of `CHEAP`, for a few hundred images during a training.

        Args:
            images: uint8 (n, size, size, 3), RGB.
        """
        scenes, residuals = parse_all(images, self.weight)
        nothing = np.zeros(0, np.uint64)  # no training set: novelty is not asked for
        measures = self._measure_images(images, residuals)
        measures |= measure_scenes(as_array(scenes), self.size, self.weight, nothing)
        return {name: measures[name] for name in CHEAP}

    def fresh(self, n: int, seed: int = 0) -> np.ndarray:
        """n real images drawn independently of any training set, uint8 (n, size, size, 3)."""
        scenes = sample_scenes(n, self.size, np.random.default_rng((_SEED, seed)))
        return render_all([as_scene(row) for row in scenes], self.size, self.weight)

    def training_images(self) -> np.ndarray:
        """The training set, uint8 (n, size, size, 3)."""
        if self._training is None:
            random = ProcessingRandom(0)
            # A tenth more, because repeats are skipped.
            scenes = [random_scene(random, self.size) for _ in range(_TRAINING + _TRAINING // 10)]
            hashes = scene_hashes(as_array(scenes), self.size, self.weight)
            first = np.sort(np.unique(hashes, return_index=True)[1])[:_TRAINING]
            drawn = [scenes[i] for i in first]
            self._training = render_all(drawn, self.size, self.weight)
            self._training_scenes = as_array(drawn)
        return self._training

    def judge(
        self,
        images: np.ndarray,
        watch: Callable[[str, int], Callable[[int], None]] = lambda task, total: (
            lambda parsed: None
        ),
    ) -> dict:
        """All measures of the images, of as many fresh real images, and of the controls.

        Args:
            images: uint8 (n, size, size, 3), RGB.
            watch: called with what is about to be done, and for how many images; what it returns is
                called with the number of images that were done since.

        Returns:
            a dict with these keys. The first five are {name: value}, with the names of `MEASURES`:

            - `measures`: of the images.
            - `real`: of fresh real images.
            - `low`, `high`: the band that holds 95 % of sets of as many real scenes.
            - `control`: of the control that the measure must notice.
            - `controls`: {name of the measure: name of that control}.
            - `scenes`: the scenes of the images, (n, 3, 2), see `lines.judge.law.as_array`.
            - `residuals`: the share of pixels that the scenes leave unexplained, (n,).
        """

        def parse_watched(images, what):
            advance = watch(f"Finding the scenes of {what}", len(images))
            return parse_all(images, self.weight, advance)

        given, training = self.training_images(), self._training_scenes
        if training is None:
            training = as_array(parse_watched(given, "the training images")[0])
        training_hashes = scene_hashes(training, self.size, self.weight)
        scenes, residuals = parse_watched(images, "the images to judge")
        measures = self._measure_all(images, scenes, residuals, training_hashes)
        fresh = self.fresh(len(images))
        parsed = parse_watched(fresh, "fresh real images")
        real = self._measure_all(fresh, *parsed, training_hashes)
        low, high = self._band(len(images), training_hashes)
        # The pixels of real images give the same values for every set.
        pixels = {name: real[name] for name in PIXEL_MEASURES}
        return {
            "measures": measures,
            "real": real,
            "low": pixels | low,
            "high": pixels | high,
            "control": self._measure_controls(training, training_hashes, watch),
            "controls": CONTROL_FOR,
            "scenes": as_array(scenes),
            "residuals": residuals,
        }

    def explanation(self, scene: np.ndarray) -> np.ndarray:
        """One of the `scenes` that `judge` returns, (3, 2), as an image: uint8 (size, size, 3)."""
        return render(as_scene(scene), self.size, self.weight)

    def histograms(self, scenes: np.ndarray) -> dict[str, tuple[list[str], np.ndarray]]:
        """Histograms of scenes (n, 3, 2): {title: (labels, counts)}.

        By the law, all counts of one histogram are equal.
        """
        histograms = {}
        for orientation, lines in (("vertical", scenes[:, :1]), ("horizontal", scenes[:, 1:])):
            positions, colours = lines.reshape(-1, 2).T
            counts = np.bincount(colours, minlength=len(COLOUR_NAMES))
            histograms[f"colour, {orientation}"] = (list(COLOUR_NAMES), counts)
            labels = [str(i) for i in range(self.size)]
            counts = np.bincount(positions, minlength=self.size)
            coverage = expected_coverage(len(positions), self.size)
            title = f"position, {orientation} (expected coverage: {coverage:.1%})"
            histograms[title] = (labels, counts)
        return histograms

    def _measure_images(self, images, residuals):
        """The measures that need only the images and the residuals of their scenes."""
        return {
            "validity": float(np.mean(residuals <= VALID)),
            "validity_002": float(np.mean(residuals <= VALID_002)),
            "residual_median": float(np.median(residuals)),
            "residual_p95": float(np.quantile(residuals, 0.95)),
            "structure": structure(images, self.weight),
        }

    def _measure_all(self, images, scenes: list[Scene], residuals, training_hashes):
        measures = self._measure_images(images, residuals) | {
            "straightness": straightness(images, scenes, self.weight),
            "crossings": crossings(images, scenes, self.weight),
        }
        measures |= measure_scenes(as_array(scenes), self.size, self.weight, training_hashes)
        return {name: measures[name] for name in MEASURES}

    def _band(self, n, training_hashes):
        """The bounds that 95 % of sets of n real scenes keep to: ({name: low}, {name: high}).

        `parse` finds every real scene exactly, so the scenes need not be drawn and parsed.
        """
        rng = np.random.default_rng(_SEED)
        rows = []
        for _ in range(_BAND_SETS):
            scenes = sample_scenes(n, self.size, rng)
            measures = measure_scenes(scenes, self.size, self.weight, training_hashes)
            rows.append([measures[name] for name in LAW_MEASURES])
        bounds = np.quantile(rows, (0.025, 0.975), axis=0)
        return tuple(dict(zip(LAW_MEASURES, bound.tolist(), strict=True)) for bound in bounds)

    def _measure_controls(self, training, training_hashes, watch):
        """{measure: its value for the control that it must notice}."""
        rng = np.random.default_rng((_SEED, 1))
        by_control = {}
        names = sorted(set(CONTROL_FOR.values()))
        advance = watch("Finding the scenes of the controls", len(names) * _CONTROL_IMAGES)
        for name in names:
            scenes = sample_scenes(_CONTROL_IMAGES, self.size, rng)
            if name == "replayed":
                scenes = training[rng.integers(0, len(training), _CONTROL_IMAGES)]
            images = control_images(name, scenes, self.size, self.weight)
            parsed = parse_all(images, self.weight, advance)
            by_control[name] = self._measure_all(images, *parsed, training_hashes)
        return {measure: by_control[name][measure] for measure, name in CONTROL_FOR.items()}
