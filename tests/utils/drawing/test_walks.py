"""Paths through latent space, by values worked out by hand."""

import numpy as np
import pytest

from utils.drawing.latents import seed_latents
from utils.drawing.walks import film_latents, mix, orbit, walk

CORNERS = np.array([[2, 0, 0], [0, 2, 0], [0, 0, 2]], np.float32)
HALF = 2**0.5


def test_a_walk_on_the_sphere_and_a_straight_one():
    t = [0, 0.25, 0.5, 0.75, 1]
    on_sphere = [[2, 0, 0], [HALF, HALF, 0], [0, 2, 0], [0, HALF, HALF], [0, 0, 2]]
    assert np.allclose(walk(CORNERS, t), on_sphere, atol=1e-6)
    straight = [[2, 0, 0], [1, 1, 0], [0, 2, 0], [0, 1, 1], [0, 0, 2]]
    assert np.allclose(walk(CORNERS, t, "straight"), straight, atol=1e-6)
    assert np.allclose(walk(CORNERS, [5 / 6], loop=True), [[HALF, 0, HALF]], atol=1e-6)


def test_easing():
    ends = np.array([[0.0], [1.0]])
    at_a_quarter = {"linear": 0.25, "smooth": 3 / 16 - 2 / 64}
    for easing, position in at_a_quarter.items():
        assert np.allclose(walk(ends, [0.25, 0.5], "straight", easing), [[position], [0.5]])


def test_latents_along_a_walk_are_nearly_as_long_as_its_ends():
    z = seed_latents([3, 8], 100)
    lengths = np.linalg.norm(walk(z, np.linspace(0, 1, 99)), axis=1)
    assert lengths.min() > 0.9 * min(lengths[0], lengths[-1])
    assert np.allclose(walk(z[[0, 0]], [0.4])[0], z[0])  # no angle, no division by it


def test_a_film_ends_at_time_1_and_a_loop_one_step_before():
    def times(frames, loop):
        chunks = list(film_latents(lambda t: t[:, None], frames, loop))
        assert max(map(len, chunks)) <= 16
        return np.concatenate(chunks)[:, 0]

    assert np.allclose(times(5, loop=False), [0, 0.25, 0.5, 0.75, 1])
    assert np.allclose(times(4, loop=True), [0, 0.25, 0.5, 0.75])
    assert np.allclose(times(1001, loop=False), np.arange(1001) / 1000)


def test_an_orbit_is_a_circle_of_equally_long_latents():
    z = seed_latents([7], 100)[0]
    circle = orbit(z, np.arange(8) / 8, 0.6, seed=7)
    size = np.linalg.norm(z)
    assert np.allclose(np.linalg.norm(circle, axis=1), size, rtol=1e-5)
    assert np.allclose(circle.mean(0), 0.8 * z, atol=1e-5)  # its centre: cos α of z
    assert np.allclose(np.linalg.norm(circle - 0.8 * z, axis=1), 0.6 * size, rtol=1e-5)
    assert np.allclose(orbit(z, [0], 0.6, 7), orbit(z, [1], 0.6, 7), atol=1e-5)
    assert np.allclose(orbit(z, [0.3], 0, 7), z, atol=1e-6)
    assert not np.allclose(circle, orbit(z, np.arange(8) / 8, 0.6, seed=8))


def test_a_mixture_of_latents_is_standard_normal():
    z = seed_latents(list(range(2000)), 50).reshape(1000, 2, 50)
    mixed = np.stack([mix(pair, [3, -4]) for pair in z])
    assert mixed.std() == pytest.approx(1, abs=0.01)
    assert np.allclose(mix(CORNERS[:2], [3, -4]), [1.2, -1.6, 0])
    assert np.array_equal(mix(CORNERS[:1], [5]), CORNERS[0])


def test_wrong_arguments_of_paths():
    with pytest.raises(ValueError, match="a walk needs at least two images, received 1"):
        walk(CORNERS[:1], [0])
    with pytest.raises(ValueError, match="path: expected one of sphere, straight, received 'bent'"):
        walk(CORNERS, [0], path="bent")
    with pytest.raises(ValueError, match="radius must lie between 0 and 1, received 2"):
        orbit(CORNERS[0], [0], 2, 0)
    with pytest.raises(ValueError, match="3 numbers or more, received 2"):
        orbit(CORNERS[0, :2], [0], 0.5, 0)
    with pytest.raises(ValueError, match="3 images need as many weights, received 2"):
        mix(CORNERS, [1, 2])
    for weights in ([0, 0, 0], [1, float("nan"), 1], [1, float("inf"), 1]):
        with pytest.raises(ValueError, match="weights: expected numbers, not all of them 0"):
            mix(CORNERS, weights)


@pytest.mark.parametrize("path", ["sphere", "straight"])
@pytest.mark.parametrize(
    "ends",
    [
        [[0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [1, 2, 3]],
        [[1.5], [-0.5]],
        [[1, 2], [-1, -2]],
        [[1, 2, 3], [-2, -4, -6]],
        [[1, 2], [1, 2]],
    ],
)
def test_ends_between_which_the_sphere_has_no_shortest_way(ends, path):
    z = np.array(ends, np.float32)
    found = walk(z, np.linspace(0, 1, 5), path, "linear")
    expected = z[0] + np.linspace(0, 1, 5)[:, None] * (z[1] - z[0])
    assert np.allclose(found, expected, atol=1e-6)
