"""The judge of line images: scenes from pixels, measures by hand, controls that must be noticed."""

import math

import numpy as np
import pytest

from lines.judge.controls import CONTROLS, TRIPS, control, draw
from lines.judge.judge import APPEARANCE, MEASURES, LineJudge, judge_for
from lines.judge.law import as_array, as_scene, expected_coverage, figures, keys, law
from lines.judge.parse import parse, parse_all
from lines.judge.pixels import crossings, straightness
from lines.render import render
from lines.scene import ProcessingRandom, random_scene

NOTHING_KNOWN = np.zeros(0, np.uint64)


def scene(vertical, first, second):
    """A scene of (position, colour) each."""
    return as_scene(np.array([vertical, first, second]))


@pytest.mark.parametrize(("size", "weight", "count"), [(128, 5, 1500), (64, 3, 10_000)])
def test_real_images_are_explained_to_the_pixel(size, weight, count):
    random = ProcessingRandom(11)
    scenes = [random_scene(random, size) for _ in range(count)]
    images = draw(scenes, size, weight)
    found, residuals = parse_all(images, weight)
    assert residuals.max() == 0
    assert np.array_equal(draw(found, size, weight), images)
    # The lines themselves, but for what one horizontal line may hide of the other.
    drawn, parsed = as_array(scenes), as_array(found)
    assert np.array_equal(drawn[:, 0], parsed[:, 0])
    told = np.abs(drawn[:, 1, 0] - drawn[:, 2, 0]) >= weight
    assert 0.8 * count < told.sum() < count
    for lines in (drawn, parsed):
        lines[:, 1:] = np.take_along_axis(
            lines[:, 1:], np.argsort(lines[:, 1:, :1], axis=1), axis=1
        )
    assert np.array_equal(drawn[told], parsed[told])


def test_lines_that_overlap_coincide_or_stand_at_the_border():
    positions = (0, 1, 2, 3, 60, 61, 62, 63)
    scenes = [
        scene((v, 0), (a, 1), (b, colour))
        for v in positions
        for a in positions
        for b in positions
        for colour in (1, 2)
    ]
    images = draw(scenes, 64, 3)
    found, residuals = parse_all(images, 3)
    assert residuals.max() == 0
    assert np.array_equal(draw(found, 64, 3), images)


def test_the_best_scene_is_the_best_of_all():
    """Against every scene there is, on images of noise of which nothing is explained well."""
    size, weight = 8, 1
    axes = np.meshgrid(*[np.arange(size), np.arange(4)] * 3, indexing="ij")
    every = np.stack(axes, axis=-1).reshape(-1, 3, 2)
    every = every[np.random.default_rng(0).permutation(len(every))[:60_000]]
    candidates = draw([as_scene(row) for row in every], size, weight).astype(np.int16)
    rng = np.random.default_rng(1)
    palette = np.array([(0, 0, 0), (255, 255, 255), (224, 184, 7), (185, 33, 19), (54, 79, 179)])
    for _ in range(5):
        image = palette[rng.integers(0, 5, (size, size))].astype(np.uint8)
        residuals = (np.abs(candidates - image).max(axis=-1) > 64).mean(axis=(1, 2))
        found, residual = parse(image, weight)
        assert residual <= residuals.min()
        again = np.abs(render(found, size, weight).astype(int) - image).max(axis=-1) > 64
        assert residual == again.mean()


def test_known_residuals():
    image = render(scene((20, 0), (60, 1), (90, 2)))
    image[100:110, 50:60] = 255  # 100 pixels away from every line
    found, residual = parse(image)
    assert as_array([found]).tolist() == [[[20, 0], [60, 1], [90, 2]]]
    assert residual == 100 / 128**2
    # Nothing costs less than three lines of which only three pixels are inside the image.
    assert parse(np.zeros((128, 128, 3), np.uint8))[1] == (2 * 3 * 128 - 9) / 128**2
    white = render(scene((20, 0), (60, 0), (90, 0)))
    assert parse(np.minimum(white, 191))[1] == 0  # 64 from white
    assert parse(np.minimum(white, 190))[1] > 0.1


