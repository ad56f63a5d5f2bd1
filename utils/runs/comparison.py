"""Two runs side by side as a picture: samples of the same epoch, curves, parameters."""

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from utils.files import replacing
from utils.messages import drawable, one_line
from utils.runs.curves import robust_limits, smoothed
from utils.runs.folder import find_samples
from utils.runs.params import read_params
from utils.runs.state import ranking, read_losses, shown_scores
from utils.sources import open_picture

_COLOURS = ("#2b6cb0", "#c05621")
_WIDTH = 12  # inches
_MAX_HEIGHT = 3  # of a sample, in units of its width
_MAX_LETTERS = 48  # of a parameter's name or value
_DIVERSITY = "diversity_ratio"
_WHITE = np.full((1, 6, 3), 255, np.uint8)


def compare(a: str | os.PathLike, b: str | os.PathLike, path: str | os.PathLike) -> None:
    """Writes a picture that compares two runs; either may lack any of its files.

    From the top: the samples of the last epoch that both runs sampled, images of the same seeds;
    the last samples of each run; losses and scores of both as curves; the parameters that differ.

    Args:
        a, b: run folders.
        path: the PNG to write.

    Raises:
        OSError: it cannot be written.
    """
    folders = (Path(a), Path(b))
    names = [drawable(folder.resolve().name) for folder in folders]
    changes = [tuple(map(drawable, row)) for row in differences(*folders)]
    charts = _charts(folders)
    samples = [
        [_sample(folder, epoch) for folder, epoch in zip(folders, epochs, strict=True)]
        for epochs in (common_epochs(*folders), _last_epochs(*folders))
    ]
    heights = [max(image.shape[0] / image.shape[1] for image, _ in row) for row in samples]
    heights = [_WIDTH / 2 * min(height, _MAX_HEIGHT) + 0.5 for height in heights]
    heights += [3] * -(-len(charts) // 2) + [0.2 * len(changes) + 0.6]
    figure = Figure(figsize=(_WIDTH, sum(heights)), layout="constrained")
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    for row, column in np.ndindex(2, 2):
        image, caption = samples[row][column]
        axis = figure.add_subplot(grid[row, column])
        axis.set_axis_off()
        axis.imshow(image)
        axis.set_title(f"{names[column]}\n{caption}", color=_COLOURS[column])
    for i, (title, curves) in enumerate(charts.items()):
        _draw_chart(figure.add_subplot(grid[2 + i // 2, i % 2]), title, curves, names)
    _write_differences(figure.add_subplot(grid[-1, :]), changes, names)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)


def common_epochs(a: Path, b: Path) -> tuple[int | None, int | None]:
    """The last epoch that both runs sampled, twice; None without one."""
    common = {epoch for epoch, _ in find_samples(a)} & {epoch for epoch, _ in find_samples(b)}
    return (max(common, default=None),) * 2


def _last_epochs(*folders):
    return [max((epoch for epoch, _ in find_samples(f)), default=None) for f in folders]


def differences(a: Path, b: Path) -> list[tuple[str, str, str]]:
    """The entries of `params.json` that differ: name, value in a, value in b; `–` if missing."""
    flat = [
        {name: value for section in read_params(folder).values() for name, value in section.items()}
        for folder in (a, b)
    ]
    names = [*flat[0], *(name for name in flat[1] if name not in flat[0])]
    return [
        (one_line(name, _MAX_LETTERS), *(one_line(p.get(name, "–"), _MAX_LETTERS) for p in flat))
        for name in names
        if flat[0].get(name) != flat[1].get(name)
    ]


def _sample(folder, epoch):
    """The samples of an epoch, uint8 (H, W, 3), and a caption; white without a readable file."""
    paths = dict(find_samples(folder))
    if epoch is None:
        return _WHITE, "no samples of the same epoch" if paths else "no samples"
    try:
        with open_picture(paths[epoch], ("PNG",)) as picture:
            return np.asarray(picture.convert("RGB")), f"after epoch {epoch}"
    except (OSError, ValueError, Image.DecompressionBombError):
        return _WHITE, f"{paths[epoch].name} is damaged"


def _charts(folders):
    """The curves of both runs by the title of their chart, each (epochs, values) or None."""
    charts = {}
    for title, columns, value in (
        (
            "Critic's gap: real − generated, −(R + F)",
            {"real", "fake"},
            lambda of: -(of["real"] + of["fake"]),
        ),
        ("Gradient penalty G", {"penalty"}, lambda of: of["penalty"]),
    ):
        charts[title] = [
            (losses["epoch"], smoothed(value(losses)))
            if columns | {"epoch"} <= losses.keys()
            else None
            for losses in map(read_losses, folders)
        ]
    scores = [shown_scores(folder) for folder in folders]
    first_rows = [rows[0] if rows else {} for rows in scores]
    names = dict.fromkeys(
        name for row in first_rows for name in (*ranking(row), _DIVERSITY) if name in row
    )
    for name in names:
        charts[name] = [
            ([row["epoch"] for row in rows], [row[name] for row in rows]) if name in first else None
            for first, rows in zip(first_rows, scores, strict=True)
        ]
    return charts


def _draw_chart(axis, title, curves, names):
    axis.set_title(drawable(title))
    axis.set_xlabel("epoch")
    axis.grid(alpha=0.25)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    for curve, name, colour in zip(curves, names, _COLOURS, strict=True):
        if curve:
            axis.plot(*curve, color=colour, label=name)
    limits = robust_limits([np.asarray(curve[1]) for curve in curves if curve])
    if limits:
        axis.set_ylim(*limits)
    if any(curves):
        axis.legend(loc="best", frameon=False)
    else:
        axis.text(0.5, 0.5, "no losses", transform=axis.transAxes, ha="center", va="center")


def _write_differences(axis, changes, names):
    axis.set_axis_off()
    rows = (
        [("parameters that differ", *names), *changes] if changes else [("no parameter differs",)]
    )
    for line, row in enumerate(rows):
        for x, text, colour in zip((0, 0.34, 0.68), row, ("black", *_COLOURS), strict=False):
            y = 1 - (line + 0.5) / len(rows)
            weight = "bold" if line == 0 else "normal"
            axis.text(x, y, text, color=colour, weight=weight, fontsize=9, va="center")
