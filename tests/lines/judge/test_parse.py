"""Scenes from pixels: real images exactly, others as well as any scene can."""

import numpy as np
import pytest

from lines.judge.law import as_array, as_scene
from lines.judge.parse import parse, parse_all
from lines.render import render, render_all
from lines.scene import ProcessingRandom, random_scene


@pytest.mark.parametrize(("size", "weight", "count"), [(128, 5, 500), (64, 3, 2000)])
def test_real_images_are_explained_to_the_pixel(size, weight, count):
    random = ProcessingRandom(11)
    scenes = [random_scene(random, size) for _ in range(count)]
    images = render_all(scenes, size, weight)
    explanations, residuals = parse_all(images, weight)
    assert residuals.max() == 0
    assert np.array_equal(render_all(explanations, size, weight), images)
    # The lines are the same too, if no horizontal line hides a part of the other.
    drawn, parsed = as_array(scenes), as_array(explanations)
    assert np.array_equal(drawn[:, 0], parsed[:, 0])
    apart = np.abs(drawn[:, 1, 0] - drawn[:, 2, 0]) >= weight
    assert 0.8 * count < apart.sum() < count
    for lines in (drawn, parsed):
        lines[:, 1:] = np.take_along_axis(
            lines[:, 1:], np.argsort(lines[:, 1:, :1], axis=1), axis=1
        )
    assert np.array_equal(drawn[apart], parsed[apart])


def test_lines_that_overlap_coincide_or_touch_the_border_are_explained():
    positions = (0, 1, 2, 3, 60, 61, 62, 63)
    scenes = [
        as_scene([(v, 0), (a, 1), (b, colour)])
        for v in positions
        for a in positions
        for b in positions
        for colour in (1, 2)
    ]
    images = render_all(scenes, 64, 3)
    explanations, residuals = parse_all(images, 3)
    assert residuals.max() == 0
    assert np.array_equal(render_all(explanations, 64, 3), images)


def test_no_scene_is_better_than_the_one_found():
    """Compared with all 32,768 scenes of 8 pixels, on noise that no scene explains well."""
    size, weight = 8, 1
    axes = np.meshgrid(*[np.arange(size), np.arange(4)] * 3, indexing="ij")
    scenes = [as_scene(row) for row in np.stack(axes, axis=-1).reshape(-1, 3, 2)]
    candidates = render_all(scenes, size, weight).astype(np.int16)
    rng = np.random.default_rng(1)
    palette = np.array([(0, 0, 0), (255, 255, 255), (224, 184, 7), (185, 33, 19), (54, 79, 179)])
    for _ in range(5):
        image = palette[rng.integers(0, 5, (size, size))].astype(np.uint8)
        residuals = (np.abs(candidates - image).max(axis=-1) > 64).mean(axis=(1, 2))
        best, residual = parse(image, weight)
        assert residual <= residuals.min()
        difference = np.abs(render(best, size, weight).astype(int) - image).max(axis=-1) > 64
        assert residual == difference.mean()


def test_residuals_equal_those_computed_by_hand():
    image = render(as_scene([(20, 0), (60, 1), (90, 2)]))
    image[100:110, 50:60] = 255  # 100 pixels away from every line
    best, residual = parse(image)
    assert as_array([best]).tolist() == [[[20, 0], [60, 1], [90, 2]]]
    assert residual == 100 / 128**2
    # Black is explained best by three lines of which as few pixels as possible are in the image.
    assert parse(np.zeros((128, 128, 3), np.uint8))[1] == (2 * 3 * 128 - 9) / 128**2
    white = render(as_scene([(20, 0), (60, 0), (90, 0)]))
    assert parse(np.minimum(white, 191))[1] == 0  # 64 from white
    assert parse(np.minimum(white, 190))[1] > 0.1


def test_even_weights_and_other_arrays_are_refused():
    with pytest.raises(ValueError, match="odd weight can be parsed, received 4"):
        parse(np.zeros((8, 8, 3), np.uint8), 4)
    with pytest.raises(ValueError, match=r"uint8 \(size, size, 3\), received float64 \(8, 8, 3\)"):
        parse(np.zeros((8, 8, 3)), 1)
    with pytest.raises(ValueError, match=r"received uint8 \(8, 9, 3\)"):
        parse(np.zeros((8, 9, 3), np.uint8), 1)
