"""Paths through latent space: walks from image to image, circles, mixtures of images."""

from collections.abc import Callable, Iterator

import numpy as np

EASINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "smooth": lambda t: t * t * (3 - 2 * t),
    "linear": lambda t: t,
}
"""The pace between two images of a walk: `smooth` starts and ends slowly (3t² − 2t³), so the walk
rests at every image; `linear` keeps one speed."""

PATHS = ("sphere", "straight")

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
) -> np.ndarray:
    """Latents along a walk that passes the given ones at equal intervals of time.

    Args:
        z: two or more latents, float32 (k, z_dim).
        t: times in [0, 1], (n,).
        path: `sphere` is spherical interpolation (White 2016, arXiv:1609.04468), which keeps to
            the lengths that the generator was trained on; `straight` passes shorter latents.
        easing: a key of `EASINGS`.
        loop: whether the walk returns from the last latents to the first, where it is at t = 1.

    Returns:
        float32 (n, z_dim).

    Raises:
        ValueError: fewer than two latents, or an unknown path or easing.
    """
    if len(z) < 2:
        raise ValueError(f"a walk needs at least two seeds, received {len(z)}")
    for option, value, known in (("path", path, PATHS), ("easing", easing, EASINGS)):
        if value not in known:
            raise ValueError(f"{option}: expected one of {', '.join(known)}, received {value!r}")
    stops = np.concatenate([z, z[:1]]) if loop else z
    position = np.asarray(t, float) * (len(stops) - 1)
    step = np.minimum(position.astype(int), len(stops) - 2)
    fraction = EASINGS[easing](position - step)[:, None]
    a, b = stops[step].astype(float), stops[step + 1].astype(float)
    interpolate = _spherical if path == "sphere" else _linear
    return interpolate(a, b, fraction).astype(np.float32)


def _linear(a, b, fraction):
    return (1 - fraction) * a + fraction * b


def _spherical(a, b, fraction):
    """(sin((1 − f)θ) a + sin(fθ) b) / sin θ, row by row; θ is the angle between a and b."""
    cosine = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    angle = np.arccos(np.clip(cosine, -1, 1))[:, None]
    parallel = angle < 1e-3  # sin θ is nearly 0; a straight line is as good
    sine = np.where(parallel, 1, np.sin(angle))
    arc = np.sin((1 - fraction) * angle) / sine * a + np.sin(fraction * angle) / sine * b
    return np.where(parallel, _linear(a, b, fraction), arc)


def orbit(z: np.ndarray, t: np.ndarray, radius: float, seed: int) -> np.ndarray:
    """A circle around one image: cos α z + sin α |z| (cos 2πt u + sin 2πt v), with sin α = radius.

    u and v are unit vectors, orthogonal to z and to each other, so all latents are as long as z.

    Args:
        z: the centre, float32 (z_dim,), with z_dim at least 3.
        t: times in [0, 1], (n,); 0 and 1 are the same point.
        radius: relative to the length of z, from 0 (always z) to 1 (as far from z as a random
            image is from another).
        seed: of the random plane of u and v.

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
    angle = 2 * np.pi * np.asarray(t, float)[:, None]
    around = np.cos(angle) * basis[:, 1] + np.sin(angle) * basis[:, 2]
    circle = np.sqrt(1 - radius**2) * z + radius * np.linalg.norm(z) * around
    return circle.astype(np.float32)


def mix(z: np.ndarray, weights: list[float]) -> np.ndarray:
    """Σ wᵢzᵢ / √Σ wᵢ²: a weighted sum of independent latents, which is again standard normal.

    Args:
        z: float32 (k, z_dim).
        weights: k numbers; a negative one subtracts its latents.

    Returns:
        float32 (z_dim,).

    Raises:
        ValueError: not k weights, or weights that are all 0 or not finite.
    """
    if len(weights) != len(z):
        raise ValueError(f"{len(z)} seeds need as many weights, received {len(weights)}")
    norm = np.linalg.norm(weights)
    if not 0 < norm < np.inf:
        raise ValueError(f"weights: expected numbers, not all of them 0, received {weights}")
    return (np.asarray(weights) @ z.astype(float) / norm).astype(np.float32)
