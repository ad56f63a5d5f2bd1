"""Seeds to latents, latents to images."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from utils.images import to_uint8
from utils.messages import one_line

if TYPE_CHECKING:  # seeds are parsed before a framework is loaded
    import keras

MOST_SEEDS = 100_000
_BATCH = 16  # images that a network gets at a time
_BATCH_VALUES = 1 << 27  # of the outputs of all layers for a batch: half a gibibyte
_SAMPLES = 2048  # latents from which `principal_directions` learns the first layer
_SHARP = 100  # the least factor before a softmax that makes it a choice
_CERTAIN = 32  # difference of two logits whose softmax is a choice: the other's share is 10⁻¹⁴
_OUT_OF_REACH = 12  # standard normal numbers never differ by as much


def seed_latents(seeds: list[int], z_dim: int) -> np.ndarray:
    """The latents of seeds.

    Args:
        seeds: whole numbers; each alone decides its latents.
        z_dim: numbers per image.

    Returns:
        float32 (n, z_dim), standard normal.
    """
    rows = [np.random.default_rng(seed).standard_normal(z_dim, np.float32) for seed in seeds]
    return np.stack(rows)


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


@dataclasses.dataclass(frozen=True)
class LatentGroups:
    """The categorical latents of a generator.

    Such a generator cuts its latents into groups and chooses one variant of each group, the one
    with the largest level: its latent plus its offset. Nothing else in a group has an effect,
    unless `gaussian`.

    Attributes:
        scale: the factor of the levels before the softmax that makes them one-hot.
        offsets: added to the latents, float64 (groups, variants); far below 0 for a variant that is
            masked.
        gaussian: whether the generator also uses all latents as they are.
    """

    scale: float
    offsets: np.ndarray
    gaussian: bool

    @property
    def shape(self) -> tuple[int, int]:
        """(groups, variants)."""
        return self.offsets.shape

    @property
    def allowed(self) -> np.ndarray:
        """Whether standard normal latents can choose a variant, bool (groups, variants)."""
        return self.offsets > self.offsets.max(1, keepdims=True) - _OUT_OF_REACH

    @property
    def margin(self) -> float:
        """The distance of two levels from which on the higher one is chosen, and nothing else."""
        return _CERTAIN / self.scale

    def levels(self, z: np.ndarray) -> np.ndarray:
        """Of latents (n, z_dim): float64 (n, groups, variants)."""
        return z.reshape(-1, *self.shape).astype(float) + self.offsets

    def latents(self, levels: np.ndarray) -> np.ndarray:
        """The inverse of `levels`: float32 (n, z_dim)."""
        return (levels - self.offsets).reshape(len(levels), -1).astype(np.float32)

    def chosen(self, z: np.ndarray) -> np.ndarray:
        """The variants that latents (n, z_dim) choose, int (n, groups)."""
        return self.levels(z).argmax(2)

    def hold(self, z: np.ndarray, choice: np.ndarray) -> np.ndarray:
        """Latents that choose given variants, with as little change as possible.

        The latent of a variant is raised until no other level of its group is nearer than the
        margin.

        Args:
            z: (n, z_dim).
            choice: an allowed variant of each group, int (n, groups).

        Returns:
            float32 (n, z_dim).
        """
        levels = self.levels(z)
        others = levels.copy()
        np.put_along_axis(others, choice[..., None], -np.inf, axis=2)
        held = np.maximum(
            np.take_along_axis(levels, choice[..., None], axis=2),
            others.max(2, keepdims=True) + self.margin,
        )
        np.put_along_axis(levels, choice[..., None], held, axis=2)
        return self.latents(levels)

    def choose(self, z: np.ndarray, choice: np.ndarray) -> np.ndarray:
        """Latents that choose given variants and are as likely as the given latents.

        In each group the latent of the variant that was chosen and that of the new one change
        places. Arguments and result are those of `hold`, which follows where that is not enough.
        """
        cut = z.reshape(-1, *self.shape).copy()
        old, new = self.chosen(z)[..., None], choice[..., None]
        before = np.take_along_axis(cut, old, axis=2)
        np.put_along_axis(cut, old, np.take_along_axis(cut, new, axis=2), axis=2)
        np.put_along_axis(cut, new, before, axis=2)
        return self.hold(cut.reshape(z.shape), choice)


def truncate(z: np.ndarray, truncation: float, groups: LatentGroups | None = None) -> np.ndarray:
    """Multiplies latents by a factor, which makes images more alike where it is below 1.

    A positive factor changes no choice of variants. So a generator with categorical latents keeps
    them at every factor, 0 too: the factor is for what it uses as it is, and without `gaussian` for
    nothing.

    Args:
        z: float32 (n, z_dim).
        truncation: the factor, 0 or more.
        groups: the categorical latents, see `latent_groups`.

    Returns:
        float32 (n, z_dim).
    """
    if groups and not groups.gaussian:
        return z
    shorter = z * np.float32(truncation)
    return groups.hold(shorter, groups.chosen(z)) if groups and truncation != 1 else shorter


def latent_groups(network: keras.Model) -> LatentGroups | None:
    """Finds the categorical latents of a generator in its layers.

    They are Reshape (to groups and variants), Rescaling (a factor of at least 100, and an offset)
    and Softmax, one after another, behind the input.

    Returns:
        None for a generator that has no such layers.
    """
    from keras import layers

    def readers(tensor):
        """The layers with this input; a layer with several inputs has a list of them."""
        for layer in network.layers:
            if layer.output is not tensor:
                inputs = layer.input if isinstance(layer.input, list) else [layer.input]
                if any(one is tensor for one in inputs):
                    yield layer

    for cut in readers(network.input):
        if not isinstance(cut, layers.Reshape) or len(cut.target_shape) != 2:
            continue
        for sharp in readers(cut.output):
            choices = [
                layer
                for layer in readers(sharp.output)
                if isinstance(layer, layers.Softmax) and layer.axis in (-1, 2)
            ]
            if isinstance(sharp, layers.Rescaling) and choices and sharp.scale >= _SHARP:
                used = (network.input, cut.output, sharp.output)
                offset = np.asarray(sharp.offset, float) / sharp.scale
                return LatentGroups(
                    scale=float(sharp.scale),
                    offsets=np.broadcast_to(offset, cut.output.shape[1:]),
                    gaussian=sum(len([*readers(tensor)]) for tensor in used) > len(used),
                )
    return None


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

    A generator always gets batches of one size, the last one padded with zeros, so that the
    framework computes every image in the same way.

    Yields:
        uint8 (up to 16, H, W, C).
    """
    size = batch_size(generator)
    for i in range(0, len(z), size):
        rows = z[i : i + size]
        batch = np.zeros((size, z.shape[1]), np.float32)
        batch[: len(rows)] = rows
        yield to_uint8(generator.predict_on_batch(batch)[: len(rows)])


