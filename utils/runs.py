"""Run folders: `run/gan/<RUN_ID>_<data name>/` and the files that describe a run."""

import contextlib
import importlib.util
import itertools
import json
import logging
import os
import platform
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import filelock
import h5py
import keras

from utils.files import replacing

ROOT = Path("run") / "gan"


def run_folder(run_id: str, data: str | os.PathLike, root: str | os.PathLike = ROOT) -> Path:
    """Where a run of `run_id` on a zip or folder `data` lives, e.g. `run/gan/0001_output`."""
    return Path(root) / f"{run_id}_{Path(data).resolve().stem}"


def make_run_folder(folder: str | os.PathLike) -> Path:
    """Makes `folder` with its `images`, `weights` and `viz`, as far as they are not there."""
    folder = Path(folder)
    for name in ("images", "weights", "viz"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other processes from training in `folder` during the block.

    The lock ends with the process, however that ends. Some network drives know no locks; there,
    nobody is kept away.

    Raises:
        BlockingIOError: another process trains there.
    """
    lock = filelock.FileLock(Path(folder) / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise BlockingIOError(
            f"{folder} is in use by another training; wait for it, stop it, or choose another "
            "run id"
        ) from None
    except NotImplementedError:
        pass
    try:
        yield
    finally:
        lock.release()


def set_aside(folder: str | os.PathLike) -> Path | None:
    """Renames a run folder to the first free `<folder>.old1`, `.old2` …, so that a new run begins.

    Returns:
        where it is now; None where there was none.

    Raises:
        BlockingIOError: another process trains there.
    """
    folder = Path(folder)
    if not folder.exists():
        return None
    with locked(folder):
        numbers = itertools.count(1)
        target = next(
            t for n in numbers if not (t := folder.with_name(f"{folder.name}.old{n}")).exists()
        )
    return folder.rename(target)


def check_still_there(folder: str | os.PathLike) -> None:
    """Raises FileNotFoundError where a run folder has vanished.

    Without this, whoever writes next would make a folder of that name on another disk.
    """
    if not (Path(folder) / "params.json").exists():
        raise FileNotFoundError(
            f"{folder} has vanished during the training; was the drive disconnected?"
        )


def params(**sections: dict) -> dict:
    """What `params.json` holds: the sections given and the versions that ran."""
    packages = (keras.config.backend(), "keras", "numpy")
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    return json.loads(json.dumps(sections | {"versions": versions}, default=str))


def write_params(folder: str | os.PathLike, content: dict) -> None:
    """Writes `params.json`."""
    with replacing(Path(folder) / "params.json") as path:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def check_params(folder: str | os.PathLike, content: dict, may_differ: set[str]) -> None:
    """Makes sure that a run goes on as it began; a folder without `params.json` passes.

    Args:
        folder: the run folder.
        content: from `params`; sections that it lacks are not compared.
        may_differ: names of entries that do not change what is trained; versions may differ too.

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


def save_network(network: keras.Model, path: str | os.PathLike) -> None:
    """Writes a network as a Keras `.h5` that any Keras 3 opens: architecture and weights."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)  # Keras advises against HDF5, which is what opens everywhere
    try:
        with replacing(path) as beside:
            network.save(beside)
            with h5py.File(beside, "r+") as file:
                file.attrs["model_config"] = _for_any_keras(file.attrs["model_config"])
    finally:
        logger.setLevel(level)


# What the layers of a generator or critic were described by in Keras 3.0. Later versions add
# entries at their defaults, which earlier ones refuse to read.
_DESCRIPTION = re.compile(
    "name|trainable|dtype|batch_shape|sparse|units|activation|use_bias|filters|kernel_size|strides|"
    "padding|data_format|dilation_rate|output_padding|momentum|epsilon|axis|center|scale|"
    "negative_slope|target_shape|rate|seed|noise_shape|size|interpolation|"
    ".*_(initializer|regularizer|constraint)"
)


def _for_any_keras(description: str) -> str:
    """A model's description as JSON, with what Keras 3.0 knew of its layers."""
    model = json.loads(description)
    for layer in model["config"]["layers"]:
        layer["config"] = {
            name: value for name, value in layer["config"].items() if _DESCRIPTION.fullmatch(name)
        }
        dtype = layer["config"].get("dtype")
        if isinstance(dtype, dict):
            layer["config"]["dtype"] = dtype["config"]["name"]
    # One input and one output, in the list of lists that Keras before 3.6 insists on.
    for ends in ("input_layers", "output_layers"):
        model["config"][ends] = [model["config"][ends]]
    return json.dumps(model)


def plot_network(network: keras.Model, folder: str | os.PathLike) -> None:
    """Writes a diagram `<name>.png` of a network, or a summary `<name>.txt` without Graphviz."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("dot") and importlib.util.find_spec("pydot"):
        with replacing(folder / f"{network.name}.png") as path:
            keras.utils.plot_model(
                network, path, show_shapes=True, show_layer_names=True, show_layer_activations=True
            )
        return
    lines = ["A diagram of this network needs pydot and Graphviz (https://graphviz.org)."]
    network.summary(print_fn=lines.append, line_length=100)
    with replacing(folder / f"{network.name}.txt") as path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
