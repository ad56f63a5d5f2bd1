"""How far a set of images is from the law of the sketch, measured on their scenes.

The law: the position of every line is uniform on the pixels, its colour is uniform on four, and all
of them are independent. Every image counts by the scene that explains it best, however well or
badly that scene explains it.
"""

import numpy as np

from lines.scene import COLOURS, ORIENTATIONS, Line, Scene

LAW_MEASURES = (
    "colour_tv_vertical",
    "colour_tv_horizontal",
    "colour_chi2_vertical",
    "colour_chi2_horizontal",
    "position_ks_vertical",
    "position_ks_horizontal",
    "position_w1_vertical",
    "position_w1_horizontal",
    "independence_colours",
    "independence_colours_horizontal",
    "independence_colour_position_vertical",
    "independence_colour_position_horizontal",
    "independence_positions",
    "coverage_vertical",
    "coverage_horizontal",
    "novelty",
    "duplicates",
)
"""The measures that `measure_scenes` gives, in the order in which they are shown."""

_BINS = 8  # of positions, in tables of two properties


def measure_scenes(
    scenes: np.ndarray, size: int, weight: int, training_hashes: np.ndarray
) -> dict[str, float]:
    """The measures of a set of scenes.

    - `colour_tv_…`: total variation to the uniform law on four colours, 0 to 0.75;
      `colour_chi2_…`: Pearson's χ² with three degrees of freedom.
    - `position_ks_…`: Kolmogorov–Smirnov D to the uniform law on the pixels, 0 to 1;
      `position_w1_…`: Wasserstein-1, in pixels.
    - `independence_…`: Cramér's V of a table of two properties, 0 to 1; positions in 8 bins.
    - `coverage_…`: share of the pairs of colour and position that occur.
    - `novelty`: share of scenes that are not in the training set.
    - `duplicates`: share of scenes that equal an earlier one.

    The measures of horizontal lines count both lines of an image.

    Args:
        scenes: (n, 3, 2), see `as_array`.
        size: of the images in pixels.
        weight: stroke weight in pixels.
        training_hashes: `scene_hashes` of the training set, uint64 (m,).

    Returns:
        {name: value}, with the names of `LAW_MEASURES`.
    """
    hashes = scene_hashes(scenes, size, weight)
    measures = {
        "novelty": 1 - np.isin(hashes, training_hashes).mean(),
        "duplicates": 1 - len(np.unique(hashes)) / len(hashes),
    }
    for name, lines in (("vertical", scenes[:, :1]), ("horizontal", scenes[:, 1:])):
        for measure, value in _within_lines(lines.reshape(-1, 2), size).items():
            measures[f"{measure}_{name}"] = value
    measures |= _between_lines(scenes, size)
    return {name: float(measures[name]) for name in LAW_MEASURES}


def _within_lines(lines: np.ndarray, size: int) -> dict[str, float]:
    """The measures of single lines (n, 2) of one orientation."""
    positions, colours = lines.T
    counts = np.bincount(colours, minlength=len(COLOURS))
    expected = len(colours) / len(COLOURS)
    distance = np.abs(
        np.cumsum(np.bincount(positions, minlength=size)) / len(positions)
        - np.arange(1, size + 1) / size
    )
    cells = np.unique(positions * len(COLOURS) + colours)
    return {
        "colour_tv": np.abs(counts - expected).sum() / len(colours) / 2,
        "colour_chi2": ((counts - expected) ** 2 / expected).sum(),
        "position_ks": distance.max(),
        "position_w1": distance.sum(),
        "coverage": len(cells) / (size * len(COLOURS)),
        "independence_colour_position": _cramer(colours, _bins(positions, size)),
    }


def _between_lines(scenes: np.ndarray, size: int) -> dict[str, float]:
    """How much the lines of one image depend on each other."""
    horizontal = scenes[:, 1:]
    # Each vertical line is paired with each of the two horizontal ones of its image.
    positions, colours = np.repeat(scenes[:, :1], 2, axis=1).reshape(-1, 2).T
    other_positions, other_colours = horizontal.reshape(-1, 2).T
    order = np.argsort(horizontal[..., 0], axis=1, kind="stable")
    upper, lower = np.take_along_axis(horizontal[..., 1], order, axis=1).T
    return {
        "independence_colours": _cramer(colours, other_colours),
        "independence_colours_horizontal": _cramer(upper, lower),
        "independence_positions": _cramer(_bins(positions, size), _bins(other_positions, size)),
    }


def _bins(positions: np.ndarray, size: int) -> np.ndarray:
    return positions * _BINS // size


def _cramer(a: np.ndarray, b: np.ndarray) -> float:
    """Cramér's V of two properties, given as small whole numbers; 0 if one of them is constant."""
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / len(a)
    degrees = min(table.shape) - 1
    if degrees == 0:
        return 0.0
    return float(np.sqrt(((table - expected) ** 2 / expected).sum() / len(a) / degrees))


def expected_coverage(lines: int, size: int) -> float:
    """Share of the M pairs of colour and position that n real lines hit: 1 − (1 − 1/M)ⁿ."""
    return 1 - (1 - 1 / (size * len(COLOURS))) ** lines


def as_array(scenes: list[Scene]) -> np.ndarray:
    """Scenes as int64 (n, 3, 2): position (the pixel that it snaps to) and colour of each line."""
    return np.array([[(int(line.position), line.colour) for line in scene] for scene in scenes])


def as_scene(row: np.ndarray) -> Scene:
    """The inverse of `as_array` for one scene, (3, 2)."""
    return tuple(
        Line(orientation, float(position), int(colour))
        for orientation, (position, colour) in zip(ORIENTATIONS, row, strict=True)
    )


def sample_scenes(n: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """n scenes drawn from the law, (n, 3, 2), see `as_array`."""
    highest = np.array([size, len(COLOURS)])
    return rng.integers(0, highest, (n, 3, 2))


def scene_hashes(scenes: np.ndarray, size: int, weight: int) -> np.ndarray:
    """A hash of each scene, equal for scenes that look equal except for their round caps.

    Where one horizontal line hides another, different scenes give the same picture. So the hash is
    computed from what is visible: the vertical line, and the colour of each row outside it. Two
    different pictures share a hash with a chance of 1 in 2⁶⁴.

    Args:
        scenes: (n, 3, 2), see `as_array`.
        size: of the images in pixels.
        weight: stroke weight in pixels.

    Returns:
        uint64 (n,).
    """
    rows = np.zeros((len(scenes), size), np.uint64)
    for line in (1, 2):
        position, colour = scenes[:, line].T
        covered = np.abs(np.arange(size) - position[:, None]) <= weight // 2
        rows = np.where(covered, colour[:, None].astype(np.uint64) + np.uint64(1), rows)
    position, colour = scenes[:, 0].T.astype(np.uint64)
    visible = np.column_stack([rows, position, colour])
    factors = np.random.default_rng(0).integers(1 << 64, size=visible.shape[1], dtype=np.uint64)
    return (visible * factors).sum(axis=1, dtype=np.uint64)  # modulo 2⁶⁴
