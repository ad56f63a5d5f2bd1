"""Search among the variants of categorical latents, which have no gradient."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from utils.drawing import LatentGroups
from utils.images import to_float

_BATCH = 64  # images drawn at once
_EQUAL = 1e-6  # losses that differ by no more
PATIENCE = 4
"""After so many sweeps that improve nothing a start is given up."""


class Step(NamedTuple):
    """The best latents (z_dim,) after a group was tried, their loss, the images drawn for it."""

    z: np.ndarray
    loss: float
    images: int


def sweep(
    generator: keras.Model,
    groups: LatentGroups,
    z: np.ndarray,
    target: np.ndarray,
    loss: Callable,
    order: np.ndarray,
    random: np.random.Generator,
) -> Iterator[Step]:
    """Coordinate descent: tries all variants of one group after another, and keeps the best.

    Of equally good variants it keeps any. A line that lies hidden below another one so gets another
    colour each time, until it has the one with which a place of its own is better.

    Args:
        generator: maps (B, z_dim) to (B, H, W, C) in [-1, 1].
        groups: its categorical latents.
        z: float32 (z_dim,).
        target: the image to come near to, uint8 (H, W, C).
        loss: images (B, H, W, C) and a target (1, H, W, C), both in [-1, 1], to losses (B,).
        order: the groups that are tried, int (k,).
        random: chooses among equals.

    Yields:
        a step for each of them.
    """
    wanted = to_float(target[None])
    for group in order:
        variants = np.flatnonzero(groups.allowed[group])
        choices = np.repeat(groups.chosen(z), len(variants), axis=0)
        current = variants == choices[0, group]
        choices[:, group] = variants
        tried = groups.choose(np.repeat(z[None], len(variants), axis=0), choices)
        losses = _losses(generator, tried, wanted, loss)
        best = random.choice(np.flatnonzero(losses <= losses.min() + _EQUAL))
        if not current[best]:
            z = tried[best]
        yield Step(z, losses[best], len(variants))


def descend(
    sweep_from: Callable[[np.ndarray, np.ndarray], Iterator[Step]],
    starts: np.ndarray,
    orders: np.ndarray,
    steps: int,
    stop: Callable[[], bool],
) -> list[np.ndarray]:
    """Sweeps from many starts until nothing improves; gives up half of them after each sweep.

    Args:
        sweep_from: latents (z_dim,) and an order of groups to the steps of a `sweep`.
        starts: float32 (n, z_dim).
        orders: all groups in the order of each start, int (n, groups).
        steps: the most of one start.
        stop: called before each sweep; when it returns True, the search ends.

    Returns:
        the courses of the starts that are left: latents after 0, 1, 2 … steps, until the last one
        that was an improvement, float32 (m, z_dim).
    """

    def improved(course):
        """The number of steps after which there was no improvement."""
        return next(i for i, step in enumerate(course) if step.loss <= course[-1].loss + _EQUAL)

    def ended(course):
        idle = len(course) - 1 - improved(course)
        return len(course) > steps or idle >= PATIENCE * orders.shape[1]

    kept = [([Step(z, np.inf, 0)], order) for z, order in zip(starts, orders, strict=True)]
    while not stop() and not all(ended(course) for course, _ in kept):
        for course, order in kept:
            if not ended(course) and not stop():
                course.extend(sweep_from(course[-1].z, order[: steps + 1 - len(course)]))
        kept = sorted(kept, key=lambda one: one[0][-1].loss)[: -(-len(kept) // 2)]
    return [np.stack([s.z for s in course[: improved(course) + 1]]) for course, _ in kept]


def _losses(generator, z, wanted, loss):
    """In batches of one size, so that the framework compiles the generator once."""
    losses = []
    for first in range(0, len(z), _BATCH):
        rows = z[first : first + _BATCH]
        batch = np.resize(rows, (_BATCH, z.shape[1]))
        drawn = loss(generator.predict_on_batch(batch), wanted)
        losses.append(ops.convert_to_numpy(drawn)[: len(rows)])
    return np.concatenate(losses)
