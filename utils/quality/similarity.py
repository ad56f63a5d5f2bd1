"""Distances between images and between sets of images; they need no law of the data.

Images are uint8 (n, H, W, C) with C 1 or 3, H and W at least 8; two sets have the same H, W and C.
All public functions raise ValueError, in one line, for other arrays and for fewer than 2 images
(`nearest`: 1). The distance between two images is the root mean squared difference (RMS) of their
pixels, without rounding.
"""

from collections.abc import Callable

import numpy as np

from utils.messages import count

SWD_IMAGES = 1024
"""The sliced Wasserstein distance uses at most this many images of each set."""

DIVERSITY_IMAGES = 500
"""`diversity` uses at most this many images."""

DUPLICATE = 2.0
"""RMS up to which two images look the same."""

_JUDGE_IMAGES = 256  # in the distance of `ImageJudge`, which must be quick
_MIN_SIDE = 8  # pixels of height and width: a patch must fit
_COARSEST = 16  # pixels of the last level of a pyramid
_PATCH = 7  # pixels of height and width
_PATCHES = 64  # per image and level
_DIRECTIONS = 256
_CHUNK = 32  # images whose pyramids are in memory at once
_BLOCK = 256  # images compared with all others at once
_EXACT = 1024  # products of two numbers of at most 128 whose sum float32 holds without rounding


