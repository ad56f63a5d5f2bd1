"""Shows an `Evaluation`: a table of text, a JSON file, and `report.png`."""

import json
import os
import textwrap

import numpy as np
from matplotlib.figure import Figure

from utils.files import replacing
from utils.images import to_picture
from utils.messages import drawable
from utils.quality.evaluation import Evaluation
from utils.quality.words import in_digits, sentences, words

_COLUMNS = 110  # letters of a line of sentences in the report
_LINE = 0.165  # inches of a line of the table
_COLOUR, _LAW = "#2b6cb0", "#c05621"  # of the images judged, and of what the law expects


def figures_table(evaluation: Evaluation) -> str:
    """Two lines per measure: its value, that of real images, their band, its control; its words.

    A star marks a value outside the band of real images.
    """
    rows = [("", "images", "real", "95 % of real", "control")]
    for name, value in evaluation.measures.items():
        star = " " if evaluation.within(name) else "*"
        band = f"{in_digits(evaluation.low[name])} … {in_digits(evaluation.high[name])}"
        control = f"{in_digits(evaluation.control[name])} {evaluation.controls[name]}"
        rows.append(
            (name, in_digits(value) + star, in_digits(evaluation.real[name]), band, control)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for name, value, real, band, control in rows:
        columns = f"{value:>{widths[1]}}  {real:>{widths[2]}}  {band:>{widths[3]}}  {control}"
        lines.append(f"{name:<{widths[0]}}  {columns}")
        if words(name):
            lines.append(f"    {words(name)}")
    outside = sum(not evaluation.within(name) for name in evaluation.measures)
    lines.append(f"* outside the band of real images: {outside} of {len(rows) - 1} measures")
    return "\n".join(lines)


def write_json(path: str | os.PathLike, evaluation: Evaluation, **about: object) -> None:
    """Writes the figures as JSON.

    The top level holds `about`, `size`, `count` and every measure by its name; `real`, `low`,
    `high` and `control` hold the same names. A value that is NaN or infinite becomes null.
    """
    content = {**about, "size": evaluation.size, "count": evaluation.count}
    content |= _jsonable(evaluation.measures)
    for name in ("real", "low", "high", "control"):
        content[name] = _jsonable(getattr(evaluation, name))
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _jsonable(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in figures.items()}


def draw_report(path: str | os.PathLike, evaluation: Evaluation, title: str) -> None:
    """Draws an evaluation as one PNG: sentences, pictures, histograms, and the table."""
    histograms = list(evaluation.histograms.items())
    rows = _example_rows(evaluation.examples)
    table = figures_table(evaluation)
    heights = [1.2] + [1.5] * (len(rows) + 1) + ([1.5, 2.4] if evaluation.projected else [])
    heights += [2.4] * (len(histograms) // 2) + [_LINE * (table.count("\n") + 3)]
    figure = Figure(figsize=(13, sum(heights) + 0.5), layout="constrained")
    figure.suptitle(drawable(title))  # it may be a path with dollars in it
    parts = iter(figure.subfigures(len(heights), 1, height_ratios=heights))
    lines = [line for text in sentences(evaluation) for line in textwrap.wrap(text, _COLUMNS)]
    _text(next(parts), "\n".join(lines), fontsize=14)
    for row in rows:
        _pairs(next(parts), row, "share of pixels not explained, image, what explains it")
    neighbours = [(f"{distance:.0f} of 255", a, b) for a, b, distance in evaluation.neighbours]
    _pairs(next(parts), neighbours, "distance, image, nearest training image")
    if evaluation.projected:
        title = "error, real image, closest image of the generator"
        _pairs(next(parts), evaluation.projections, title)
        _error_curves(next(parts).subplots(), evaluation.projected)
    for i in range(0, len(histograms), 2):
        for axis, (name, bars) in zip(
            next(parts).subplots(1, 2), histograms[i : i + 2], strict=True
        ):
            _histogram(axis, name, *bars)
    _text(next(parts), table, family="monospace", fontsize=9)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)


def _text(part, text, **options):
    axis = part.subplots()
    axis.axis("off")
    axis.text(0, 1, text, va="top", **options)


def _example_rows(examples):
    """The examples in three rows, best, median and worst; no row without examples."""
    each = len(examples) // 3
    return [examples[i : i + each] for i in range(0, len(examples), each)] if each else []


def _histogram(axis, title, labels, counts):
    """Bars, the uniform law, and the band in which 95 of 100 bars of real images lie."""
    total, share = counts.sum(), 1 / len(counts)
    expected = total * share
    spread = 1.96 * np.sqrt(total * share * (1 - share))
    axis.bar(range(len(counts)), counts, width=0.9, color=_COLOUR)
    axis.axhspan(expected - spread, expected + spread, color=_LAW, alpha=0.2)
    axis.axhline(expected, color=_LAW, label="law, and 95 % of real images")
    axis.set_title(title)
    axis.set_ylabel("lines")
    axis.set_ylim(0, 1.35 * max(counts.max(), expected + spread))  # room for the legend
    if len(labels) <= 16:
        axis.set_xticks(range(len(labels)), labels)
    else:
        axis.set_xlabel("pixels")
    axis.legend(frameon=False, loc="upper right")


def _error_curves(axis, projected):
    """For each kind of images, the share that the generator draws with at most a given error."""
    for (kind, errors), colour in zip(projected.items(), (_COLOUR, _LAW, "grey"), strict=True):
        axis.ecdf(errors, label=kind, color=colour)
    axis.set_title("how close the generator comes to images")
    axis.set_xlabel("mean absolute error, of 255")
    axis.set_ylabel("share")
    axis.legend(frameon=False, loc="lower right")


def _pairs(part, examples, title):
    """A row of (caption, image, other image), the two images side by side under the caption."""
    part.suptitle(title, fontsize=9, x=0.01, ha="left")
    axes = part.subplots(1, max(1, len(examples)), squeeze=False)[0]
    for axis, (caption, image, other) in zip(axes, examples, strict=False):
        gap = np.full_like(image[:, :4], 128)
        pair = np.concatenate([image, gap, other], axis=1)
        axis.imshow(to_picture(pair), cmap="gray", interpolation="nearest")
        axis.set_title(caption, fontsize=9)
        axis.axis("off")
