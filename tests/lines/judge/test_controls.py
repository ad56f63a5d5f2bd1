"""Controls: images that break the law in the way that their name says."""

import numpy as np

from lines.judge.controls import CONTROLS, control_images
from lines.judge.law import as_array, as_scene, sample_scenes
from lines.judge.parse import parse_all
from lines.render import render_all


def test_controls_break_what_their_name_says():
    """Each in its own way, and the scenes that they are given stay as they are."""
    scenes = sample_scenes(300, 64, np.random.default_rng(0))
    before = scenes.copy()
    images = {name: control_images(name, scenes, 64, 3) for name in CONTROLS}
    assert np.array_equal(scenes, before)
    assert np.array_equal(images["replayed"], render_all([as_scene(row) for row in scenes], 64, 3))
    assert len({images[name].tobytes() for name in CONTROLS}) == len(CONTROLS)
    parsed = {name: as_array(parse_all(images[name], 3)[0]) for name in CONTROLS}
    assert set(parsed["one colour missing"][..., 1].ravel()) == {0, 1, 2}
    assert parsed["half the positions"][:, 0, 0].max() < 32
    assert np.array_equal(parsed["vertical on top"][:, 0], before[:, 0])
    vertical, first, second = parsed["side by side"][..., 0].T
    middle = np.abs(vertical - 32) < 16
    apart = np.abs(first - second) >= 3  # neither line hides the other
    assert apart.sum() > 200 and 0.3 < middle.mean() < 0.7
    for horizontal in (first, second):
        assert np.array_equal(middle[apart], (np.abs(horizontal - 31.5) < 16)[apart])
