"""Seeds to latents, latents to images."""

import re
from collections.abc import Iterator

import keras
import numpy as np

from utils.images import to_uint8
from utils.messages import one_line

MOST_SEEDS = 100_000
_BATCH = 16


def seed_latents(seeds: list[int], z_dim: int) -> np.ndarray:
    """The latents of seeds: float32 (n, z_dim), standard normal, each from its own seed alone."""
    rows = [np.random.default_rng(seed).standard_normal(z_dim, np.float32) for seed in seeds]
    return np.stack(rows)


def parse_seeds(text: str) -> list[int]:
    """`"0-24,100,7"` as a list of seeds, in that order, both ends included.

    Raises:
        ValueError: anything that is not a list of whole numbers and ranges, or one of more than
            `MOST_SEEDS`.
    """
    seeds = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,18})(?:-([0-9]{1,18}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise ValueError(
                "seeds must look like 0-24,100,7, of at most 18 digits: received "
                f"{one_line(repr(part.strip()))}"
            )
        if len(seeds) + last - first >= MOST_SEEDS:
            raise ValueError(f"expected at most {MOST_SEEDS} seeds, received {one_line(text)}")
        seeds.extend(range(first, last + 1))
    return seeds


def draw(generator: keras.Model, z: np.ndarray) -> np.ndarray:
    """Images of latents, the same whatever else is asked for with them.

    Args:
        generator: maps (B, z_dim) to (B, H, W, C) in [-1, 1].
        z: float32 (n, z_dim).

    Returns:
        uint8 (n, H, W, C).
    """
    return np.concatenate(list(draw_in_batches(generator, z)))


def draw_in_batches(generator: keras.Model, z: np.ndarray) -> Iterator[np.ndarray]:
    """As `draw`, a batch at a time, for more images than memory holds.

    The generator always sees batches of one size, the last one filled up with zeros, so that the
    framework computes every image in the same way.
    """
    for i in range(0, len(z), _BATCH):
        batch = np.zeros((_BATCH, z.shape[1]), np.float32)
        wanted = z[i : i + _BATCH]
        batch[: len(wanted)] = wanted
        yield to_uint8(generator.predict_on_batch(batch)[: len(wanted)])


def draw_images(generator: keras.Model, count: int) -> np.ndarray:
    """The images of seeds 0 to `count - 1`, uint8 (count, H, W, C)."""
    return draw(generator, seed_latents(list(range(count)), generator.input_shape[1]))


_SAMPLES = 2048


def principal_directions(generator: keras.Model, count: int = 8) -> np.ndarray:
    """Principal directions of the activations of the generator's first layer, as latents.

    Härkönen et al. 2020 (GANSpace), arXiv:2004.02546, look for the principal components of the
    first layer's activations over random latents, and for the latents that lead along them. The
    first layer is linear, so that both have a closed form, the singular vectors of its matrix (Shen
    and Zhou 2020, SeFa, arXiv:2007.06600). The matrix is found by least squares, whatever the kind
    of the layer; where it has an activation of its own, its linear part counts.

    Args:
        generator: maps (B, z_dim) to images.
        count: number of directions, at most z_dim.

    Returns:
        float32 (count, z_dim), each of length 1, that is, one standard deviation of the latents
        along it; at right angles to each other; the one that changes the most first.
    """
    z_dim = generator.input_shape[1]
    z = seed_latents(list(range(_SAMPLES)), z_dim)
    first = next(layer for layer in generator.layers if layer.weights)
    activations = keras.Model(generator.inputs, first.output).predict(z, verbose=0)
    flat = activations.reshape(_SAMPLES, -1)
    inputs = z - z.mean(0)
    matrix = np.linalg.lstsq(inputs, flat - flat.mean(0))[0]  # (z_dim, activations)
    _, vectors = np.linalg.eigh(matrix.astype(float) @ matrix.T)
    directions = vectors.T[::-1][: min(count, z_dim)]
    # An eigenvector has no sign of its own; the same generator always gives the same.
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(1)])
    return (directions * signs[:, None]).astype(np.float32)
