"""Our renderer against Processing's own, run headless."""

import numpy as np
import pytest

from lines.render import MAX_WEIGHT, render
from lines.scene import ProcessingRandom, random_scene
from tests.helpers.processing import draw_in_processing


def scenes(seed, count, size):
    """Random scenes; of every three, one with its lines reversed and one with close lines."""
    random = ProcessingRandom(seed)
    made = []
    for i in range(count):
        scene = random_scene(random, size)
        if i % 3 == 1:
            scene = scene[::-1]
        if i % 3 == 2:
            near = min(size - 1, max(0, scene[1].position + random.random(6) - 3))
            scene = (*scene[:2], scene[2]._replace(position=float(np.float32(near))))
        made.append(scene)
    return made


@pytest.mark.parametrize(("size", "weight"), [(128, 5), (64, 3)])
def test_500_scenes_without_a_differing_pixel(processing, size, weight):
    drawn = scenes(size, 500, size)
    expected = draw_in_processing(processing, drawn, size, weight)
    ours = np.stack([render(scene, size, weight) for scene in drawn])
    assert np.count_nonzero(ours != expected) == 0


def test_every_weight_even_ones_too(processing):
    for weight in range(1, MAX_WEIGHT + 1):
        drawn = scenes(weight, 12, 50)
        expected = draw_in_processing(processing, drawn, 50, weight)
        ours = np.stack([render(scene, 50, weight) for scene in drawn])
        assert np.count_nonzero(ours != expected) == 0, weight
