"""Our renderer against Processing's: stored images, and Processing itself, run headless."""

import numpy as np
import pytest

from lines.render import MAX_WEIGHT, render, render_all
from lines.scene import Line, ProcessingRandom, random_scene
from tests.helpers import DATA
from tests.helpers.processing import draw_in_processing


def difficult_scenes(seed, count, size):
    """Random scenes; of every three, one has its lines reversed and one has close lines."""
    random = ProcessingRandom(seed)
    scenes = []
    for i in range(count):
        scene = random_scene(random, size)
        if i % 3 == 1:
            scene = scene[::-1]
        if i % 3 == 2:
            near = min(size - 1, max(0, scene[1].position + random.random(6) - 3))
            scene = (*scene[:2], scene[2]._replace(position=float(np.float32(near))))
        scenes.append(scene)
    return scenes


def test_every_stored_scene_equals_processing():
    stored = np.load(DATA / "processing_scenes.npz")
    for rows, expected in zip(stored["scenes"], stored["images"], strict=True):
        scene = [Line(("vertical", "horizontal")[int(o)], p, int(c)) for o, p, c in rows]
        assert np.count_nonzero(render(scene) != expected) == 0


@pytest.mark.parametrize(("size", "weight"), [(128, 5), (64, 3)])
def test_500_scenes_equal_processing(processing, size, weight):
    scenes = difficult_scenes(size, 500, size)
    expected = draw_in_processing(processing, scenes, size, weight)
    assert np.count_nonzero(render_all(scenes, size, weight) != expected) == 0


def test_every_weight_equals_processing(processing):
    """Odd and even weights."""
    for weight in range(1, MAX_WEIGHT + 1):
        scenes = difficult_scenes(weight, 12, 50)
        expected = draw_in_processing(processing, scenes, 50, weight)
        assert np.count_nonzero(render_all(scenes, 50, weight) != expected) == 0, weight


@pytest.mark.parametrize("weight", [0, -1, 39, 2.5])
def test_weights_that_were_not_measured_are_refused(weight):
    with pytest.raises(ValueError, match=r"1 to 38, received"):
        render((), weight=weight)


def test_even_weight_covers_the_outer_pixels_by_half():
    row = render([Line("vertical", 8.9, 0)], size=16, weight=4)[5, :, 0]
    assert row.tolist() == [0] * 6 + [127, 255, 255, 255, 127] + [0] * 5
