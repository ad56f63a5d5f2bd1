"""Two runs side by side as a picture: samples of the same epoch, curves, parameters."""

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from utils.files import replacing
from utils.messages import one_line
from utils.runs import state
from utils.runs.curves import smoothed
from utils.runs.params import read_params

_COLOURS = ("#2b6cb0", "#c05621")
_WIDTH = 12  # inches
_TALLEST = 3  # of a sample, in its widths
_LONGEST = 48  # letters of a parameter
_DIVERSITY = "diversity_ratio"
_EMPTY = np.full((1, 6, 3), 255, np.uint8)


def compare(a: str | os.PathLike, b: str | os.PathLike, path: str | os.PathLike) -> None:
    """Writes the picture of two runs, of which anything may be missing.

    It shows the samples of the last epoch that both were sampled after, which are images of the
    same seeds, and the last samples of each; losses and scores over each other; and the parameters
    that differ.

    Args:
        a, b: run folders.
        path: the PNG to write.

    Raises:
        OSError: it cannot be written.
    """
    folders = (Path(a), Path(b))
    names = [_plain(folder.resolve().name) for folder in folders]
    changes = [tuple(map(_plain, row)) for row in differences(*folders)]
    charts = _charts(folders)
    samples = [
        [_sample(folder, epoch) for folder, epoch in zip(folders, epochs, strict=True)]
        for epochs in (common_epochs(*folders), _last_epochs(*folders))
    ]
    heights = [max(image.shape[0] / image.shape[1] for image, _ in row) for row in samples]
    heights = [_WIDTH / 2 * min(height, _TALLEST) + 0.5 for height in heights]
    heights += [3] * -(-len(charts) // 2) + [0.2 * len(changes) + 0.6]
    figure = Figure(figsize=(_WIDTH, sum(heights)), layout="constrained")
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    for place in np.ndindex(2, 2):
        image, words = samples[place[0]][place[1]]
        axis = figure.add_subplot(grid[place])
        axis.set_axis_off()
        axis.imshow(image)
        axis.set_title(f"{names[place[1]]}\n{words}", color=_COLOURS[place[1]])
    for place, (title, curves) in enumerate(charts.items()):
        _draw_chart(figure.add_subplot(grid[2 + place // 2, place % 2]), title, curves, names)
    _write_differences(figure.add_subplot(grid[-1, :]), changes, names)
    with replacing(path) as beside:
        figure.savefig(beside, dpi=120)


def common_epochs(a: Path, b: Path) -> tuple[int | None, int | None]:
    """The last epoch that both runs were sampled after, twice; None where there is none."""
    both = {epoch for epoch, _ in state.samples(a)} & {e for e, _ in state.samples(b)}
    return (max(both, default=None),) * 2


def _last_epochs(*folders):
    return [max((epoch for epoch, _ in state.samples(f)), default=None) for f in folders]


def differences(a: Path, b: Path) -> list[tuple[str, str, str]]:
    """The entries of `params.json` that differ: name, value of one, value of the other."""
    flat = [
        {name: value for section in read_params(folder).values() for name, value in section.items()}
        for folder in (a, b)
    ]
    names = [*flat[0], *(name for name in flat[1] if name not in flat[0])]
    return [
        (one_line(name, _LONGEST), *(one_line(p.get(name, "–"), _LONGEST) for p in flat))
        for name in names
        if flat[0].get(name) != flat[1].get(name)
    ]


def _sample(folder, epoch):
    """The picture of an epoch, uint8 (H, W, 3), and words on it; white where there is none."""
    paths = dict(state.samples(folder))
    if epoch is None:
        return _EMPTY, "no samples of the same epoch" if paths else "no samples"
    try:
        with Image.open(paths[epoch]) as picture:
            return np.asarray(picture.convert("RGB")), f"after epoch {epoch}"
    except (OSError, ValueError, Image.DecompressionBombError):
        return _EMPTY, f"{paths[epoch].name} is damaged"


def _charts(folders):
    """For each chart its title and the curves of both runs, each (epochs, values) or None."""
    charts = {}
    for title, needed, value in (
        ("Wasserstein estimate −(R + F)", {"real", "fake"}, lambda at: -(at["real"] + at["fake"])),
        ("Gradient penalty G", {"penalty"}, lambda at: at["penalty"]),
    ):
        losses = [state.read_losses(folder) for folder in folders]
        charts[title] = [
            (at["epoch"], smoothed(value(at))) if needed | {"epoch"} <= at.keys() else None
            for at in losses
        ]
    scores = [state.scores(folder) for folder in folders]
    measured = [rows[0] if rows else {} for rows in scores]
    names = dict.fromkeys(
        name for row in measured for name in (*state.ranked(row), _DIVERSITY) if name in row
    )
    for name in names:
        charts[name] = [
            ([row["epoch"] for row in rows], [row[name] for row in rows]) if name in first else None
            for first, rows in zip(measured, scores, strict=True)
        ]
    return charts


def _draw_chart(axis, title, curves, names):
    axis.set_title(title)
    axis.set_xlabel("epoch")
    axis.grid(alpha=0.25)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    for found, name, colour in zip(curves, names, _COLOURS, strict=True):
        if found:
            axis.plot(*found, color=colour, label=name)
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
        for place, words, colour in zip((0, 0.34, 0.68), row, ("black", *_COLOURS), strict=False):
            y = 1 - (line + 0.5) / len(rows)
            weight = "bold" if line == 0 else "normal"
            axis.text(place, y, words, color=colour, weight=weight, fontsize=9, va="center")


def _plain(words):
    """Words in which Matplotlib sees no formula."""
    return words.replace("$", r"\$")
