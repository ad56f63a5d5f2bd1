"""Loss history to `converge.png`."""

import os
import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from utils.files import replacing
from utils.messages import drawable
from utils.runs.gap import describe_lost, lost_chance
from utils.runs.state import CRITIC_SCORES

_LARGER = "Scores of the images: larger is better"
_SMALLER = "Scores of the images: smaller is better"

# What is true whatever the loss.
_EXPLAINED = {
    "Mean score by the critic": "Both curves may drift up or down together: only their distance "
    "matters.",
    "Gradient penalty G": "It bounds the critic's slopes. Unweighted; the axis is logarithmic.",
    _LARGER: "They measure the images themselves, so they tell more than any loss.",
    _SMALLER: "Each curve is divided by its largest value, which its label names.",
}

_GAP = "The critic's gap between real and generated images"
_GENERATOR = "Generator loss"
_WASSERSTEIN = {
    _GAP: "Faint: every epoch; strong: smoothed. "
    "This is the Wasserstein estimate. It rises while the critic learns to tell them apart, and "
    "falls as the generated images approach the data: a slow fall that levels off is good.",
    _GENERATOR: "The mean score of generated images, negated. It follows the critic and does not "
    "measure quality.",
}
_RELATIVISTIC = {
    _GAP: "Faint: every epoch; strong: smoothed. The gap has no unit and does not measure quality: "
    "it may rise while the images improve. Near 0 the critic no longer tells them apart.",
    _GENERATOR: "0.69 where the critic cannot tell a pair apart, larger where it can. It does not "
    "measure quality.",
}
_HELD_BACK = " Held-back images near generated ones: the critic knows the others by heart."
_CENTRES = {
    "one-centred": " In the reference training it falls and settles near 3.",
    "zero-centred": " Here it is the mean square of the slopes: small values are normal.",
}

_WIDTH = 4.8  # inches; one narrow column, which a telephone shows legibly
_DPI = 200
_PANEL = 1.6  # inches of height, without its texts
_LINE = 0.17  # inches, of an explanation
_TITLE = 0.22  # inches
_TICKS = 0.4  # inches below a panel
_LETTERS = 70  # of a line
_SMALL = 9  # points
_COLUMNS = 1000  # of the faint curves

_SMALLER_IS_BETTER = ("residual", "colour", "position", "swd", "duplicates")
"""First letters of the measures that should fall."""

_OUTSIDE = 1  # per cent of the values at each end that may lie outside a panel


def plot_convergence(
    path: str | os.PathLike, d_losses: list, g_losses: list, scores: list[dict], model: dict
) -> None:
    """Draws the losses and the scores of a run, and says above each panel how to read it.

    Args:
        path: the PNG to write.
        d_losses: rows [D, R, F, G], one per epoch, at least one.
        g_losses: generator losses, one per epoch.
        scores: rows of `metrics.csv`; each measure is a curve in one of two panels at the bottom.
            The critic's mean score of held-back images stands beside those of its losses.
        model: the section of `params.json`, which knows the loss; what it lacks is the reference's.
    """
    texts = _texts(scores, model)
    lost = lost_chance(np.array(d_losses), len(d_losses), model)
    notice = textwrap.wrap(f"Now {describe_lost(lost)}", _LETTERS) if lost is not None else []
    figure, axes = _panels(texts, notice)
    _draw_losses(axes, d_losses, g_losses, scores)
    if model.get("loss") == "relativistic":
        axes[_GENERATOR].axhline(np.log(2), color="grey", linewidth=0.8, linestyle=":")
    if scores:
        _draw_scores(axes[_LARGER], axes[_SMALLER], scores)
    for axis in axes.values():
        axis.grid(alpha=0.25)
        axis.set_xlim(0, max(1, len(d_losses) - 1))
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if axis.lines:
            axis.legend(loc="best", fontsize=_SMALL - 0.5, framealpha=0.7, edgecolor="none")
    axis.set_xlabel("epoch (one generator update)", fontsize=_SMALL)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=_DPI)


def _texts(scores, model):
    """The panels by their titles, from the top, each with the lines that explain it."""
    relativistic = model.get("loss") == "relativistic"
    texts = _EXPLAINED | (_RELATIVISTIC if relativistic else _WASSERSTEIN)
    if scores and CRITIC_SCORES[1] in scores[0]:
        texts["Mean score by the critic"] += _HELD_BACK
    texts["Gradient penalty G"] += _CENTRES[model.get("penalty") or "one-centred"]
    order = [_GAP, "Mean score by the critic", "Gradient penalty G", _GENERATOR]
    order += [_LARGER, _SMALLER] if scores else []
    return {title: textwrap.wrap(texts[title], _LETTERS) for title in order}


def _panels(texts, notice):
    """A figure with a panel below each of the texts, and the panels by title."""
    lines = sum(map(len, texts.values())) + len(notice)
    height = 0.25 + lines * _LINE + len(texts) * (_TITLE + 0.06 + _PANEL + _TICKS)
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    # Fixed places: Matplotlib's layouts that fit themselves draw everything twice.
    left, width = 0.65 / _WIDTH, 1 - 0.8 / _WIDTH
    y = height - 0.08

    def write(text, size, **style):
        figure.text(0.1 / _WIDTH, y / height, text, fontsize=size, va="top", **style)

    for line in notice:
        write(line, _SMALL, color="#b92113", weight="bold")
        y -= _LINE
    axes = {}
    for title, explained in texts.items():
        write(title, 10.5, weight="bold")
        y -= _TITLE
        for line in explained:
            write(line, _SMALL, color="#444444")
            y -= _LINE
        y -= 0.06 + _PANEL
        axes[title] = figure.add_axes((left, y / height, width, _PANEL / height))
        axes[title].tick_params(labelsize=_SMALL - 0.5)
        y -= _TICKS
    return figure, axes


