"""Search among the variants of categorical latents, which have no gradient."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from utils.drawing import LatentGroups
from utils.images import to_float

_BATCH = 64  # images drawn at once


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
) -> Iterator[Step]:
    """Coordinate descent: tries all variants of one group after another, and keeps the best.

    Args:
        generator: maps (B, z_dim) to (B, H, W, C) in [-1, 1].
        groups: its categorical latents.
        z: float32 (z_dim,).
        target: the image to come near to, uint8 (H, W, C).
        loss: images (B, H, W, C) and a target (1, H, W, C), both in [-1, 1], to losses (B,).
        order: the groups that are tried, int (k,).

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
        best = losses.argmin()
        if losses[best] < losses[current].min():  # of equal variants the current one stays
            z = tried[best]
        yield Step(z, losses.min(), len(variants))


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
        the courses of the starts that are left: latents after 0, 1, 2 … steps, float32 (m, z_dim).
    """

    def ended(course):
        before = course[-1 - orders.shape[1] :]
        return len(course) > steps or (
            len(before) > orders.shape[1] and np.array_equal(before[0].z, before[-1].z)
        )

    kept = [([Step(z, np.inf, 0)], order) for z, order in zip(starts, orders, strict=True)]
    while not stop() and not all(ended(course) for course, _ in kept):
        for course, order in kept:
            if not ended(course) and not stop():
                course.extend(sweep_from(course[-1].z, order[: steps + 1 - len(course)]))
        kept = sorted(kept, key=lambda one: one[0][-1].loss)[: -(-len(kept) // 2)]
    return [np.stack([step.z for step in course]) for course, _ in kept]


def _losses(generator, z, wanted, loss):
    """In batches of one size, so that the framework compiles the generator once."""
    losses = []
    for first in range(0, len(z), _BATCH):
        rows = z[first : first + _BATCH]
        batch = np.resize(rows, (_BATCH, z.shape[1]))
        drawn = loss(generator.predict_on_batch(batch), wanted)
        losses.append(ops.convert_to_numpy(drawn)[: len(rows)])
    return np.concatenate(losses)
