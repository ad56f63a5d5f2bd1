"""Paths through latent space: walks from image to image, circles, mixtures."""

from collections.abc import Callable, Iterator

import numpy as np

EASINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "smooth": lambda t: t * t * (3 - 2 * t),
    "linear": lambda t: t,
}
"""How a step of a walk goes by: `smooth` begins and ends slowly (3t² − 2t³), so that it rests at
every image it comes to; `linear` keeps its speed."""

PATHS = ("sphere", "straight")


_CHUNK = 16  # latents at a time: as many as are drawn at once


def along(
    path: Callable[[np.ndarray], np.ndarray], frames: int, loop: bool
) -> Iterator[np.ndarray]:
    """The latents of a film's frames, a few at a time, so that its length needs no memory.

    Args:
        path: latents (n, z_dim) at times (n,) in [0, 1].
        frames: of the film. The first is at time 0 and the last at 1; in a loop the last is one
            step earlier, since 1 is where the film begins again.
        loop: whether it is one.

    Yields:
        float32 arrays (n, z_dim).
    """
    last = max(1, frames if loop else frames - 1)
    for first in range(0, frames, _CHUNK):
        yield path(np.arange(first, min(first + _CHUNK, frames)) / last)


def walk(
    z: np.ndarray,
    when: np.ndarray,
    path: str = "sphere",
    easing: str = "smooth",
    loop: bool = False,
) -> np.ndarray:
    """Latents on the way through others, which it comes to at equal distances of time.

    Args:
        z: two or more latents, float32 (k, z_dim).
        when: times in [0, 1], (n,).
        path: `sphere`, spherical interpolation (White 2016, arXiv:1609.04468), stays among the
            lengths that the generator was trained on; `straight` passes through shorter latents.
        easing: a name in `EASINGS`.
        loop: whether it goes on from the last to the first, where it is at time 1.

    Returns:
        float32 (n, z_dim).

    Raises:
        ValueError: fewer than two latents, or an unknown path or easing.
    """
    if len(z) < 2:
        raise ValueError(f"a walk needs at least two seeds, received {len(z)}")
    for name, known in ((path, PATHS), (easing, EASINGS)):
        if name not in known:
            raise ValueError(f"expected one of {', '.join(known)}, received {name!r}")
    ends = np.concatenate([z, z[:1]]) if loop else z
    place = np.asarray(when, float) * (len(ends) - 1)
    step = np.minimum(place.astype(int), len(ends) - 2)
    share = EASINGS[easing](place - step)[:, None]
    a, b = ends[step].astype(float), ends[step + 1].astype(float)
    between = _on_sphere(a, b, share) if path == "sphere" else (1 - share) * a + share * b
    return between.astype(np.float32)


def _on_sphere(a, b, share):
    """(sin((1 − t)θ) a + sin(tθ) b) / sin θ, row by row, θ being the angle between a and b."""
    cosine = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    angle = np.arccos(np.clip(cosine, -1, 1))[:, None]
    flat = angle < 1e-3  # the same direction, where the sphere is as good as flat
    sine = np.where(flat, 1, np.sin(angle))
    weights = [np.sin(part * angle) / sine for part in (1 - share, share)]
    return sum(
        np.where(flat, part, weight) * end
        for part, weight, end in zip((1 - share, share), weights, (a, b), strict=True)
    )


def orbit(z: np.ndarray, when: np.ndarray, radius: float, seed: int) -> np.ndarray:
    """A circle around one image: cos α z + sin α |z| (cos 2πt u + sin 2πt v), with sin α = radius.

    u and v are at right angles to z and to each other, so all latents are as long as z.

    Args:
        z: the centre, float32 (z_dim,), of three numbers or more.
        when: times t in [0, 1], (n,); 0 and 1 are the same point.
        radius: in lengths of z, from 0 (always z) to 1 (as far from z as two random images).
        seed: of the plane of u and v.

    Returns:
        float32 (n, z_dim).

    Raises:
        ValueError: a radius outside [0, 1], or too few numbers for a circle.
    """
    if not 0 <= radius <= 1:
        raise ValueError(f"radius must lie between 0 and 1, received {radius}")
    if len(z) < 3:
        raise ValueError(f"a circle needs latents of 3 numbers or more, these have {len(z)}")
    random = np.random.default_rng((seed, 2)).standard_normal((len(z), 2))
    basis, _ = np.linalg.qr(np.column_stack([z, random]))
    angle = 2 * np.pi * np.asarray(when, float)[:, None]
    around = np.cos(angle) * basis[:, 1] + np.sin(angle) * basis[:, 2]
    circle = np.sqrt(1 - radius**2) * z + radius * np.linalg.norm(z) * around
    return circle.astype(np.float32)


def mix(z: np.ndarray, weights: list[float]) -> np.ndarray:
    """Σ wᵢzᵢ / √Σ wᵢ²: a weighted sum of independent latents that is standard normal again.

    Args:
        z: float32 (k, z_dim).
        weights: one per latent; negative ones take away.

    Returns:
        float32 (z_dim,).

    Raises:
        ValueError: another number of weights than latents, or weights that are all 0 or no numbers.
    """
    if len(weights) != len(z):
        raise ValueError(f"{len(z)} seeds need as many weights, received {len(weights)}")
    size = np.linalg.norm(weights)
    if not 0 < size < np.inf:
        raise ValueError(f"expected numbers, not all of them 0, as weights; received {weights}")
    return (np.asarray(weights) @ z.astype(float) / size).astype(np.float32)