def batch_size(network: keras.Model) -> int:
    """How many images a network is given at a time: 16, or fewer where it needs much memory."""
    values = sum(math.prod(layer.output.shape[1:]) for layer in network.layers)
    return max(1, min(_BATCH, _BATCH_VALUES // values))


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

    Variants that latents choose have no directions. Of a generator that also uses its latents as
    they are, these are the directions at unchanged choices; hold the choice when moving along one.

    Args:
        generator: maps (B, z_dim) to images.
        count: number of directions; at most z_dim are returned, and none of a generator whose
            latents only choose.

    Returns:
        float32 (count, z_dim): orthogonal rows of length 1, which is one standard deviation of the
        latents, in descending order of how much they change.
    """
    import keras

    z_dim, groups = generator.input_shape[1], latent_groups(generator)
    if groups and not groups.gaussian:
        return np.zeros((0, z_dim), np.float32)
    samples = max(_SAMPLES, 4 * z_dim) if groups else _SAMPLES
    z = seed_latents(list(range(samples)), z_dim)
    first_layer = next(layer for layer in generator.layers if layer.weights)
    activations = keras.Model(generator.inputs, first_layer.output).predict(z, verbose=0)
    flat = activations.reshape(samples, -1)
    inputs = z
    if groups:  # what the variants change is fitted beside the latents, and left out
        one_hot = np.eye(groups.shape[1], dtype=np.float32)[groups.chosen(z)]
        inputs = np.concatenate([z, one_hot.reshape(samples, -1)], axis=1)
    matrix = np.linalg.lstsq(inputs - inputs.mean(0), flat - flat.mean(0))[0]
    matrix = matrix[:z_dim]  # (z_dim, activations)
    _, vectors = np.linalg.eigh(matrix.astype(float) @ matrix.T)
    directions = vectors.T[::-1][: min(count, z_dim)]
    # The sign of an eigenvector is arbitrary: make its largest number positive.
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(1)])
    return (directions * signs[:, None]).astype(np.float32)
