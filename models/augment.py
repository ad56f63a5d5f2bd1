"""Augmentation: images are changed at random before the critic sees them."""

import numpy as np
from keras import ops

_NUMBERS = {"none": 0, "flip": 1, "flips": 2, "transpose": 3, "diffaugment": 7}
_SHIFT = 1 / 8  # of height and width, at most
_HOLE = 1 / 2  # of height and width


def random_numbers(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """U[0, 1) for `augmented`: float32 (*shape, numbers per image)."""
    return rng.random((*shape, _NUMBERS[kind]), np.float32)


def augmented(kind: str, real, fake, numbers):
    """Real and generated images as the critic sees them.

    `flip` mirrors half of the real images left to right; `flips` also mirrors half of them top to
    bottom; `transpose` turns them into one of their eight symmetric pictures, all equally likely.
    So the data set becomes two, four or eight times as large. `diffaugment` (Zhao et al. 2020,
    arXiv:2006.10738, policy colour, translation, cutout) changes both, and the generator learns
    through it, so it does not learn to draw the changes.

    Args:
        kind: one of `models.recipe.AUGMENTATIONS`.
        real: images (B, H, W, C) in [-1, 1], or None; H = W for `transpose`.
        fake: generated images of the same shape, or None.
        numbers: (B, 2, n) from `random_numbers`, for real and for generated images.

    Returns:
        real and fake images.
    """
    if kind in ("flip", "flips", "transpose") and real is not None:
        real = _mirrored(real, numbers[:, 0], 2, 0)
        if kind != "flip":
            real = _mirrored(real, numbers[:, 0], 1, 1)
        if kind == "transpose":
            turned = ops.transpose(real, (0, 2, 1, 3))
            real = ops.where(_each(numbers[:, 0], 2) < 0.5, turned, real)
    elif kind == "diffaugment":
        real, fake = (
            images if images is None else _cut(_moved(_coloured(images, of), of), of)
            for images, of in ((real, numbers[:, 0]), (fake, numbers[:, 1]))
        )
    return real, fake


def _each(numbers, i):
    """The i-th number of every image, (B, 1, 1, 1)."""
    return ops.reshape(numbers[:, i], (-1, 1, 1, 1))


def _mirrored(images, numbers, axis, i):
    return ops.where(_each(numbers, i) < 0.5, ops.flip(images, axis), images)


def _coloured(images, numbers):
    """Brightness ±0.5, saturation 0 to 2 times, contrast 0.5 to 1.5 times."""
    images = images + _each(numbers, 0) - 0.5
    grey = ops.mean(images, axis=3, keepdims=True)
    images = grey + (images - grey) * 2 * _each(numbers, 1)
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + (images - mean) * (0.5 + _each(numbers, 2))


def _moved(images, numbers):
    """Shifted by up to `_SHIFT` of the size along both axes; new pixels are 0."""
    for axis, i, equation in ((1, 3, "bij,bjwc->biwc"), (2, 4, "bij,bhjc->bhic")):
        size = images.shape[axis]
        most = round(size * _SHIFT)
        shift = ops.floor(numbers[:, i] * (2 * most + 1)) - most
        place = ops.arange(size, dtype="float32")
        source = place[None, :, None] + shift[:, None, None]  # of each row or column, (B, size, 1)
        # A product with ones and zeros: it has a gradient on every framework.
        images = ops.einsum(equation, ops.cast(place == source, images.dtype), images)
    return images


def _cut(images, numbers):
    """A square of `_HOLE` of the size becomes 0; its middle lies anywhere in the image."""
    inside = 1.0
    for axis, i in ((1, 5), (2, 6)):
        size = images.shape[axis]
        half = round(size * _HOLE) / 2
        middle = ops.floor(_each(numbers, i) * (size + 1)) - 0.5
        shape = [1, 1, 1, 1]
        shape[axis] = size
        place = ops.reshape(ops.arange(size, dtype="float32"), shape)
        inside = inside * ops.cast(ops.abs(place - middle) < half, images.dtype)
    return images * (1 - inside)