def test_what_cannot_be_parsed():
    with pytest.raises(ValueError, match="odd weight can be parsed, received 4"):
        parse(np.zeros((8, 8, 3), np.uint8), 4)
    with pytest.raises(ValueError, match=r"uint8 \(size, size, 3\), received float64 \(8, 8, 3\)"):
        parse(np.zeros((8, 8, 3)), 1)
    with pytest.raises(ValueError, match=r"received uint8 \(8, 9, 3\)"):
        parse(np.zeros((8, 9, 3), np.uint8), 1)


def test_measures_by_hand():
    scenes = np.array(
        [
            [(0, 0), (0, 0), (4, 1)],
            [(0, 0), (1, 0), (5, 1)],
            [(4, 1), (2, 2), (6, 3)],
            [(4, 2), (3, 2), (7, 3)],
        ]
    )
    found = figures(scenes, 8, 1, keys(scenes[:1], 8, 1))
    assert found["colour_tv_vertical"] == pytest.approx(0.25)  # 2, 1, 1, 0 of 1 each
    assert found["colour_chi2_vertical"] == pytest.approx(2)
    assert found["colour_tv_horizontal"] == found["colour_chi2_horizontal"] == 0
    # Half stand at 0 and half at 4: the share is too large by 3, 2, 1, 0, 3, 2, 1, 0 eighths.
    assert found["position_ks_vertical"] == pytest.approx(3 / 8)
    assert found["position_w1_vertical"] == pytest.approx(12 / 8)
    assert found["position_ks_horizontal"] == found["position_w1_horizontal"] == 0
    assert found["coverage_vertical"] == 3 / 32
    assert found["coverage_horizontal"] == 8 / 32
    # Of the horizontal ones, the colour of the upper line tells that of the lower one.
    assert found["independence_colours_horizontal"] == pytest.approx(1)
    # Vertical white goes with 0 and 1, yellow and red with 2 and 3: χ² = 8 of 8 lines, 2 degrees.
    assert found["independence_colours"] == pytest.approx(math.sqrt(8 / 8 / 2))
    assert found["novelty"] == 0.75 and found["duplicates"] == 0
    twice = figures(scenes[[0, 1, 0, 0]], 8, 1, NOTHING_KNOWN)
    assert twice["duplicates"] == 0.5 and twice["novelty"] == 1
    assert expected_coverage(2, 8) == pytest.approx(1 - (31 / 32) ** 2)


def test_scenes_have_one_key_if_they_look_alike():
    alike = [
        [(20, 0), (30, 1), (50, 2)],
        [(20, 0), (50, 2), (30, 1)],  # the other way round, which nobody sees
    ]
    hidden = [[(20, 0), (30, 1), (30, 2)], [(20, 0), (30, 3), (30, 2)]]
    border = [[(20, 0), (62, 1), (63, 1)], [(20, 0), (62, 1), (62, 1)]]
    overlapping = [[(20, 0), (30, 1), (31, 2)], [(20, 0), (31, 2), (30, 1)]]
    others = [[(21, 0), (30, 1), (50, 2)], [(20, 1), (30, 1), (50, 2)], [(20, 0), (30, 1), (51, 2)]]
    names = keys(np.array(alike + hidden + border + overlapping + others), 64, 3).tolist()
    assert [names[i] == names[i + 1] for i in (0, 2, 4, 6)] == [True, True, True, False]
    assert len(set(names)) == 8


def test_wandering_edges_and_crossings():
    lines = scene((20, 0), (30, 1), (50, 2))
    image = render(lines, 64, 3)
    assert straightness(image[None], [lines], 3) == 0 and crossings(image[None], [lines], 3) == 1
    wider = image.copy()
    wider[1:30:2, 22] = 255  # one pixel more on every second row, at one of the six edges
    rows = [y for y in range(1, 64) if abs(y - 30) > 2 and abs(y - 50) > 2]
    spread = np.std([y % 2 == 1 and y < 30 for y in rows])
    assert straightness(wider[None], [lines], 3) == pytest.approx(spread / 6)
    under = image.copy()
    under[29:32, 19:22] = 255  # the vertical line above one of the two
    assert crossings(under[None], [lines], 3) == 0.5
    one_colour = scene((20, 1), (30, 1), (50, 1))
    assert math.isnan(crossings(render(one_colour, 64, 3)[None], [one_colour], 3))


