"""Seeds to latents, latents to images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from utils.images import to_uint8
from utils.messages import one_line

if TYPE_CHECKING:  # seeds are parsed before a framework is loaded
    import keras

MOST_SEEDS = 100_000
BATCH = 16
"""Images that a network gets at a time when it draws, or scores what it drew."""

_SAMPLES = 2048  # latents from which `principal_directions` learns the first layer


def seed_latents(seeds: list[int], z_dim: int, truncation: float = 1) -> np.ndarray:
    """The latents of seeds.

    Args:
        seeds: whole numbers; each alone decides its latents.
        z_dim: numbers per image.
        truncation: the factor by which standard normal numbers are multiplied.

    Returns:
        float32 (n, z_dim).
    """
    rows = [np.random.default_rng(seed).standard_normal(z_dim, np.float32) for seed in seeds]
    return np.stack(rows) * np.float32(truncation)


def parse_seeds(text: str) -> list[int]:
    """Returns the seeds that a text such as `"0-24,100,7"` lists, in its order.

    A range includes both ends.

    Raises:
        ValueError: `text` is no list of whole numbers and ranges, or lists more than `MOST_SEEDS`.
    """
    seeds = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,18})(?:-([0-9]{1,18}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise ValueError(
                "seeds must look like 0-24,100,7, of at most 18 digits, received "
                f"{one_line(repr(part.strip()))}"
            )
        if len(seeds) + last - first >= MOST_SEEDS:
            raise ValueError(f"expected at most {MOST_SEEDS} seeds, received {one_line(text)}")
        seeds.extend(range(first, last + 1))
    return seeds


def draw(generator: keras.Model, z: np.ndarray) -> np.ndarray:
    """Draws the images of latents.

    The same latents give the same image, whichever others are drawn in the same call.

    Args:
        generator: maps (B, z_dim) to (B, H, W, C) in [-1, 1].
        z: float32 (n, z_dim).

    Returns:
        uint8 (n, H, W, C).
    """
    return np.concatenate(list(draw_in_batches(generator, z)))


def draw_in_batches(generator: keras.Model, z: np.ndarray) -> Iterator[np.ndarray]:
    """Does the same as `draw` one batch at a time, for more images than memory holds.

    The generator always gets batches of one size, the last one padded with zeros, so that the
    framework computes every image in the same way.

    Yields:
        uint8 (up to 16, H, W, C).
    """
    for i in range(0, len(z), BATCH):
        rows = z[i : i + BATCH]
        batch = np.zeros((BATCH, z.shape[1]), np.float32)
        batch[: len(rows)] = rows
        yield to_uint8(generator.predict_on_batch(batch)[: len(rows)])


def draw_images(generator: keras.Model, count: int) -> np.ndarray:
    """Draws the images of seeds 0 to `count - 1`: uint8 (count, H, W, C)."""
    return draw(generator, seed_latents(list(range(count)), generator.input_shape[1]))


def principal_directions(generator: keras.Model, count: int = 8) -> np.ndarray:
    """The directions in latent space that change the generator's first layer most.

    GANSpace (Härkönen et al. 2020, arXiv:2004.02546) takes the principal components of the first
    layer's activations over random latents. The first layer is linear, so these are the singular
    vectors of its matrix (SeFa, Shen and Zhou 2020, arXiv:2007.06600). The matrix is fitted by
    least squares, which works for every kind of layer; of a layer with an activation, this is the
    linear part.

    Args:
        generator: maps (B, z_dim) to images.
        count: number of directions; at most z_dim are returned.

    Returns:
        float32 (count, z_dim): orthogonal rows of length 1, which is one standard deviation of the
        latents, in descending order of how much they change.
    """
    import keras

    z_dim = generator.input_shape[1]
    z = seed_latents(list(range(_SAMPLES)), z_dim)
    first_layer = next(layer for layer in generator.layers if layer.weights)
    activations = keras.Model(generator.inputs, first_layer.output).predict(z, verbose=0)
    flat = activations.reshape(_SAMPLES, -1)
    inputs = z - z.mean(0)
    matrix = np.linalg.lstsq(inputs, flat - flat.mean(0))[0]  # (z_dim, activations)
    _, vectors = np.linalg.eigh(matrix.astype(float) @ matrix.T)
    directions = vectors.T[::-1][: min(count, z_dim)]
    # The sign of an eigenvector is arbitrary: make its largest number positive.
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(1)])
    return (directions * signs[:, None]).astype(np.float32)
