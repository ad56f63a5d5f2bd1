"""An `Evaluation` for people: a table of text, a JSON file, and `report.png`."""

import json
import os

import numpy as np
from matplotlib.figure import Figure

from utils.files import replacing
from utils.images import to_picture
from utils.quality.evaluation import Evaluation

_COLOUR, _LAW = "#2b6cb0", "#c05621"


def figures_table(evaluation: Evaluation) -> str:
    """One line per measure: its value, real images, their band, and the control it must notice.

    A star stands where the value lies outside the band of real images.
    """
    rows = [("", "images", "real", "95 % of real", "control")]
    for name, value in evaluation.measures.items():
        mark = " " if evaluation.within(name) else "*"
        band = f"{_figure(evaluation.low[name])} … {_figure(evaluation.high[name])}"
        control = f"{_figure(evaluation.control[name])} {evaluation.controls[name]}"
        rows.append((name, _figure(value) + mark, _figure(evaluation.real[name]), band, control))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {real:>{widths[2]}}  {band:>{widths[3]}}  "
        f"{control}"
        for name, value, real, band, control in rows
    ]
    outside = sum(not evaluation.within(name) for name in evaluation.measures)
    lines.append(f"* outside the band of real images: {outside} of {len(rows) - 1} measures")
    return "\n".join(lines)


def write_json(path: str | os.PathLike, evaluation: Evaluation, **about: object) -> None:
    """Writes the figures for programs.

    Every measure stands by its name at the top, beside `count` and what `about` says; `real`,
    `low`, `high` and `control` hold the same names. A figure that cannot be told is null.
    """
    content = {**about, "count": evaluation.count, **_jsonable(evaluation.measures)}
    for name in ("real", "low", "high", "control"):
        content[name] = _jsonable(getattr(evaluation, name))
    with replacing(path) as beside:
        beside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _jsonable(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in figures.items()}


def draw_report(path: str | os.PathLike, evaluation: Evaluation, title: str) -> None:
    """Writes the figures, the histograms and the pictures of an evaluation as one PNG."""
    examples, neighbours = evaluation.examples, evaluation.neighbours
    rows = 3 if examples else 0
    heights = [0.165 * (len(evaluation.measures) + 3)]
    heights += [2.4] * (len(evaluation.histograms) // 2) + [1.5] * (rows + 1)
    heights += [2.4, 1.5] if evaluation.projected else []
    figure = Figure(figsize=(13, sum(heights) + 0.5), layout="constrained")
    figure.suptitle(title, parse_math=False)  # it may be a path with dollars in it
    parts = iter(figure.subfigures(len(heights), 1, height_ratios=heights))
    words = next(parts).subplots()
    words.axis("off")
    words.text(0, 1, figures_table(evaluation), family="monospace", fontsize=9, va="top")
    titles = list(evaluation.histograms)
    for i in range(0, len(titles), 2):
        for axis, name in zip(next(parts).subplots(1, 2), titles[i : i + 2], strict=True):
            _histogram(axis, name, *evaluation.histograms[name])
    for i in range(rows):
        chosen = examples[i * len(examples) // rows : (i + 1) * len(examples) // rows]
        _pairs(next(parts), chosen, "unexplained, image, what explains it")
    captions = [(f"{distance:.0f} of 255", a, b) for a, b, distance in neighbours]
    _pairs(next(parts), captions, "distance, image, nearest training image")
    if evaluation.projected:
        _curves(next(parts).subplots(), evaluation.projected)
        _pairs(next(parts), evaluation.projections, "error, real image, nearest of the generator")
    with replacing(path) as beside:
        figure.savefig(beside, dpi=100)


def _histogram(axis, title, labels, counts):
    """Bars beside the uniform law and the band that 95 of 100 real bars keep to."""
    total, share = counts.sum(), 1 / len(counts)
    expected = total * share
    spread = 1.96 * np.sqrt(total * share * (1 - share))
    axis.bar(range(len(counts)), counts, width=0.9, color=_COLOUR)
    axis.axhspan(expected - spread, expected + spread, color=_LAW, alpha=0.2)
    axis.axhline(expected, color=_LAW, label="law, and 95 % of real images")
    axis.set_title(title)
    axis.set_ylabel("lines")
    axis.set_ylim(0, 1.35 * max(counts.max(), expected + spread))  # with room for the legend
    if len(labels) <= 16:
        axis.set_xticks(range(len(labels)), labels)
    else:
        axis.set_xlabel("pixels")
    axis.legend(frameon=False, loc="upper right")


def _curves(axis, projected):
    """Of each kind of images, the share that the generator draws with no more than some error."""
    for (kind, errors), colour in zip(projected.items(), (_COLOUR, _LAW, "grey"), strict=True):
        axis.ecdf(errors, label=kind, color=colour)
    axis.set_title("images by how near the generator comes to them")
    axis.set_xlabel("mean absolute error of 255")
    axis.set_ylabel("share")
    axis.legend(frameon=False, loc="lower right")


def _pairs(part, examples, title):
    """Images beside others, each pair under its caption."""
    part.suptitle(title, fontsize=9, x=0.01, ha="left")
    axes = part.subplots(1, max(1, len(examples)), squeeze=False)[0]
    for axis, (caption, image, beside) in zip(axes, examples, strict=False):
        gap = np.full_like(image[:, :4], 128)
        together = np.concatenate([image, gap, beside], axis=1)
        axis.imshow(to_picture(together), cmap="gray", interpolation="nearest")
        axis.set_title(caption, fontsize=9)
        axis.axis("off")


def _figure(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4g}" if value >= 10 else f"{value:.4f}"
