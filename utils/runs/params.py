"""`params.json`: the parameters of a run, and whether a session has the same ones."""

import contextlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

from utils.files import read_json, replacing
from utils.messages import one_line


def collect_params(**sections: dict) -> dict:
    """The content of `params.json`: the given sections, and `versions` of Python and packages."""
    import keras  # here: a program that only looks at run folders does not wait for it

    packages = (keras.config.backend(), "keras", "numpy")
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    return json.loads(json.dumps(sections | {"versions": versions}, default=str))


def write_params(folder: str | os.PathLike, content: dict) -> None:
    """Writes `params.json`."""
    with replacing(Path(folder) / "params.json") as path:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def check_params(
    folder: str | os.PathLike, content: dict, may_differ: set[str], defaults: dict
) -> None:
    """Makes sure that a run continues with its own parameters; passes without a `params.json`.

    Args:
        folder: the run folder.
        content: from `collect_params`; only the sections in it are compared.
        may_differ: names of entries that do not change what is trained. Versions may differ too.
        defaults: values of entries that the `params.json` of an earlier version lacks.

    Raises:
        ValueError: an entry differs, the message shows how; or the file is not JSON.
    """
    path = Path(folder) / "params.json"
    if not path.exists():
        return
    try:
        saved = read_json(path)
        before = _flat({name: section for name, section in saved.items() if name in content})
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"{path}: not readable as JSON ({one_line(error)}); move the run folder"
        ) from error
    now = _flat(content)
    before = {name: defaults[name] for name in now.keys() & defaults.keys()} | before
    differences = [
        f"{name} was {before.get(name)!r} and is now {now.get(name)!r}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name) and name not in may_differ
    ]
    if differences:
        raise ValueError(
            f"{folder} holds a run with other parameters: {'; '.join(differences)}; "
            "choose another run id, or --new to set this run aside and begin again"
        )


def _flat(content: dict) -> dict:
    """The entries of all sections but `versions`."""
    sections = (items for name, items in content.items() if name != "versions")
    return {name: value for items in sections for name, value in items.items()}


def read_params(folder: str | os.PathLike) -> dict[str, dict]:
    """The sections `model`, `training` and `versions` of `params.json`; empty where unreadable."""
    content = {}
    with contextlib.suppress(OSError, ValueError):
        content = read_json(Path(folder) / "params.json")
    sections = content if isinstance(content, dict) else {}
    return {
        name: sections[name] if isinstance(sections.get(name), dict) else {}
        for name in ("model", "training", "versions")
    }


def read_start(folder: str | os.PathLike) -> dict:
    """The section `start`: whose weights a run began with; empty where they were its own."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        start = read_json(Path(folder) / "params.json").get("start")
        if isinstance(start, dict) and isinstance(start.get("from"), str):
            return start
    return {}


def positive_int(section: dict, name: str) -> int | None:
    """An entry of `params.json` that is a whole number of at least 1; None for anything else."""
    value = section.get(name)
    return value if type(value) is int and 0 < value < 1 << 53 else None
