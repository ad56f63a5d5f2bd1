"""Distances between images, against values found by hand or by brute force."""

import numpy as np
import pytest

from lines.render import render
from lines.scene import ProcessingRandom, random_scene
from utils.quality import similarity
from utils.quality.similarity import (
    ImageJudge,
    diversity,
    duplicates,
    nearest,
    nearest_other,
    sliced_wasserstein,
)
from utils.runs import rank


@pytest.fixture(scope="module")
def real():
    """400 line images of 64 pixels."""
    random = ProcessingRandom(1)
    return np.stack([render(random_scene(random, 64), 64, 3) for _ in range(400)])


@pytest.fixture(scope="module")
def blurred(real):
    """The second half of them, each pixel the mean of 3×3."""
    padded = np.pad(real[200:].astype(float), ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    shifts = [padded[:, y : y + 64, x : x + 64] for y in range(3) for x in range(3)]
    return np.mean(shifts, axis=0).astype(np.uint8)


def noise(count, seed=0, shape=(9, 11, 3), most=256):
    return np.random.default_rng(seed).integers(0, most, (count, *shape), np.uint8)


def flat(*values, size=8, channels=1):
    """One image per value, all of its pixels that grey."""
    images = np.empty((len(values), size, size, channels), np.uint8)
    images[:] = np.array(values).reshape(-1, 1, 1, 1)
    return images


def rms(a, b):
    """The distance of every image of a to every image of b, from whole numbers."""
    squares = (a[:, None].astype(np.int64) - b[None].astype(np.int64)) ** 2
    return np.sqrt(squares.reshape(len(a), len(b), -1).mean(axis=2))


def test_swd_of_a_set_with_itself_is_0(real):
    expected = {"64": 0.0, "32": 0.0, "16": 0.0, "mean": 0.0}
    found = sliced_wasserstein(real, real.copy())
    assert found == expected and list(found) == list(expected)


def test_swd_of_flat_images_by_hand():
    # Normalised, half black and half white become −1 and 1; three quarters black and a quarter
    # white become −√⅓ and √3. From the first to the second, one half moves by 1 − √⅓, a quarter by
    # 1 + √⅓ and a quarter by √3 − 1. A direction of length 1 multiplies this by the sum of its 49
    # numbers, which is nearly normal: √(2/π) on average.
    found = sliced_wasserstein(flat(*[0, 255] * 8), flat(*[0, 0, 0, 255] * 4))
    root = 3**-0.5
    moved = (1 - root) / 2 + (1 + root) / 4 + (3**0.5 - 1) / 4
    assert list(found) == ["8", "mean"]
    assert found["mean"] == found["8"] == pytest.approx(1000 * moved * (2 / np.pi) ** 0.5, rel=0.1)


def test_swd_of_flat_images_of_one_grey_is_0():
    for size in (64, 75):
        first, second = (flat(*[grey] * 4, size=size, channels=3) for grey in (37, 101))
        assert sliced_wasserstein(first, second)["mean"] == 0


def test_swd_notices_blur_most_at_the_finest_level(real, blurred):
    sharp = sliced_wasserstein(real[200:], real[:200])
    soft = sliced_wasserstein(blurred, real[:200])
    assert soft["64"] > 3 * sharp["64"] and soft["mean"] > 1.5 * sharp["mean"]
    assert soft["64"] > 2 * soft["16"]


def test_swd_notices_colour_but_hardly_order(real):
    half = real[:200]
    order = np.random.default_rng(0).permutation(200)
    shuffled = sliced_wasserstein(half[order], half)["mean"]
    sample = sliced_wasserstein(real[200:], half)["mean"]
    assert 0 < shuffled < sample
    assert sliced_wasserstein(half[..., [2, 0, 1]], half)["mean"] > 1.5 * sample


def test_swd_ignores_a_contrast_that_all_images_share(real):
    paler = real.copy()
    paler[..., 2] = real[..., 2] // 2 + 60
    assert sliced_wasserstein(paler, real)["mean"] < 2


def test_swd_depends_on_its_seed_only(real):
    found = [sliced_wasserstein(real[:50], real[50:100], seed)["mean"] for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2] == pytest.approx(found[0], rel=0.3)
    # In flat images all patches are the same, and only the directions differ.
    greys = flat(0, 255), flat(0, 0)
    assert sliced_wasserstein(*greys, seed=0) != sliced_wasserstein(*greys, seed=1)
    first, second = (similarity._patches(real[:5], seed)["64"] for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_swd_thins_both_sets_evenly_to_one_size(real):
    assert sliced_wasserstein(np.repeat(real[:40], 2, axis=0), real[:40])["mean"] == 0
    sparse = np.repeat(noise(similarity.SWD_IMAGES, shape=(8, 8, 1)), 2, axis=0)
    other = sparse.copy()
    other[1::2] = 0
    assert sliced_wasserstein(other, sparse)["mean"] == 0


def test_levels_of_any_shape():
    def found(shape):
        return list(sliced_wasserstein(noise(3, 0, shape), noise(3, 1, shape)))

    assert found((32, 64, 1)) == ["32", "16", "mean"]
    assert found((31, 64, 3)) == ["31", "mean"]
    assert found((67, 33, 3)) == ["67", "34", "mean"]
    assert found((8, 9, 1)) == ["8", "mean"]


def test_pyramid_equals_convolution_with_mirrored_borders():
    taps = np.array([1, 4, 6, 4, 1]) / 16

    def blur(image):
        padded = np.pad(image, 2, "reflect")
        rows = sum(tap * padded[i : i + len(image)] for i, tap in enumerate(taps))
        return sum(tap * rows[:, i : i + image.shape[1]] for i, tap in enumerate(taps))

    for shape in ((64, 64), (33, 46)):
        images = noise(2, 0, (*shape, 3))
        levels = similarity._pyramid(images)
        level = images[1, :, :, 2].astype(float)
        for found in levels[:-1]:
            smaller = blur(level)[::2, ::2]
            larger = np.zeros(level.shape)
            larger[::2, ::2] = 4 * smaller
            assert np.allclose(found[1, 2], level - blur(larger), atol=1e-3)
            level = smaller
        assert np.allclose(levels[-1][1, 2], level, atol=1e-3) and len(levels) > 1


def test_nearest_by_hand():
    training = noise(700, 1, most=200)
    images = np.stack([training[600], training[3] + 7, training[255]])
    images[2, 0, 0, 0] ^= 1
    indices, distances = nearest(images, training)
    assert indices.tolist() == [600, 3, 255]
    assert distances[:2].tolist() == [0.0, 7.0] and distances[2] == (1 / (9 * 11 * 3)) ** 0.5


def test_nearest_of_equals_is_the_first():
    training = np.repeat(noise(1), 600, axis=0)
    assert nearest(training[:1], training)[0].tolist() == [0]


def test_nearest_equals_brute_force():
    images, training = noise(20, 0), noise(300, 1)
    indices, distances = nearest(images, training)
    expected = rms(images, training)
    assert np.array_equal(indices, expected.argmin(axis=1))
    assert np.allclose(distances, expected.min(axis=1), rtol=1e-12)


def test_distances_are_not_rounded():
    # Black and nearly black images of 6075 numbers, whose squares float32 would round.
    images, training = noise(4, 0, (45, 45, 3), 2), noise(4, 1, (45, 45, 3), 2)
    expected = rms(images, training).min(axis=1)
    assert np.allclose(nearest(images, training)[1], expected, rtol=1e-12, atol=0)
    black, white = flat(0, size=45), flat(255, size=45)
    assert nearest(black, white)[1] == 255


def test_nearest_other_equals_brute_force():
    images = noise(300)
    images[299] = images[17]
    expected = rms(images, images)
    np.fill_diagonal(expected, np.inf)
    found = nearest_other(images)
    assert np.allclose(found, expected.min(axis=1), rtol=1e-12, atol=0)
    assert found[17] == found[299] == 0 and np.count_nonzero(found) == 298


def test_duplicates_by_hand():
    a, b = noise(2, most=200)
    assert duplicates(np.stack([a, a, b])) == 1 / 3
    assert duplicates(np.stack([a, b, a, a])) == 1 / 2
    assert duplicates(np.stack([a, a + 2])) == 1 / 2
    assert duplicates(np.stack([a, a + 3])) == 0
    many = noise(600, 1)
    assert duplicates(many) == 0
    many[[299, 599]] = many[[1, 580]]  # in another block, and in its own
    assert duplicates(many) == 2 / 600


def test_diversity_by_hand():
    assert diversity(flat(0, 30)) == 30
    assert diversity(flat(0, 30, 90)) == 60  # (30 + 60 + 90) / 3
    assert diversity(np.repeat(noise(1), 5, axis=0)) == 0


def test_diversity_of_many_thins_the_set_evenly():
    images = flat(*[0] * 1000, *[255] * 1000)
    assert diversity(images) == pytest.approx(255 * 250 / 499)  # 250 black, 250 white


def test_the_judge_measures_and_ranks(real, blurred):
    judge = ImageJudge(real[:200])
    sharp, soft = judge.measure(real[200:]), judge.measure(blurred)
    assert sharp["swd"] == sliced_wasserstein(real[200:], real[:200])["mean"]
    assert sharp["duplicates"] == duplicates(real[200:])
    assert rank(sharp) == (-sharp["swd"],) > rank(soft)
    replayed = judge.measure(np.repeat(real[:1], 10, axis=0))
    assert replayed["duplicates"] == 9 / 10


def test_the_judge_thins_both_sets_evenly_to_its_limit():
    images = flat(0, 100, 50, 0, 0, 150, 50, 0)
    judge = ImageJudge(images, limit=4)  # 0, 50, 0, 50
    assert judge.measure(images[::2])["swd"] == 0
    figures = judge.measure(flat(0, 1, 200, 201, 0, 9, 0, 9))  # 0, 200, 0, 0
    assert figures["duplicates"] == 1 / 2
    many = flat(*range(256), *range(256))
    odd = many.copy()
    odd[1] = 255 - odd[1]  # the distance skips it: it uses every other one of 512 images
    assert ImageJudge(many, limit=512).measure(odd)["swd"] == 0


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (noise(3).astype(np.float32), r"received float32 \(3, 9, 11, 3\)"),
        (noise(3)[0], r"received uint8 \(9, 11, 3\)"),
        (noise(3, shape=(9, 11, 2)), r"received uint8 \(3, 9, 11, 2\)"),
        (noise(3, shape=(9, 7, 3)), r"H and W at least 8, received uint8 \(3, 9, 7, 3\)"),
        (noise(1), "expected at least 2 images, received 1"),
    ],
)
def test_wrong_arrays_are_refused_in_one_line(images, message):
    judge = ImageJudge(noise(3))
    calls = [nearest_other, duplicates, diversity, ImageJudge, judge.measure]
    calls += [lambda wrong: sliced_wasserstein(wrong, noise(3))]
    calls += [lambda wrong: sliced_wasserstein(noise(3), wrong)]
    if len(images) > 1:  # `nearest` accepts one image
        calls += [lambda wrong: nearest(wrong, noise(3)), lambda wrong: nearest(noise(3), wrong)]
    for call in calls:
        with pytest.raises(ValueError, match=f"^expected .*{message}$|^{message}$"):
            call(images)


def test_sets_of_two_shapes_are_refused():
    first, second = noise(3), noise(3, shape=(9, 11, 1))
    message = r"^expected images of one shape, received \(9, 11, 3\) and \(9, 11, 1\)$"
    for call in (sliced_wasserstein, nearest):
        with pytest.raises(ValueError, match=message):
            call(first, second)
    with pytest.raises(ValueError, match="expected images of one shape"):
        ImageJudge(first).measure(second)
    with pytest.raises(ValueError, match="expected at least 1 image, received 0"):
        nearest(first, first[:0])
