"""The report on prepared pictures: one HTML file that loads nothing and has no script."""

import base64
import colorsys
import html
import io
import re
import string
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from utils.images import evenly_spread, grid, to_picture
from utils.messages import one_line
from utils.prepare.findings import (
    Findings,
    advice,
    left_out_counts,
    next_command,
    source_counts,
    training_time,
    zip_contents,
)
from utils.sources import open_picture

_TEMPLATE = Path(__file__).with_name("page.html")
_SHEET, _COLUMNS = 120, 12  # squares on the contact sheet, at most, and in a row
_CELL = 96  # pixels of a square there, at most
_PAIRS = 24
_SWATCHES = 300
_LISTED = 500  # names in the lists of duplicates and of skipped files
_SIDES = (32, 64, 128, 256, 512, 1024, 2048, 4096)


def report_html(findings: Findings, archive: zipfile.ZipFile) -> str:
    """The HTML of the report: `page.html` with its placeholders filled.

    Args:
        findings: what the report says.
        archive: the zip that was written; the report shows its squares.
    """
    f = findings
    sheet_caption, sheet = _contact_sheet(f, archive)
    sides, common_sizes = _sizes(f)
    swatches, greys, lightness = _colours(f)
    return string.Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(one_line(f.out)),
        summary=html.escape(_summary(f)),
        advice=_list(advice(f)),
        command=html.escape(one_line(next_command(f))),
        time=html.escape(training_time(f)),
        sheet_caption=sheet_caption,
        sheet=sheet,
        unreadable=f"<h2>Not readable</h2>\n{_table(f.unreadable)}" if f.unreadable else "",
        near_duplicates=_near_duplicates(f, archive),
        sides=sides,
        common_sizes=common_sizes,
        swatches=swatches,
        greys=greys,
        lightness=lightness,
        duplicates=_folded("Duplicates", f.duplicates, "the same as "),
        skipped=_folded("Not pictures", f.skipped),
    )


def _summary(findings):
    text = f"{zip_contents(findings)}, from {one_line(findings.source)}: {source_counts(findings)}."
    left_out = left_out_counts(findings)
    return f"{text} Left out: {', '.join(left_out)}." if left_out else text


def _list(sentences):
    escaped = "".join(f"<li>{html.escape(sentence)}</li>\n" for sentence in sentences)
    items = re.sub(r"(?<![\w-])--[a-z-]+", r"<code>\g<0></code>", escaped)  # of command lines
    return f"<ul>\n{items}</ul>" if items else ""


def _table(rows, prefix=""):
    lines = (
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(prefix + text)}</td></tr>\n"
        for name, text in rows
    )
    return f"<table>\n{''.join(lines)}</table>"


def _folded(title, rows, prefix=""):
    """A table that opens at a click."""
    if not rows:
        return ""
    more = f"<p>and {len(rows) - _LISTED:,} more</p>" if len(rows) > _LISTED else ""
    table = _table(rows[:_LISTED], prefix)
    return f"<details>\n<summary>{title} ({len(rows):,})</summary>\n{table}{more}\n</details>"


def _contact_sheet(findings, archive):
    squares = len(findings.names)
    shown = evenly_spread(squares, _SHEET)
    sheet = _grid([_square(archive, findings.names[i]) for i in shown], _COLUMNS)
    caption = "all of them" if len(shown) == squares else f"{len(shown)}, evenly spread"
    width = f"style=width:{5.5 * min(_COLUMNS, squares)}rem"
    return caption, _image(sheet, f"{len(shown)} of the squares", width)


def _near_duplicates(findings, archive):
    pairs = findings.near_duplicates
    if not pairs:
        return ""
    figures = []
    for rms, *pair in sorted(pairs)[:_PAIRS]:
        squares = [_square(archive, findings.names[i]) for i in pair]
        names = " and ".join(html.escape(findings.labels[i]) for i in pair)
        figures.append(
            f"<figure>{_image(_grid(squares, 2), 'two squares', 'style=width:11rem')}"
            f"<figcaption>{names}: {rms:.1f} of 255 apart</figcaption></figure>\n"
        )
    caption = f"the {_PAIRS} most alike" if len(pairs) > _PAIRS else "all of them"
    return (
        f"<h2>Nearly the same ({len(pairs):,})</h2>\n<p class=soft>{caption}</p>\n"
        f"<div class=pairs>\n{''.join(figures)}</div>"
    )


def _square(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with open_picture(archive.read(name)) as image:
        image = image.convert("RGBA")
        if image.width > _CELL:
            image = image.resize((_CELL, _CELL), Image.Resampling.LANCZOS)
        return np.asarray(image)


def _grid(squares: Sequence[np.ndarray], columns: int) -> np.ndarray:
    columns = min(columns, len(squares))
    return grid(np.stack(squares), -(-len(squares) // columns), columns)


def _image(pixels: np.ndarray, alt: str, attribute: str) -> str:
    file = io.BytesIO()
    to_picture(pixels).save(file, "PNG", compress_level=9)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img {attribute} alt="{alt}" src="data:image/png;base64,{data}">'


def _sizes(findings):
    edges = (0, *_SIDES, float("inf"))
    counts = dict.fromkeys(range(len(edges) - 1), 0)
    for (width, height), number in findings.sizes.items():
        counts[int(np.searchsorted(edges, min(width, height), "right")) - 1] += number
    used = [i for i, number in counts.items() if number]
    bars = {}
    for i in range(used[0], used[-1] + 1):
        last = f"to {edges[i + 1] - 1}" if edges[i + 1] < float("inf") else "and more"
        bars[f"{edges[i]} {last}"] = counts[i]
    common = sorted(findings.sizes.items(), key=lambda item: (-item[1], item[0]))[:8]
    return _bars(bars), ", ".join(f"{w}×{h} ({number:,})" for (w, h), number in common)


def _colours(findings):
    colours = findings.colours
    chosen = sorted((colours[i] for i in evenly_spread(len(colours), _SWATCHES)), key=_by_hue)
    strip = np.array([chosen], np.uint8)
    swatches = _image(strip, "their mean colours, by hue", "class=swatches")
    verb = "had no colours in the original" if findings.settings.grey else "have no colours"
    greys = f"{findings.greys:,} of {len(colours):,} {verb}."
    lightness = [int((0.299 * r + 0.587 * g + 0.114 * b) // 32) for r, g, b in colours]
    bars = {f"{32 * i} to {32 * i + 31}": lightness.count(i) for i in range(8)}
    return swatches, greys, _bars(bars)


def _by_hue(colour):
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    return (-1 if saturation < 0.1 else round(hue * 12), value)


def _bars(counts: dict[str, int]) -> str:
    longest = max(counts.values())
    rows = (
        f"<span>{label}</span><div style='width:{100 * number / longest:.1f}%'></div>"
        f"<span>{number:,}</span>\n"
        for label, number in counts.items()
    )
    return f"<div class=bars>\n{''.join(rows)}</div>"
