"""`card.md` next to an export: what it draws, what it learned from, its scores, how to use it."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from utils.files import read_json, read_text, replacing, shared_name
from utils.generator.export import FORMATS, export_generator, format_of, usage
from utils.messages import count, one_line
from utils.runs import epochs_done, positive_int, shown_scores

if TYPE_CHECKING:
    import keras

_MARK = "<!-- generate.py export: {} -->"
_FRONT_MATTER = re.compile(r"---\n(?P<yaml>.*?\n)?---\n\s*", re.DOTALL)
_LICENCE = re.compile(
    r"^(license(?:_name|_link)?): *([A-Za-z0-9][\w.+:/-]{0,200}) *(?:#.*)?$", re.MULTILINE
)
_UNSTATED = {
    "license": "other  # yours to state: see huggingface.co/docs/hub/repositories-licenses",
    "license_name": "not-stated",
}
_HUB = """\
---
{licence}library_name: {library}
pipeline_tag: unconditional-image-generation
tags:
- gan
- wgan-gp
---
"""
_UNKNOWN = "not known"
_SCORES = 8  # the first ones are shown


def export_with_card(
    generator: "keras.Model",
    source: str | os.PathLike,
    out: str | os.PathLike,
    format: str | None = None,
) -> Path:
    """Exports a generator and writes the card of the export.

    Args:
        generator: what to export.
        source: path of its `generator.h5`.
        out: path of the file, or of the folder for `savedmodel`.
        format: a name in `utils.generator.export.FORMATS`; by default the one that the suffix of
            `out` names.

    Returns:
        path of the card.

    Raises:
        ValueError: see `export_generator` and `format_of`.
        OSError: the export or the card could not be written.
    """
    format = format or format_of(out)
    export_generator(generator, out, format)
    return write_card(out, generator, source, format)


def write_card(
    export: str | os.PathLike, generator: "keras.Model", source: str | os.PathLike, format: str
) -> Path:
    """Writes the card of an export: `card.md`, or `<name>.card.md` beside the card of another one.

    What it says of the training comes from the files in the generator's folder; where these do not
    say it, the card says "not known".

    It begins with what Hugging Face reads of a card that is uploaded as README.md. The licence is
    the one that its maker stated in an earlier card of this export, or else in the generator's own
    card; where neither does, it is left to be stated.

    Args:
        export: path of the exported file or folder.
        generator: what was exported.
        source: path of its `generator.h5`, in the folder with the other files of its run.
        format: as for `export_generator`.

    Returns:
        path of the card.
    """
    export, source = Path(export), Path(source)
    mark = _MARK.format(export.name)
    path = export.with_name("card.md")
    if path.exists() and not _begins_with(mark, _card(path)):
        path = export.with_name(f"{export.name}.card.md")
    own = _card(source.with_name("card.md"))
    earlier = _card(path)
    licence = (_licence(earlier) if _begins_with(mark, earlier) else {}) or _licence(own)
    rows = _rows(generator, source, format)
    if licence:
        rows["licence"] = f"the program: MIT. The generator: {licence['license']}"
    cells = {name: one_line(text, 2000).replace("|", "\\|") for name, text in rows.items()}
    table = "\n".join(f"| {name} | {text} |" for name, text in cells.items())
    code = usage(format, export.name, generator.input_shape[1])
    stated = "".join(f"{name}: {value}\n" for name, value in (licence or _UNSTATED).items())
    card = _HUB.format(licence=stated, library=FORMATS[format].library) + (
        f"{mark}\n# {export.name}\n\n| | |\n|---|---|\n{table}\n\n## Use\n\n```python\n{code}```\n"
    )
    if own and not _begins_with("<!-- gen", own):
        card += f"\n## The generator's own card\n\n{_without_front_matter(own)}"
    with replacing(path) as unfinished:
        unfinished.write_text(card, encoding="utf-8")
    return path


def _card(path):
    """The text of a card; empty where there is none, or one that leads elsewhere."""
    try:
        return read_text(path)
    except (OSError, ValueError):
        return ""


def _without_front_matter(card):
    found = _FRONT_MATTER.match(card)
    return card[found.end() :] if found else card


def _begins_with(mark, card):
    return _without_front_matter(card).startswith(mark)


def _licence(card):
    """What a card's front matter says of its licence, by name; empty where it states none."""
    found = _FRONT_MATTER.match(card)
    stated = dict(_LICENCE.findall(found["yaml"] or "")) if found else {}
    if stated.get("license_name") == _UNSTATED["license_name"]:
        del stated["license_name"]
        if stated.get("license") == "other":
            return {}
    return stated if "license" in stated else {}


def _rows(generator, source, format):
    """The rows of the card's table, text by name."""
    params = _json(source.with_name("params.json"))
    _, height, width, channels = generator.output_shape
    kind = "RGB" if channels == 3 else "grey"
    return {
        "draws": f"{kind} images of {width}×{height} pixels, in [-1, 1], from `latents`: "
        f"{generator.input_shape[1]} numbers each, standard normal",
        "parameters": f"{generator.count_params():,}",
        "exported from": f"`{shared_name(source)}`, as {format}",
        "data": _data(params),
        **_knowledge(params),
        "recipe": _recipe(params),
        "trained": _trained(source, params),
        "scores": _scores(source),
        "licence": "the program: MIT. The generator: whatever its maker says; it learned from "
        "images, whose owners may have a say",
    }


def _json(path):
    """A JSON object from a file of the run; empty where the file is missing or damaged."""
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _section(params, name):
    return params[name] if isinstance(params.get(name), dict) else {}


def _data(params):
    training = _section(params, "training")
    if "data" not in training:
        return _UNKNOWN
    return f"`{training['data']}`, fingerprint {training.get('data_fingerprint', _UNKNOWN)}"


def _knowledge(params):
    """What the generator knows of its data besides the images: a row, or none."""
    model = _section(params, "model")
    if model.get("networks") != "places":
        return {}
    return {
        "knows": f"that its images are made of rows and columns, show {model.get('things')} "
        "independent things with a place and a colour each, and have the colours counted in the "
        "data; it is for data of that kind"
    }


def _recipe(params):
    """The settings of the training, without the shapes of the critic, which is not exported."""
    model, training = _section(params, "model"), _section(params, "training")
    settings = {name: value for name, value in model.items() if not name.startswith("critic_conv")}
    settings |= {name: value for name, value in training.items() if not name.startswith("data")}
    return ", ".join(f"{name} {value}" for name, value in settings.items()) or _UNKNOWN


def _trained(source, params):
    """The number of epochs in `losses.csv`; without this file, the number that was planned."""
    if epochs := epochs_done(source.parent):
        return f"{count(epochs, 'epoch')} (updates of the generator)"
    planned = positive_int(_section(params, "training"), "epochs")
    return f"{count(planned, 'epoch')}, as planned" if planned else _UNKNOWN


def _scores(source):
    """The figures of an evaluation of the generator, or else the last scores of its training."""
    figures = _json(source.with_name("figures.json"))
    scores = {name: value for name, value in figures.items() if isinstance(value, float)}
    if scores:
        return f"of {figures.get('count', _UNKNOWN)} images: {_listed(scores)} (`figures.json`)"
    if rows := shown_scores(source.parent):
        return f"along the training, of 500 images: {_listed(rows[-1])} (`metrics.csv`)"
    return f"{_UNKNOWN}; `python evaluate.py --generator {source.name}` tells"


def _listed(scores):
    shown = list(scores.items())[:_SCORES]
    return ", ".join(f"{name} {value:.4g}" for name, value in shown)
