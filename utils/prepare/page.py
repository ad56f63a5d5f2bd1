"""The report on prepared pictures as a page of its own: no script, nothing from elsewhere."""

import base64
import colorsys
import html
import io
import zipfile
from collections.abc import Sequence

import numpy as np
from PIL import Image

from utils.images import grid, to_picture
from utils.messages import one_line
from utils.prepare.findings import Findings, advice, counted, made, next_command

_SHEET, _COLUMNS = 120, 12  # squares on the contact sheet, at most, and in a row
_CELL = 96  # pixels of a square there, at most
_PAIRS = 24
_SWATCHES = 300
_LISTED = 500  # names in the lists of what does no harm
_SIDES = (32, 64, 128, 256, 512, 1024, 2048, 4096)

_STYLE = """
:root { --ink: #16181d; --soft: #565c68; --paper: #fbfaf7; --line: #c9c6bd; --accent: #364fb3;
  color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --ink: #efede6; --soft: #a9adb8; --paper: #121317;
  --line: #3b3f49; --accent: #8fa2f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: clamp(1rem, 3vw, 2.5rem); max-width: 72rem;
  background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
h1 { margin: 0; line-height: 1.2; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.2rem; }
p, li { max-width: 44rem; }
.soft, figcaption { color: var(--soft); }
img { max-width: 100%; }
.swatches { width: 100%; height: 3rem; image-rendering: pixelated; }
pre { padding: .75rem; border: 1px solid var(--line); white-space: pre-wrap; }
table { border-collapse: collapse; }
th, td { padding: .15rem .75rem .15rem 0; text-align: left; vertical-align: top;
  font-weight: normal; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .15rem .75rem;
  align-items: center; max-width: 44rem; }
.bars div { height: .8rem; background: var(--accent); }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr));
  gap: 1rem; }
figure { margin: 0; }
figcaption { font-size: .8rem; }
details { margin-top: 1.5rem; }
""".strip()


def page(findings: Findings, archive: zipfile.ZipFile) -> str:
    """The HTML of the report.

    Args:
        findings: what there is to tell.
        archive: the zip that was written, whose squares are shown.
    """
    f, title = findings, html.escape(one_line(findings.out))
    passed = counted(f)
    parts = [
        f"<h1>{title}</h1>\n<p class=soft>{html.escape(made(f))}, from "
        f"{html.escape(one_line(f.source))}: {f.files:,} files, {f.pictures:,} pictures could be "
        f"read.{html.escape(' Passed over: ' + ', '.join(passed) + '.') if passed else ''}</p>",
        _section("Before you train", _items(advice(f)) + f"<pre>{_next(f)}</pre>"),
        _section("Pictures", _sheet(f, archive)),
        _section("Not readable", _table(f.bad)) if f.bad else "",
        _section(f"Nearly the same ({len(f.near):,})", _pairs(f, archive)) if f.near else "",
        _section("Sizes", _sizes(f)),
        _section("Colours", _colours(f)),
        _listed(f"Twice the same ({len(f.duplicates):,})", f.duplicates, "the same as "),
        _listed(f"No pictures ({len(f.passed_over):,})", f.passed_over, ""),
    ]
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n"
        + "\n".join(filter(None, parts))
        + "\n</html>\n"
    )


def _section(title, content):
    return f"<h2>{html.escape(title)}</h2>\n{content}"


def _items(sentences):
    items = "".join(f"<li>{html.escape(sentence)}</li>\n" for sentence in sentences)
    return f"<ul>\n{items}</ul>\n" if items else ""


def _next(findings):
    return html.escape(one_line(next_command(findings)))


def _table(rows, between=""):
    lines = (
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(between + why)}</td></tr>\n"
        for name, why in rows
    )
    return f"<table>\n{''.join(lines)}</table>"


def _listed(title, rows, between):
    if not rows:
        return ""
    more = f"<p>and {len(rows) - _LISTED:,} more</p>" if len(rows) > _LISTED else ""
    table = _table(rows[:_LISTED], between)
    return f"<details>\n<summary>{title}</summary>\n{table}{more}\n</details>"


