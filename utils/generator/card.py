"""`card.md` beside an export: what it is, what it learned from, how good it is, how to use it."""

import csv
import json
import os
from pathlib import Path

import keras

from utils.files import replacing
from utils.generator.export import usage
from utils.messages import one_line

_MARK = "<!-- generate.py export: {} -->"
_UNKNOWN = "not known"
_SCORES = 8  # of `figures.json`, the first


def write_card(
    export: str | os.PathLike, generator: keras.Model, source: str | os.PathLike, format: str
) -> Path:
    """Writes the card of an export: `card.md`, or `<name>.card.md` where another one stands there.

    What it says of the training is read from the files beside the generator, and only that: what
    they do not tell is said to be unknown.

    Args:
        export: path of the exported file or folder.
        generator: what was exported.
        source: path of its `generator.h5`, beside which a run leaves its files.
        format: as `utils.generator.export.export`.

    Returns:
        the card's path.
    """
    export, source = Path(export), Path(source)
    mark = _MARK.format(export.name)
    path = export.with_name("card.md")
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(mark):
        path = export.with_name(f"{export.name}.card.md")
    params = _json(source.with_name("params.json"))
    _, height, width, channels = generator.output_shape
    z_dim = generator.input_shape[1]
    kind = "RGB" if channels == 3 else "grey"
    rows = {
        "draws": f"{kind} images of {width}×{height} pixels, in [-1, 1], from `latents`: {z_dim} "
        "numbers each, standard normal",
        "parameters": f"{generator.count_params():,}",
        "exported from": f"`{source}`, as {format}",
        "data": _data(params),
        "recipe": _recipe(params),
        "trained": _trained(source, params),
        "scores": _scores(source),
        "licence": "the program: MIT. The generator: whatever its maker says; it learned from "
        "images, whose owners may have a say",
    }
    cells = {name: one_line(text, 2000).replace("|", "\\|") for name, text in rows.items()}
    table = "\n".join(f"| {name} | {text} |" for name, text in cells.items())
    words = f"{mark}\n# {export.name}\n\n| | |\n|---|---|\n{table}\n\n## Use\n\n```python\n"
    words += usage(format, export.name, z_dim) + "```\n"
    own = source.with_name("card.md")
    if own.exists() and own != path and not own.read_text(encoding="utf-8").startswith("<!-- gen"):
        words += f"\n## The generator's own card\n\n{own.read_text(encoding='utf-8')}"
    with replacing(path) as beside:
        beside.write_text(words, encoding="utf-8")
    return path


def _json(path):
    """A file of a run as a dictionary, empty where it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _section(params, name):
    return params[name] if isinstance(params.get(name), dict) else {}


def _data(params):
    training = _section(params, "training")
    if "data" not in training:
        return _UNKNOWN
    return f"`{training['data']}`, fingerprint {training.get('data_fingerprint', _UNKNOWN)}"


def _recipe(params):
    """The settings of the training, but for the shapes of the critic, which is not exported."""
    model = _section(params, "model")
    told = {name: value for name, value in model.items() if not name.startswith("critic_conv")}
    told |= {k: v for k, v in _section(params, "training").items() if not k.startswith("data")}
    return ", ".join(f"{name} {value}" for name, value in told.items()) or _UNKNOWN


def _trained(source, params):
    """Epochs by the losses that were written; those that were planned where these are missing."""
    try:
        with open(source.with_name("losses.csv"), encoding="utf-8", newline="") as file:
            epochs = sum(1 for _ in csv.DictReader(file))
        return f"{epochs:,} epochs (updates of the generator)"
    except OSError:
        planned = _section(params, "training").get("epochs")
        return f"{planned:,} epochs, as planned" if isinstance(planned, int) else _UNKNOWN


def _scores(source):
    """The figures of an evaluation beside the generator, or the last scores of its training."""
    figures = _json(source.with_name("figures.json"))
    numbers = {name: value for name, value in figures.items() if isinstance(value, float)}
    if numbers:
        return f"of {figures.get('count', _UNKNOWN)} images: {_told(numbers)} (`figures.json`)"
    try:
        with open(source.with_name("metrics.csv"), encoding="utf-8", newline="") as file:
            *_, last = csv.DictReader(file)
        return f"along the training, of 500 images: {_told(last)} (`metrics.csv`)"
    except (OSError, ValueError):
        return f"{_UNKNOWN}; `python evaluate.py --generator {source}` tells"


def _told(figures):
    shown = list(figures.items())[:_SCORES]
    return ", ".join(f"{name} {float(value):.4g}" for name, value in shown)
