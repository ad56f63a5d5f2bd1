"""Paths through latent space: walks from image to image, circles, mixtures of images.

For a generator with categorical latents a path through latent space shows one image, and then jumps
to the next one. There, one group changes after another, and the old variant fades into the new one:
two levels that differ by less than the margin make its softmax a mixture.
"""

from collections.abc import Callable, Iterator

import numpy as np

from utils.drawing.latents import LatentGroups

EASINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "smooth": lambda t: t * t * (3 - 2 * t),
    "linear": lambda t: t,
}
"""The pace between two images of a walk: `smooth` starts and ends slowly (3t² − 2t³), so the walk
rests at every image; `linear` keeps one speed."""

PATHS = ("sphere", "straight")

_REST = 0.1  # of a group's time, before and after its change
_CHUNK = 16  # latents at a time, as many as are drawn at once


def film_latents(
    path: Callable[[np.ndarray], np.ndarray], frames: int, loop: bool
) -> Iterator[np.ndarray]:
    """The latents of a film's frames, 16 at a time.

    Args:
        path: maps times t (n,) in [0, 1] to latents (n, z_dim).
        frames: number of frames. The first is at t = 0. The last is at t = 1, or in a loop one
            step before, because a loop is at t = 1 where it started.
        loop: whether the film is a loop.

    Yields:
        float32 (up to 16, z_dim).
    """
    last = max(1, frames if loop else frames - 1)
    for first in range(0, frames, _CHUNK):
        yield path(np.arange(first, min(first + _CHUNK, frames)) / last)


def walk(
    z: np.ndarray,
    t: np.ndarray,
    path: str = "sphere",
    easing: str = "smooth",
    loop: bool = False,
    groups: LatentGroups | None = None,
) -> np.ndarray:
    """Latents along a walk that passes the given ones at equal intervals of time.

    Categorical latents change one group after another, in their order, those that differ; what is
    Gaussian moves all the time.

    Args:
        z: two or more latents, float32 (k, z_dim).
        t: times in [0, 1], (n,).
        path: `sphere` is spherical interpolation (White 2016, arXiv:1609.04468), which keeps to
            the lengths that the generator was trained on; `straight` passes shorter latents.
        easing: a key of `EASINGS`.
        loop: whether the walk returns from the last latents to the first, where it is at t = 1.
        groups: the categorical latents, see `latent_groups`.

    Returns:
        float32 (n, z_dim).

    Raises:
        ValueError: fewer than two latents, or an unknown path or easing.
    """
    if len(z) < 2:
        raise ValueError(f"a walk needs at least two images, received {len(z)}")
    for option, value, known in (("path", path, PATHS), ("easing", easing, EASINGS)):
        if value not in known:
            raise ValueError(f"{option}: expected one of {', '.join(known)}, received {value!r}")
    stops = np.concatenate([z, z[:1]]) if loop else z
    position = np.asarray(t, float) * (len(stops) - 1)
    step = np.minimum(position.astype(int), len(stops) - 2)
    fraction = EASINGS[easing](position - step)[:, None]
    a, b = stops[step].astype(float), stops[step + 1].astype(float)
    interpolate = _spherical if path == "sphere" else _linear
    moved = interpolate(a, b, fraction).astype(np.float32)
    if not groups:
        return moved
    old, new = groups.chosen(a), groups.chosen(b)
    return fade(moved, old, new, _in_turn(old != new, position - step), EASINGS[easing], groups)


def _in_turn(changes, time):
    """The time of each group: from 0 to 1 in its turn among those that change.

    Args:
        changes: bool (n, groups).
        time: from 0, before all changes, to 1, after all of them, (n,).
    """
    turns = np.cumsum(changes, axis=1) - 1
    return np.clip(time[:, None] * changes.sum(1, keepdims=True) - turns, 0, 1)


def fade(
    z: np.ndarray,
    old: np.ndarray,
    new: np.ndarray,
    time: np.ndarray,
    easing: Callable[[np.ndarray], np.ndarray],
    groups: LatentGroups,
) -> np.ndarray:
    """Latents at which groups change from old variants to new ones.

    At first the old variant is held, at last the new one. In between, both are above all others,
    and their difference makes the softmax a mixture of the two. Latents move without a jump.

    Args:
        z: the latents if nothing is held, (n, z_dim).
        old: variants, int (n, groups).
        new: variants, int (n, groups); where they are the old ones, nothing changes.
        time: of each group, in [0, 1], (n, groups).
        easing: from the time of a change to the share of the new variant, both in [0, 1].
        groups: the categorical latents.

    Returns:
        float32 (n, z_dim).
    """

    def of(levels, variants):
        return np.take_along_axis(levels, variants[..., None], axis=2)[..., 0]

    free = groups.levels(z)
    share = easing(np.clip((time - _REST) / (1 - 2 * _REST), 0, 1))
    with np.errstate(divide="ignore"):
        difference = np.log(share) - np.log1p(-share)  # the softmax of this and 0 is the share
    difference = np.clip(difference / groups.scale, -groups.margin, groups.margin)
    top = free.max(2) + groups.margin
    begun, left = np.clip(time / _REST, 0, 1), np.clip((1 - time) / _REST, 0, 1)
    levels = free.copy()
    for variants, first, faded in (
        (old, True, top - np.maximum(difference, 0)),
        (new, False, top + np.minimum(difference, 0)),
    ):
        alone = of(groups.levels(groups.hold(z, variants)), variants)
        before, after = (alone, of(free, variants)) if first else (of(free, variants), alone)
        level = np.where(
            time < 0.5, before + begun * (faded - before), after + left * (faded - after)
        )
        level = np.where(old == new, alone, level)
        np.put_along_axis(levels, variants[..., None], level[..., None], axis=2)
    return groups.latents(levels)