def sliced_wasserstein(
    images: np.ndarray, reference: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """Sliced Wasserstein distance between patches, level by level of a Laplacian pyramid.

    Karras et al. 2018, arXiv:1710.10196, section 5. The patches of each set are scaled to mean 0
    and deviation 1 per channel, so brightness and contrast that all images share do not count.
    Smaller samples of the same data are further apart, so compare only distances between equally
    many images.

    Args:
        images: the images to judge. Both sets are thinned evenly to the size of the smaller one, at
            most `SWD_IMAGES`.
        reference: real images.
        seed: of the patches and the directions; the same for both sets.

    Returns:
        a distance of at least 0, times 1000, for each level, named by its height in pixels, finest
        first, and their mean: `{"64": …, "32": …, "16": …, "mean": …}`. Equal sets give 0.
    """
    _check(images, reference)
    size = min(len(images), len(reference), SWD_IMAGES)
    ours, theirs = (_patches(_spread(part, size), seed) for part in (images, reference))
    shape = _DIRECTIONS, images.shape[3] * _PATCH**2
    directions = np.random.default_rng(seed).standard_normal(shape, np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    distances = {}
    for level in ours:
        a, b = (np.sort(directions @ patches[level].T, axis=1) for patches in (ours, theirs))
        distances[level] = 1000 * float(np.abs(a - b).mean(dtype=float))
    return distances | {"mean": float(np.mean(list(distances.values())))}


def nearest(
    images: np.ndarray,
    training: np.ndarray,
    advance: Callable[[int], object] = lambda compared: None,
) -> tuple[np.ndarray, np.ndarray]:
    """The training image nearest to each image; a copy has a distance near 0.

    Args:
        images: n images.
        training: any number of images.
        advance: called with a number of training images whenever so many more were compared.

    Returns:
        indices into `training`, int (n,), the first of equally near ones; distances, float64 (n,),
        0…255.
    """
    _check(images, training, least=1)
    indices, smallest = np.zeros(len(images), int), np.full(len(images), np.inf)
    for start in range(0, len(training), _BLOCK):
        squares = _mean_squares(images, training[start : start + _BLOCK])
        in_block = squares.argmin(axis=1)
        values = squares[np.arange(len(images)), in_block]
        indices = np.where(values < smallest, start + in_block, indices)
        smallest = np.minimum(values, smallest)
        advance(squares.shape[1])
    return indices, np.sqrt(smallest)


def nearest_other(images: np.ndarray) -> np.ndarray:
    """The distance of each image to the nearest other one: float64 (n,), 0…255."""
    _check(images)
    distances = np.empty(len(images))
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        squares = _mean_squares(block, images)
        np.fill_diagonal(squares[:, start:], np.inf)
        distances[start : start + len(block)] = np.sqrt(squares.min(axis=1))
    return distances


def duplicates(images: np.ndarray) -> float:
    """The share of images, in [0, 1), within `DUPLICATE` of an earlier image."""
    _check(images)
    repeats = 0
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        close = _mean_squares(block, images[: start + len(block)]) <= DUPLICATE**2
        repeats += np.tril(close, start - 1).any(axis=1).sum()  # columns before the row's own image
    return float(repeats / len(images))


def diversity(images: np.ndarray) -> float:
    """The mean distance, 0…255, over all pairs of at most `DIVERSITY_IMAGES` images."""
    _check(images)
    sample = _spread(images, DIVERSITY_IMAGES)
    distances = np.sqrt(_mean_squares(sample, sample))
    return float(distances.sum() / (len(sample) * (len(sample) - 1)))


class ImageJudge:
    """Judges images by how similar they are to the data set; takes about a second.

    For use during a training, see `utils.quality.Scores`.

    Args:
        reference: real images.
        limit: both sets are thinned evenly to this many images, and to 256 for the distance.
    """

    def __init__(self, reference: np.ndarray, limit: int = 500) -> None:
        _check(reference)
        self._limit = limit
        self._reference = _spread(reference, limit)

    def measure(self, images: np.ndarray) -> dict[str, float]:
        """`swd`, the mean of `sliced_wasserstein`, and `duplicates`; smaller is better."""
        sample = _spread(images, self._limit)
        few = (_spread(part, _JUDGE_IMAGES) for part in (sample, self._reference))
        return {
            "swd": sliced_wasserstein(*few)["mean"],
            "duplicates": duplicates(sample),
        }


def _check(*sets: np.ndarray, least: int = 2) -> None:
    for images in sets:
        kind, shape = images.dtype, images.shape
        fits = kind == np.uint8 and len(shape) == 4 and min(shape[1:3]) >= _MIN_SIDE
        if not fits or shape[3] not in (1, 3):
            expected = f"uint8 (n, H, W, 1 or 3) with H and W at least {_MIN_SIDE}"
            raise ValueError(f"expected {expected}, received {kind} {shape}")
        if len(images) < least:
            raise ValueError(f"expected at least {count(least, 'image')}, received {len(images)}")
        if shape[1:] != sets[0].shape[1:]:
            shapes = f"{sets[0].shape[1:]} and {shape[1:]}"
            raise ValueError(f"expected images of one shape, received {shapes}")


def _spread(images: np.ndarray, most: int) -> np.ndarray:
    """At most `most` images, evenly spread over the set, which may be sorted."""
    return images if len(images) <= most else images[np.arange(most) * len(images) // most]


def _mean_squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean squared differences of pixels, float64 (len(a), len(b)), without rounding.

    The formula |a|² − 2ab + |b|² loses small distances to rounding. So float32 adds whole numbers
    only while it holds their sum exactly, and float64 adds these sums.
    """
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    squares = np.zeros((len(a), len(b)))
    for i in range(0, a.shape[1], _EXACT):
        x, y = (part[:, i : i + _EXACT].astype(np.float32) - 128 for part in (a, b))
        squares -= 2 * (x @ y.T)
        squares += np.einsum("ij,ij->i", x, x)[:, None]
        squares += np.einsum("ij,ij->i", y, y)
    return squares / a.shape[1]


def _patches(images: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Normalised patches by level, float32 (n·64, C·49); their positions depend on seed and n."""
    random = np.random.default_rng(seed)
    levels = {}
    for start in range(0, len(images), _CHUNK):
        for level in _pyramid(images[start : start + _CHUNK]):
            windows = np.lib.stride_tricks.sliding_window_view(level, (_PATCH, _PATCH), (2, 3))
            n, _, rows, columns = windows.shape[:4]
            y, x = (random.integers(0, most, (n, _PATCHES)) for most in (rows, columns))
            patches = windows[np.arange(n)[:, None], :, y, x]  # (n, 64, C, 7, 7)
            levels.setdefault(str(level.shape[2]), []).append(patches)
    return {size: _normalised(np.concatenate(levels.pop(size))) for size in list(levels)}


def _normalised(patches: np.ndarray) -> np.ndarray:
    patches -= patches.mean(axis=(0, 1, 3, 4), keepdims=True, dtype=float)
    deviation = patches.std(axis=(0, 1, 3, 4), keepdims=True, dtype=float)
    patches /= np.where(deviation > 0, deviation, 1)  # 0 in flat images
    return patches.reshape(patches.shape[0] * _PATCHES, -1)


def _pyramid(images: np.ndarray) -> list[np.ndarray]:
    """Levels of the Laplacian pyramid, float32 (n, C, h, w), finest first."""
    level = images.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    levels = []
    while min(level.shape[2:]) >= 2 * _COARSEST:
        rows, columns = (_blur(size) for size in level.shape[2:])
        smaller = rows[::2] @ level @ columns[::2].T
        # Enlarging puts zeros between the pixels; twice the filter restores the brightness.
        levels.append(level - (2 * rows[:, ::2]) @ smaller @ (2 * columns[:, ::2]).T)
        level = smaller
    return [*levels, level]


def _blur(size: int) -> np.ndarray:
    """The binomial filter as a matrix (size, size); a line is mirrored at both ends."""
    matrix = np.zeros((size, size), np.float32)
    positions = np.arange(size)
    for offset, tap in enumerate((1, 4, 6, 4, 1), -2):
        mirrored = size - 1 - np.abs(size - 1 - np.abs(positions + offset))
        matrix[positions, mirrored] += tap / 16
    return matrix
