"""Augmentation: by hand, through training, and that the generator learns through it."""

import keras
import numpy as np
import pytest
from keras import ops

from models import engines
from models.augment import augmented, random_numbers
from models.recipe import AUGMENTATIONS
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, state, train

IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 3)).astype(np.float32)


def changed(kind, numbers, images=IMAGES):
    """Real and generated images, both from `images`, by (2, B, n) numbers."""
    numbers = np.swapaxes(np.float32(numbers), 0, 1)
    tensors = (ops.convert_to_tensor(array) for array in (images, images, numbers))
    return [ops.convert_to_numpy(array) for array in augmented(kind, *tensors)]


def test_nothing_changes_unless_asked_for():
    real, fake = changed("none", np.zeros((2, 3, 0)))
    assert np.array_equal(real, IMAGES) and np.array_equal(fake, IMAGES)


def test_flip_mirrors_real_images_alone():
    real, fake = changed("flip", [[[0.4], [0.6], [0.1]]] * 2)
    assert np.array_equal(real, np.stack([IMAGES[0, :, ::-1], IMAGES[1], IMAGES[2, :, ::-1]]))
    assert np.array_equal(fake, IMAGES)


def test_flips_mirror_real_images_in_both_directions():
    real, fake = changed("flips", [[[0.4, 0.6], [0.6, 0.1], [0.1, 0.1]]] * 2)
    assert np.array_equal(real[0], IMAGES[0, :, ::-1]) and np.array_equal(real[1], IMAGES[1, ::-1])
    assert np.array_equal(real[2], IMAGES[2, ::-1, ::-1]) and np.array_equal(fake, IMAGES)


def test_transpose_gives_all_eight_symmetries():
    corners = np.array([[p, q, r] for p in (0, 0.9) for q in (0, 0.9) for r in (0, 0.9)])
    one = np.repeat(IMAGES[:1], 8, axis=0)
    real, fake = changed("transpose", [corners] * 2, one)
    turns = [np.rot90(IMAGES[0], k) for k in range(4)]
    wanted = {image.tobytes() for turn in turns for image in (turn, turn[:, ::-1])}
    assert {image.tobytes() for image in real} == wanted and len(wanted) == 8
    assert np.array_equal(fake, one)


NEUTRAL = [0.5, 0.5, 0.5, 0.5, 0.5]
"""No change of colour, and the middle of the shifts, which is none."""


def test_diffaugment_by_hand():
    # The middle of the hole in the corner: a quarter of it lies in the image.
    numbers = np.float32([[[*NEUTRAL, 0, 0]] * 3] * 2)
    real, fake = changed("diffaugment", numbers)
    wanted = IMAGES.copy()
    wanted[:, :2, :2] = 0
    assert np.allclose(real, wanted, atol=1e-6) and np.allclose(fake, wanted, atol=1e-6)
    # One pixel down and one to the left; the hole's middle in the middle.
    numbers[0, :, 3:] = [0, 0.99, 0.5, 0.5]
    numbers[1, :, 3:] = [0, 0.99, 0.5, 0.5]
    moved = np.zeros_like(IMAGES)
    moved[:, 1:, :7] = IMAGES[:, :7, 1:]
    moved[:, 2:6, 2:6] = 0
    assert np.allclose(changed("diffaugment", numbers)[0], moved, atol=1e-6)
    # Colour alone: half brighter, grey, and half the contrast.
    grey = IMAGES.mean(3, keepdims=True).repeat(3, 3) + 0.5
    mean = grey.mean((1, 2, 3), keepdims=True)
    wanted = mean + (grey - mean) / 2
    wanted[:, :2, :2] = 0
    numbers[:] = [1, 0, 0, 0.5, 0.5, 0, 0]
    assert np.allclose(changed("diffaugment", numbers)[1], wanted, atol=1e-6)


def test_random_numbers_depend_on_seed_and_epoch_and_leave_the_noise_unchanged():
    plain = WGANGP(**TINY).noise(3, 2)
    for kind, count in zip(AUGMENTATIONS, (0, 1, 2, 3, 7), strict=True):
        noise = WGANGP(**TINY, augment=kind).noise(3, 2)
        assert np.array_equal(noise[0], plain[0]) and np.array_equal(noise[1], plain[1])
        assert noise[2].shape == (3, 4, 2, count)
        assert np.array_equal(noise[2], WGANGP(**TINY, augment=kind).noise(3, 2)[2])
    many = random_numbers("diffaugment", np.random.default_rng(0), (1, 2, 9999))
    assert many.min() >= 0 and many.max() < 1 and abs(many.mean() - 0.5) < 0.01


def test_the_generator_learns_through_diffaugment():
    """The gradient of the mean of changed images, against differences."""
    numbers = np.full((3, 2, 7), 0.3, np.float32)
    images = keras.Variable(IMAGES)

    def loss(values):
        changed = augmented("diffaugment", None, values, ops.convert_to_tensor(numbers))[1]
        return ops.sum(ops.square(changed))

    _, (found,) = engines.load().gradients(lambda: (loss(images.value), ops.zeros(())), [images])
    found = ops.convert_to_numpy(found)
    direction = np.random.default_rng(1).standard_normal(IMAGES.shape).astype(np.float32)
    ahead, behind = (
        float(loss(ops.convert_to_tensor(IMAGES + s * direction))) for s in (0.01, -0.01)
    )
    assert (found * direction).sum() == pytest.approx((ahead - behind) / 0.02, rel=1e-2)
    assert np.abs(found).max() > 0.1


@pytest.mark.parametrize("kind", ["transpose", "diffaugment"])
def test_a_training_with_augmentation_continues_bit_for_bit(kind, tiny_zip, tmp_path):
    straight, first, second = (WGANGP(**TINY, augment=kind) for _ in range(3))
    train(straight, tiny_zip, tmp_path / "straight", 4)
    train(first, tiny_zip, tmp_path / "broken", 2)
    second.load_weights(tmp_path / "broken" / "weights")
    train(second, tiny_zip, tmp_path / "broken", 4)
    assert second.d_losses == straight.d_losses != WGANGP(**TINY).d_losses
    there, here = state(straight), state(second)
    assert all(np.array_equal(there[name], here[name]) for name in there)
    with pytest.raises(ValueError, match=r"augment was '.*' and is now 'none'"):
        WGANGP(**TINY).load_weights(tmp_path / "broken" / "weights")


def test_an_unknown_kind():
    with pytest.raises(
        ValueError, match="augment must be one of none, flip, flips, transpose, diff"
    ):
        WGANGP(**TINY, augment="rotate")