def _sheet(findings, archive):
    count = len(findings.names)
    shown = np.unique(np.linspace(0, count - 1, min(count, _SHEET)).round().astype(int))
    sheet = _grid([_square(archive, findings.names[i]) for i in shown], _COLUMNS)
    said = "all of them" if len(shown) == count else f"{len(shown)}, evenly spread"
    alt = f"{len(shown)} of the squares"
    width = f"width:{5.5 * min(_COLUMNS, count)}rem"
    return f"<p class=soft>{said}</p>\n{_image(sheet, alt, f'style={width}')}"


def _pairs(findings, archive):
    figures = []
    for rms, *pair in sorted(findings.near)[:_PAIRS]:
        squares = [_square(archive, findings.names[i]) for i in pair]
        names = " and ".join(html.escape(findings.labels[i]) for i in pair)
        figures.append(
            f"<figure>{_image(_grid(squares, 2), 'two squares', 'style=width:11rem')}"
            f"<figcaption>{names}: {rms:.1f} of 255 apart</figcaption></figure>\n"
        )
    said = f"the {_PAIRS} most alike" if len(findings.near) > _PAIRS else "all of them"
    return f"<p class=soft>{said}</p>\n<div class=pairs>\n{''.join(figures)}</div>"


def _square(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as file, Image.open(file) as image:
        image = image.convert("RGBA")
        if image.width > _CELL:
            image = image.resize((_CELL, _CELL), Image.Resampling.LANCZOS)
        return np.asarray(image)


def _grid(squares: Sequence[np.ndarray], columns: int) -> np.ndarray:
    columns = min(columns, len(squares))
    return grid(np.stack(squares), -(-len(squares) // columns), columns)


def _image(pixels: np.ndarray, alt: str, look: str) -> str:
    file = io.BytesIO()
    to_picture(pixels).save(file, "PNG", compress_level=9)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img {look} alt="{alt}" src="data:image/png;base64,{data}">'


def _sizes(findings):
    edges = (0, *_SIDES, float("inf"))
    counts = dict.fromkeys(range(len(edges) - 1), 0)
    for (width, height), count in findings.sizes.items():
        counts[int(np.searchsorted(edges, min(width, height), "right")) - 1] += count
    used = [i for i, count in counts.items() if count]
    bars = {}
    for i in range(used[0], used[-1] + 1):
        last = f"to {edges[i + 1] - 1}" if edges[i + 1] < float("inf") else "and more"
        bars[f"{edges[i]} {last}"] = counts[i]
    common = sorted(findings.sizes.items(), key=lambda item: (-item[1], item[0]))[:8]
    listed = ", ".join(f"{w}×{h} ({count:,})" for (w, h), count in common)
    return f"<p class=soft>Shorter side, pixels</p>\n{_bars(bars)}\n<p>Most often: {listed}</p>"


def _colours(findings):
    colours = findings.colours
    light = [int((0.299 * r + 0.587 * g + 0.114 * b) // 32) for r, g, b in colours]
    bars = {f"{32 * i} to {32 * i + 31}": light.count(i) for i in range(8)}
    some = np.unique(np.linspace(0, len(colours) - 1, _SWATCHES).round().astype(int))
    chosen = sorted((colours[i] for i in some), key=_by_hue)
    strip = _image(np.array([chosen], np.uint8), "their mean colours, by hue", "class=swatches")
    were = "were without colours to begin with" if findings.settings.grey else "are without colours"
    greys = f"{findings.greys:,} of {len(colours):,} {were}."
    return f"{strip}\n<p>{greys}</p>\n<p class=soft>Mean lightness, of 255</p>\n{_bars(bars)}"


def _by_hue(colour):
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    return (-1 if saturation < 0.1 else round(hue * 12), value)


def _bars(counts: dict[str, int]) -> str:
    most = max(counts.values())
    rows = (
        f"<span>{label}</span><div style='width:{100 * count / most:.1f}%'></div>"
        f"<span>{count:,}</span>\n"
        for label, count in counts.items()
    )
    return f"<div class=bars>\n{''.join(rows)}</div>"