def _draw_losses(axes, d_losses: list, g_losses: list, scores: list[dict]) -> None:
    _, real, fake, penalty = np.array(d_losses).T
    gap, means, slopes, generator = (
        axes[title]
        for title in (_GAP, "Mean score by the critic", "Gradient penalty G", _GENERATOR)
    )
    _curves(gap, {"real − generated  −(R + F)": (-(real + fake), "#2b6cb0")})
    values = {"real images  −R": (-real, "#2f855a"), "generated images  F": (fake, "#c05621")}
    _curves(means, values)
    held_back = CRITIC_SCORES[1]
    if scores and held_back in scores[0]:
        values = [[row[name] for row in scores] for name in ("epoch", held_back)]
        means.plot(*values, color="#2b6cb0", marker=".", label="held-back images")
    slopes.set_yscale("log")
    slopes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    slopes.yaxis.set_major_formatter("{x:g}")
    slopes.yaxis.set_minor_formatter(NullFormatter())
    _curves(slopes, {"gradient penalty  G": (penalty, "#6b46c1")})
    _curves(generator, {"generator loss": (np.array(g_losses), "#b83280")})


def _draw_scores(larger, smaller, rows: list[dict]) -> None:
    """Measures that should rise in one panel; in the other, divided by their largest, the rest."""
    epochs = [row["epoch"] for row in rows]
    for name in (name for name in rows[0] if name not in ("epoch", *CRITIC_SCORES)):
        values = np.array([row[name] for row in rows])
        falls = name.startswith(_SMALLER_IS_BETTER)
        largest = np.abs(values).max()
        label = drawable(f"{name} (1 = {largest:.3g})" if falls else name)
        scale = largest if falls and largest else 1
        axis = smaller if falls else larger
        axis.plot(epochs, values / scale, marker=".", label=label)
    for axis in (larger, smaller):
        axis.set_ylim(0, 1.1 * axis.dataLim.y1 if axis.dataLim.y1 > 0 else 1)


def _curves(axis, curves: dict) -> None:
    """Draws curves, (values, colour) by label, within `robust_limits` of all of them."""
    for label, (values, colour) in curves.items():
        axis.plot(*_outline(values), color=colour, alpha=0.2, linewidth=0.8)
        strong = _every(smoothed(values))
        axis.plot(*strong, color=colour, linewidth=1.8, label=label)
    every = [values for values, _ in curves.values()]
    limits = robust_limits(every, log=axis.get_yscale() == "log")
    if limits:
        axis.set_ylim(*limits)
        low, high = (end(np.concatenate(every)) for end in (np.min, np.max))
        if low < limits[0] or high > limits[1]:
            axis.plot([], [], " ", label=f"all values: {low + 0.0:.3g} to {high:.3g}")


def _outline(values):
    """Epochs and values of a curve that looks like all of them: extremes, where they are many."""
    step = len(values) // _COLUMNS
    if step < 2:
        return np.arange(len(values)), values
    whole = values[: len(values) // step * step].reshape(-1, step)
    ends = np.stack([whole.min(axis=1), whole.max(axis=1)], axis=1).ravel()
    return np.arange(len(ends)) * step / 2, ends


def _every(values):
    """Epochs and values of a smooth curve, some of them left out where they are many."""
    epochs = np.unique(
        np.append(np.arange(0, len(values), 1 + len(values) // 4000), -1) % len(values)
    )
    return epochs, values[epochs]


def robust_limits(every: list[np.ndarray], log: bool = False) -> tuple[float, float] | None:
    """Limits of an axis that a few extreme values do not stretch.

    Between them lie all values but the highest and the lowest hundredth of each curve, the mean of
    its last fortieth, and some space.

    Args:
        every: the values of each curve, (n,).
        log: for a logarithmic axis: only positive values count.

    Returns:
        (lower, upper); None where there is nothing to show, which leaves the axis to Matplotlib.
    """
    low, high = [], []
    for values in every:
        shown = np.append(values, values[-1 - len(values) // 40 :].mean())
        shown = np.log10(shown[shown > 0]) if log else shown
        if len(shown):
            ends = np.percentile(shown[:-1], (_OUTSIDE, 100 - _OUTSIDE))
            low.append(min(ends[0], shown[-1]))
            high.append(max(ends[1], shown[-1]))
    if not low:
        return None
    lower, upper = min(low), max(high)
    space = 0.08 * (upper - lower) or 0.05 * (1 if log else abs(upper) or 1)
    lower, upper = lower - space, upper + space
    return (10**lower, 10**upper) if log else (lower, upper)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Values (n,), each the mean over about a fortieth of the run, narrower at both ends."""
    half = len(values) // 80
    sums = np.concatenate([[0.0], np.cumsum(values)])
    i = np.arange(len(values))
    reach = np.minimum(half, np.minimum(i, len(values) - 1 - i))
    return (sums[i + reach + 1] - sums[i - reach]) / (2 * reach + 1)