@pytest.fixture(scope="module")
def judged():
    """Fresh real images before a judge."""
    judge = LineJudge(32, 1)
    return judge, judge.judge(judge.fresh(400, seed=5), progress=lambda text: None)


def test_real_images_pass(judged):
    _, found = judged
    assert set(found["measures"]) == set(MEASURES) == set(TRIPS)
    outside = [
        name
        for name, value in found["measures"].items()
        if not found["low"][name] <= value <= found["high"][name]
    ]
    assert len(outside) <= 4  # of 24, each with a chance of 1 in 20
    assert not set(outside) & set(APPEARANCE)
    mean = 0.869 / math.sqrt(400)  # of D, by Kolmogorov's distribution
    assert found["low"]["position_ks_vertical"] < mean < found["high"]["position_ks_vertical"]


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_notices_its_control(judged, name):
    """Its value lies further beyond the band of real images than the band is wide."""
    _, found = judged
    low, high, control = found["low"][name], found["high"][name], found["control"][name]
    assert max(low - control, control - high) > max(high - low, 0.01)
    assert TRIPS[name] in CONTROLS


def test_controls_break_what_they_say():
    scenes = law(300, 64, np.random.default_rng(0))
    before = scenes.copy()
    images = {name: control(name, scenes, 64, 3) for name in CONTROLS}
    assert np.array_equal(scenes, before)
    assert np.array_equal(images["replayed"], draw([as_scene(row) for row in scenes], 64, 3))
    assert len({images[name].tobytes() for name in CONTROLS}) == len(CONTROLS)
    found = {name: as_array(parse_all(images[name], 3)[0]) for name in CONTROLS}
    assert set(found["one colour missing"][..., 1].ravel()) == {0, 1, 2}
    assert found["half the positions"][:, 0, 0].max() < 32
    assert np.array_equal(found["vertical on top"][:, 0], before[:, 0])
    middle = np.abs(found["side by side"][..., 0] - 32) < 16
    assert np.array_equal(middle[:, 0], middle[:, 1]) or middle[:, 0].mean() > 0.3


def test_an_untrained_generator_is_noticed():
    from models.networks import build_generator, initialise
    from utils.drawing.latents import draw_images

    generator = build_generator(5, (4, 4, 8), [1, 1], [4, 3], [4, 4], [2, 2], 0.9, "relu", None)
    initialise((generator,), 0)
    judge = LineJudge(16, 1)
    found = judge.measure(draw_images(generator, 50))
    assert found["validity"] == found["structure"] == 0
    assert judge.rank(judge.measure(judge.fresh(50))) > judge.rank(found)


def test_the_law_is_recognised():
    rng = np.random.default_rng(0)
    real = draw([as_scene(row) for row in law(60, 32, rng)], 32, 1)
    assert judge_for(32, training=real).weight == 1
    assert judge_for(32, weight=3, training=real) is None
    heavy = draw([as_scene(row) for row in law(60, 32, rng)], 32, 5)
    assert judge_for(32, training=heavy).weight == 5  # found, though not the usual one
    assert judge_for(32, training=real[:, :, :, :1]) is None
    assert judge_for(32, training=real[:, :16]) is None
    assert judge_for(2000).weight == 37
    assert judge_for(32, training=rng.integers(0, 256, (60, 32, 32, 3), np.uint8)) is None
    assert [judge_for(size).weight for size in (128, 64, 256, 16)] == [5, 3, 9, 1]
    with pytest.raises(ValueError, match="odd weight can be judged, received 2"):
        judge_for(32, weight=2)