def _linear(a, b, fraction):
    return (1 - fraction) * a + fraction * b


def _spherical(a, b, fraction):
    """(sin((1 − f)θ) a + sin(fθ) b) / sin θ, row by row; θ is the angle between a and b.

    A straight line where sin θ is nearly 0: of latents that have the same direction it is as good.
    Between opposite ones, which one or two numbers often are, no way on the sphere is the shortest,
    and latents of length 0 have no direction.
    """
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.divide((a * b).sum(1), lengths, out=np.ones(len(a)), where=lengths > 0)
    angle = np.arccos(np.clip(cosine, -1, 1))[:, None]
    straight = np.sin(angle) < 1e-3
    sine = np.where(straight, 1, np.sin(angle))
    arc = np.sin((1 - fraction) * angle) / sine * a + np.sin(fraction * angle) / sine * b
    return np.where(straight, _linear(a, b, fraction), arc)


def orbit(
    z: np.ndarray, t: np.ndarray, radius: float, seed: int, groups: LatentGroups | None = None
) -> np.ndarray:
    """A circle around one image: cos α z + sin α |z| (cos 2πt u + sin 2πt v), with sin α = radius.

    u and v are unit vectors, orthogonal to z and to each other, so all latents are as long as z.

    Categorical latents have no circle: groups change one after another to other variants, and then
    return in the same order. What is Gaussian moves on the circle.

    Args:
        z: the centre, float32 (z_dim,), with z_dim at least 3.
        t: times in [0, 1], (n,); 0 and 1 are the same point.
        radius: relative to the length of z, from 0 (always z) to 1 (as far from z as a random
            image is from another); the share of the groups that change, rounded up.
        seed: of the random plane of u and v, of the groups and of their variants.
        groups: the categorical latents, see `latent_groups`.

    Returns:
        float32 (n, z_dim).

    Raises:
        ValueError: a radius outside [0, 1], or a z_dim below 3.
    """
    if not 0 <= radius <= 1:
        raise ValueError(f"radius must lie between 0 and 1, received {radius}")
    if len(z) < 3:
        raise ValueError(f"a circle needs latents of 3 numbers or more, received {len(z)}")
    random = np.random.default_rng((seed, 2)).standard_normal((len(z), 2))
    basis, _ = np.linalg.qr(np.column_stack([z, random]))
    t = np.asarray(t, float)
    angle = 2 * np.pi * t[:, None]
    around = np.cos(angle) * basis[:, 1] + np.sin(angle) * basis[:, 2]
    circle = np.sqrt(1 - radius**2) * z + radius * np.linalg.norm(z) * around
    circle = circle.astype(np.float32)
    if not groups:
        return circle
    rest = np.repeat(z[None], len(t), axis=0)
    old = groups.chosen(rest)
    new = np.repeat(_others(groups, old[0], radius, seed)[None], len(t), axis=0)
    # The time of each group rises to 1 in the first half, and falls in the second one.
    there, back = (_in_turn(old != new, np.clip(2 * t - half, 0, 1)) for half in (0, 1))
    moved = circle if groups.gaussian else rest
    return fade(moved, old, new, there - back, EASINGS["smooth"], groups)


def _others(groups, choice, radius, seed):
    """The variants (groups,) of an orbit's far end: of a share of the groups, other ones."""
    random = np.random.default_rng((seed, 2))
    far = choice.copy()
    for group in random.permutation(len(choice))[: int(np.ceil(radius * len(choice)))]:
        variants = np.flatnonzero(groups.allowed[group])
        others = variants[variants != choice[group]]
        if len(others):
            far[group] = random.choice(others)
    return far


def mix(z: np.ndarray, weights: list[float], groups: LatentGroups | None = None) -> np.ndarray:
    """Σ wᵢzᵢ / √Σ wᵢ²: a weighted sum of independent latents, which is again standard normal.

    Categorical latents have no sum: each group takes the variant of one seed, in turn, so that each
    seed gives a share of the groups that is nearest to its weight's.

    Args:
        z: float32 (k, z_dim).
        weights: k numbers; a negative one subtracts its latents.
        groups: the categorical latents, see `latent_groups`; no weight may be negative then.

    Returns:
        float32 (z_dim,).

    Raises:
        ValueError: not k weights, or weights that are all 0, not finite, or negative with groups.
    """
    if len(weights) != len(z):
        raise ValueError(f"{len(z)} images need as many weights, received {len(weights)}")
    norm = np.linalg.norm(weights)
    if not 0 < norm < np.inf:
        raise ValueError(f"weights: expected numbers, not all of them 0, received {weights}")
    if groups and min(weights) < 0:
        raise ValueError(
            "weights: expected none below 0, because this generator chooses variants, which "
            f"cannot be subtracted, received {weights}"
        )
    mixed = (np.asarray(weights) @ z.astype(float) / norm).astype(np.float32)
    if not groups:
        return mixed
    shares = np.asarray(weights) / np.sum(weights)
    taken = np.zeros(len(z))
    choice = groups.chosen(z)[0]
    for group in range(len(choice)):
        seed = np.argmax((group + 1) * shares - taken)
        choice[group] = groups.chosen(z)[seed, group]
        taken[seed] += 1
    return groups.hold(mixed[None], choice[None])[0]
