"""How far generated images are from any data set, where no law is known.

Images are uint8 (n, H, W, C) with C 1 or 3, H and W at least 8, and one H, W and C in two sets. All
that is public raises ValueError, in one line, for other arrays and for fewer than 2 images
(`nearest`: 1). A distance of images is the root mean squared difference (RMS) of pixels, exact.
"""

import numpy as np

SWD_IMAGES = 1024  # of each set, at most, in the sliced Wasserstein distance
DIVERSITY_IMAGES = 500  # at most
DUPLICATE = 2.0  # RMS; images no further apart are the same to the eye

_JUDGE_IMAGES = 256
_LEAST = 8  # pixels of height and width: a patch must fit
_COARSEST = 16  # pixels of the last level of a pyramid
_PATCH = 7
_PATCHES = 64  # per image and level
_DIRECTIONS = 256
_CHUNK = 32  # images whose pyramids are in memory at once
_BLOCK = 256  # images compared with all others at once
_EXACT = 1024  # products of two numbers of at most 128 whose sum float32 holds without rounding


def sliced_wasserstein(
    images: np.ndarray, reference: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """Sliced Wasserstein distance between patches, level by level of a Laplacian pyramid.

    Karras et al. 2018, arXiv:1710.10196, section 5. Each set's patches have mean 0 and deviation 1
    per channel: brightness and contrast that all images share count for nothing. Two samples of one
    data set are the further apart the smaller they are: compare only numbers of as many images.

    Args:
        images: those judged. Of each set as many are used as the smaller one has, at most
            `SWD_IMAGES`, evenly spread over the set.
        reference: real ones.
        seed: of the patches and the projections; the same for both sets.

    Returns:
        a distance of 0 or more, times 1000, per level, named after its height in pixels, finest
        first, then their mean: `{"64": …, "32": …, "16": …, "mean": …}`. Equal sets give 0.
    """
    _check(images, reference)
    count = min(len(images), len(reference), SWD_IMAGES)
    ours, theirs = (_patches(_spread(one, count), seed) for one in (images, reference))
    shape = _DIRECTIONS, images.shape[3] * _PATCH**2
    directions = np.random.default_rng(seed).standard_normal(shape, np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    distances = {}
    for size in ours:
        a, b = (np.sort(directions @ patches[size].T, axis=1) for patches in (ours, theirs))
        distances[size] = 1000 * float(np.abs(a - b).mean(dtype=float))
    return distances | {"mean": float(np.mean(list(distances.values())))}


def nearest(images: np.ndarray, training: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The training image nearest to each image: copies show as distances near 0.

    Args:
        images: n images.
        training: any number of images; read block by block.

    Returns:
        indices into `training`, int (n,), the first of equals; distances, float64 (n,), 0…255.
    """
    _check(images, training, least=1)
    indices, least = np.zeros(len(images), int), np.full(len(images), np.inf)
    for start in range(0, len(training), _BLOCK):
        block = training[start : start + _BLOCK]
        squares = _mean_squares(images, block)
        inside = squares.argmin(axis=1)
        found = squares[np.arange(len(images)), inside]
        indices = np.where(found < least, start + inside, indices)
        least = np.minimum(found, least)
    return indices, np.sqrt(least)


def nearest_other(images: np.ndarray) -> np.ndarray:
    """Distance from each image to the nearest of the others: float64 (n,), 0…255."""
    _check(images)
    distances = np.empty(len(images))
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        squares = _mean_squares(block, images)
        np.fill_diagonal(squares[:, start:], np.inf)
        distances[start : start + len(block)] = np.sqrt(squares.min(axis=1))
    return distances


def duplicates(images: np.ndarray) -> float:
    """Share of images, in [0, 1), no further than `DUPLICATE` from an earlier one."""
    _check(images)
    repeats = 0
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        close = _mean_squares(block, images[: start + len(block)]) <= DUPLICATE**2
        repeats += np.tril(close, start - 1).any(axis=1).sum()  # columns before the row's own image
    return float(repeats / len(images))


def diversity(images: np.ndarray) -> float:
    """Mean distance, 0…255, over all pairs of at most `DIVERSITY_IMAGES`, spread over the set."""
    _check(images)
    some = _spread(images, DIVERSITY_IMAGES)
    return float(np.sqrt(_mean_squares(some, some)).sum() / (len(some) * (len(some) - 1)))


class ImageJudge:
    """Judges images during a training by their likeness to the data set, in about a second.

    Args:
        reference: real images.
        limit: of each set no more images are used, evenly spread; for the distance 256 at most.
    """

    def __init__(self, reference: np.ndarray, limit: int = 500) -> None:
        _check(reference)
        self._limit = limit
        self._reference = _spread(reference, limit)

    def measure(self, images: np.ndarray) -> dict[str, float]:
        """`swd`, their mean `sliced_wasserstein`, smaller for better images, and `duplicates`."""
        some = _spread(images, self._limit)
        few = (_spread(one, _JUDGE_IMAGES) for one in (some, self._reference))
        return {
            "swd": sliced_wasserstein(*few)["mean"],
            "duplicates": duplicates(some),
        }

    @staticmethod
    def rank(figures: dict[str, float]) -> tuple[float, ...]:
        """What `measure` returned as a tuple that is larger for better images."""
        return (-figures["swd"],)


def _check(*sets: np.ndarray, least: int = 2) -> None:
    for images in sets:
        kind, shape = images.dtype, images.shape
        fits = kind == np.uint8 and len(shape) == 4 and min(shape[1:3]) >= _LEAST
        if not fits or shape[3] not in (1, 3):
            wanted = f"uint8 (n, H, W, 1 or 3) with H and W at least {_LEAST}"
            raise ValueError(f"expected {wanted}, received {kind} {shape}")
        if len(images) < least:
            raise ValueError(f"expected at least {least} images, received {len(images)}")
        if shape[1:] != sets[0].shape[1:]:
            both = f"{sets[0].shape[1:]} and {shape[1:]}"
            raise ValueError(f"expected images of one shape, received {both}")


def _spread(images: np.ndarray, most: int) -> np.ndarray:
    """At most so many images, from all over a set that may be sorted."""
    return images if len(images) <= most else images[np.arange(most) * len(images) // most]


def _mean_squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean squared differences of pixels, float64 (len(a), len(b)), without rounding.

    |a|² − 2ab + |b|² loses small distances to rounding, so that float32 only ever adds up whole
    numbers that it can hold; float64 adds up the sums.
    """
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    squares = np.zeros((len(a), len(b)))
    for i in range(0, a.shape[1], _EXACT):
        x, y = (one[:, i : i + _EXACT].astype(np.float32) - 128 for one in (a, b))
        squares -= 2 * (x @ y.T)
        squares += np.einsum("ij,ij->i", x, x)[:, None]
        squares += np.einsum("ij,ij->i", y, y)
    return squares / a.shape[1]


def _patches(images: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Normalised patches per level, float32 (n·64, C·49); their places depend on seed and n."""
    random = np.random.default_rng(seed)
    found = {}
    for start in range(0, len(images), _CHUNK):
        for level in _pyramid(images[start : start + _CHUNK]):
            windows = np.lib.stride_tricks.sliding_window_view(level, (_PATCH, _PATCH), (2, 3))
            n, _, rows, columns = windows.shape[:4]
            y, x = (random.integers(0, places, (n, _PATCHES)) for places in (rows, columns))
            patches = windows[np.arange(n)[:, None], :, y, x]  # (n, 64, C, 7, 7)
            found.setdefault(str(level.shape[2]), []).append(patches)
    return {size: _normalised(np.concatenate(found.pop(size))) for size in list(found)}


def _normalised(patches: np.ndarray) -> np.ndarray:
    patches -= patches.mean(axis=(0, 1, 3, 4), keepdims=True, dtype=float)
    deviation = patches.std(axis=(0, 1, 3, 4), keepdims=True, dtype=float)
    patches /= np.where(deviation > 0, deviation, 1)  # flat images have none
    return patches.reshape(patches.shape[0] * _PATCHES, -1)


def _pyramid(images: np.ndarray) -> list[np.ndarray]:
    """Levels of the Laplacian pyramid, float32 (n, C, h, w), finest first."""
    level = images.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    levels = []
    while min(level.shape[2:]) >= 2 * _COARSEST:
        rows, columns = (_blur(size) for size in level.shape[2:])
        smaller = rows[::2] @ level @ columns[::2].T
        # Enlarging puts zeros between the pixels, and twice the filter makes up for them.
        levels.append(level - (2 * rows[:, ::2]) @ smaller @ (2 * columns[:, ::2]).T)
        level = smaller
    return [*levels, level]


def _blur(size: int) -> np.ndarray:
    """The binomial filter as a matrix (size, size); beyond its ends, a line is its own mirror."""
    matrix = np.zeros((size, size), np.float32)
    places = np.arange(size)
    for offset, tap in enumerate((1, 4, 6, 4, 1), -2):
        mirrored = size - 1 - np.abs(size - 1 - np.abs(places + offset))
        matrix[places, mirrored] += tap / 16
    return matrix
