"""The judge: real images pass, and every measure notices its control."""

import math

import numpy as np
import pytest

from lines.judge.controls import CONTROL_FOR, CONTROLS
from lines.judge.judge import CHEAP, MEASURES, PIXEL_MEASURES, LineJudge, judge_for
from lines.judge.law import as_scene, sample_scenes
from lines.render import render_all


@pytest.fixture(scope="module")
def judged():
    """What a judge says of 400 fresh real images, beside a training set of 400."""
    judge = LineJudge(32, 1, LineJudge(32, 1).fresh(400, seed=6))
    return judge.judge(judge.fresh(400, seed=5))


def test_real_images_pass(judged):
    """Nearly all measures of real images are in the band; those of pixels always are."""
    assert set(judged["measures"]) == set(MEASURES) == set(CONTROL_FOR)
    outside = [
        name
        for name, value in judged["measures"].items()
        if not judged["low"][name] <= value <= judged["high"][name]
    ]
    assert len(outside) <= 4  # of 24, each with a chance of 1 in 20
    assert not set(outside) & set(PIXEL_MEASURES)
    mean = 0.869 / math.sqrt(400)  # of D, by Kolmogorov's distribution
    assert judged["low"]["position_ks_vertical"] < mean < judged["high"]["position_ks_vertical"]


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_notices_its_control(judged, name):
    """The control's value is outside the band of real images by more than the band's width."""
    low, high, control = judged["low"][name], judged["high"][name], judged["control"][name]
    assert max(low - control, control - high) > max(high - low, 0.01)
    assert CONTROL_FOR[name] in CONTROLS


def test_an_untrained_generator_is_noticed():
    """Its images are worse than real ones by every measure that ranks a checkpoint."""
    from models.networks.reference import build_generator
    from models.networks.weights import initialise
    from utils.drawing import draw_images

    generator = build_generator(5, (4, 4, 8), [1, 1], [4, 3], [4, 4], [2, 2], 0.9, "relu", None)
    initialise((generator,), 0)
    judge = LineJudge(16, 1)
    drawn, real = judge.measure(draw_images(generator, 50)), judge.measure(judge.fresh(50))
    assert drawn["validity"] == drawn["structure"] == 0
    assert real["validity"] == real["structure"] == 1
    assert drawn["residual_median"] > real["residual_median"] == 0
    assert tuple(drawn) == tuple(real) == CHEAP


def test_explanations_of_real_images_are_these_images(judged):
    judge = LineJudge(32, 1)
    images = judge.fresh(400, seed=5)
    explained = [judge.explanation(scene) for scene in judged["scenes"]]
    assert np.array_equal(explained, images) and judged["residuals"].max() == 0


def test_histograms_count_every_line(judged):
    histograms = LineJudge(32, 1).histograms(judged["scenes"])
    sizes = {title: (len(labels), counts.sum()) for title, (labels, counts) in histograms.items()}
    assert list(sizes.values()) == [(4, 400), (32, 400), (4, 800), (32, 800)]
    # Of 32 · 4 pairs, 400 lines are expected to hit 1 − (127/128)⁴⁰⁰.
    assert "position, vertical (expected coverage: 95.7%)" in sizes


def test_images_of_the_sketch_are_recognised():
    """With any odd weight; images of another kind or shape have no judge."""
    rng = np.random.default_rng(0)
    real = render_all([as_scene(row) for row in sample_scenes(60, 32, rng)], 32, 1)
    assert judge_for(32, training=real).weight == 1
    assert judge_for(32, weight=3, training=real) is None
    heavy = render_all([as_scene(row) for row in sample_scenes(60, 32, rng)], 32, 5)
    assert judge_for(32, training=heavy).weight == 5  # found, though not the usual one
    assert judge_for(32, training=real[:, :, :, :1]) is None
    assert judge_for(32, training=real[:, :16]) is None
    assert judge_for(2000).weight == 37
    assert judge_for(32, training=rng.integers(0, 256, (60, 32, 32, 3), np.uint8)) is None
    assert [judge_for(size).weight for size in (128, 64, 256, 16)] == [5, 3, 9, 1]
    with pytest.raises(ValueError, match="odd weight can be judged, received 2"):
        judge_for(32, weight=2)
