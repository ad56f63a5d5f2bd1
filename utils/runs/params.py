"""`params.json`: what a run is made of, and whether it goes on as it began."""

import contextlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

from utils.files import replacing


def collect_params(**sections: dict) -> dict:
    """What `params.json` holds: the sections given and the versions that ran."""
    import keras  # here: those who only look at run folders need not wait for it

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
    """Makes sure that a run goes on as it began; a folder without `params.json` passes.

    Args:
        folder: the run folder.
        content: from `collect_params`; sections that it lacks are not compared.
        may_differ: names of entries that do not change what is trained; versions may differ too.
        defaults: what stands for entries that an earlier version did not know.

    Raises:
        ValueError: an entry differs; the message shows the difference.
    """
    path = Path(folder) / "params.json"
    if not path.exists():
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        before = _flat({name: section for name, section in there.items() if name in content})
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error}); move the run folder") from error
    now = _flat(content)
    before = {name: defaults[name] for name in now.keys() & defaults.keys()} | before
    changed = [
        f"{name} was {before.get(name)!r} and is now {now.get(name)!r}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name) and name not in may_differ
    ]
    if changed:
        raise ValueError(
            f"{folder} holds a run with other parameters: {'; '.join(changed)}; "
            "choose another run id, or --new to set this run aside and begin again"
        )


def _flat(content: dict) -> dict:
    sections = (items for name, items in content.items() if name != "versions")
    return {name: value for items in sections for name, value in items.items()}


def read_params(folder: str | os.PathLike) -> dict[str, dict]:
    """The sections `model`, `training` and `versions` of `params.json`; empty where unreadable."""
    content = {}
    with contextlib.suppress(OSError, ValueError, RecursionError):
        content = json.loads((Path(folder) / "params.json").read_text(encoding="utf-8"))
    sections = content if isinstance(content, dict) else {}
    return {
        name: sections[name] if isinstance(sections.get(name), dict) else {}
        for name in ("model", "training", "versions")
    }


def whole(section: dict, name: str) -> int | None:
    """An entry of `params.json` that is a whole number from 1; None for anything else."""
    value = section.get(name)
    return value if type(value) is int and 0 < value < 1 << 53 else None
