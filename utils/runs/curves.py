"""Loss history to `converge.png`."""

import os
import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from utils.files import replacing
from utils.messages import drawable
from utils.runs.state import CRITIC_SCORES

_CAPTION = """\
How to read it. The critic gives real images high scores and generated images low ones. The
Wasserstein estimate is the difference. It rises while the critic learns to tell them apart, and
falls as the generated images approach the data: a slow fall that levels off is good. Both scores
may drift up or down together; only their difference matters. Held-back images, where there are any,
should score like real ones: near generated ones, the critic knows the others by heart. The gradient
penalty bounds the critic's slope and should settle well below 1. The generator loss follows the
critic's scores and does not measure quality; the scores at the bottom, if there are any, do. Faint:
every epoch. Strong: smoothed."""

_WIDTH = 12  # inches
_CAPTION_HEIGHT = 1.6  # inches, with the labels of the axes above it

_SMALLER_IS_BETTER = ("residual", "colour", "position", "swd", "duplicates")
"""First letters of the measures that should fall."""


def plot_convergence(
    path: str | os.PathLike, d_losses: list, g_losses: list, scores: list[dict] = ()
) -> None:
    """Draws the losses and the scores of a run, and explains below how to read them.

    Args:
        path: the PNG to write.
        d_losses: rows [D, R, F, G], one per epoch.
        g_losses: generator losses, one per epoch.
        scores: rows of `metrics.csv`; each measure is a curve in one of two panels at the bottom.
            The critic's mean score of held-back images stands beside those of its losses.
    """
    height = 12 if scores else 9
    figure = Figure(figsize=(_WIDTH, height))
    # Fixed margins: Matplotlib's layouts that fit themselves draw everything twice.
    margins = {"left": 0.8 / _WIDTH, "right": 1 - 0.2 / _WIDTH, "top": 1 - 0.4 / height}
    figure.subplots_adjust(**margins, bottom=_CAPTION_HEIGHT / height, wspace=0.17, hspace=0.15)
    axes = figure.subplots(3 if scores else 2, 2, sharex=True).ravel()
    _draw_losses(axes[:4], d_losses, g_losses, scores)
    if scores:
        _draw_scores(axes[4:], scores)
    for axis in axes[-2:]:
        axis.set_xlabel("epoch (one generator update)")
    caption = textwrap.fill(" ".join(_CAPTION.split()), 160)
    figure.text(0.1 / _WIDTH, 0.1 / height, caption, fontsize=10, va="bottom")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)


def _draw_losses(axes, d_losses: list, g_losses: list, scores: list[dict]) -> None:
    _, real, fake, penalty = np.array(d_losses).T
    _curve(axes[0], -(real + fake), "#2b6cb0", "Wasserstein estimate  −(R + F)")
    axes[0].set_title("How far the generated images are from the real ones")
    _curve(axes[1], -real, "#2f855a", "real images  −R")
    _curve(axes[1], fake, "#c05621", "generated images  F")
    held_back = CRITIC_SCORES[1]
    if scores and held_back in scores[0]:
        values = [[row[name] for row in scores] for name in ("epoch", held_back)]
        axes[1].plot(*values, color="#2b6cb0", marker=".", label="held-back images")
    axes[1].set_title("Mean score by the critic")
    _curve(axes[2], penalty, "#6b46c1", "gradient penalty  G (unweighted)")
    axes[2].set_yscale("log")
    axes[2].set_title("Gradient penalty")
    _curve(axes[3], np.array(g_losses), "#b83280", "generator loss")
    axes[3].set_title("Generator loss")
    for axis, unit in zip(axes, ("score", "score", "penalty, log scale", "loss"), strict=True):
        axis.set_ylabel(unit)
        axis.legend(loc="best", frameon=False)
        axis.grid(alpha=0.25)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_scores(axes, rows: list[dict]) -> None:
    """Measures that should rise on the left; on the right, divided by their largest, the others."""
    epochs = [row["epoch"] for row in rows]
    for name in (name for name in rows[0] if name not in ("epoch", *CRITIC_SCORES)):
        values = np.array([row[name] for row in rows])
        right = name.startswith(_SMALLER_IS_BETTER)
        largest = np.abs(values).max()
        label = drawable(f"{name} (1 = {largest:.3g})" if right else name)
        scale = largest if right and largest else 1
        axes[int(right)].plot(epochs, values / scale, marker=".", label=label)
    titles = ("Scores: larger is better", "Scores: smaller is better")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.25)
        if axis.lines:
            axis.legend(loc="best", frameon=False, fontsize=8)


def _curve(axis, values: np.ndarray, colour: str, label: str) -> None:
    epochs = np.arange(len(values))
    axis.plot(epochs, values, color=colour, alpha=0.2, linewidth=0.8)
    axis.plot(epochs, smoothed(values), color=colour, linewidth=1.8, label=label)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Values (n,), each the mean over about a fortieth of the run, narrower at both ends."""
    half = len(values) // 80
    sums = np.concatenate([[0.0], np.cumsum(values)])
    i = np.arange(len(values))
    reach = np.minimum(half, np.minimum(i, len(values) - 1 - i))
    return (sums[i + reach + 1] - sums[i - reach]) / (2 * reach + 1)
