"""Run folders: `run/gan/<RUN_ID>_<data name>/` and the files that describe a run."""

import importlib.util
import json
import logging
import os
import platform
import re
import shutil
from importlib.metadata import version
from pathlib import Path

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


def continues(mode: str, folder: str | os.PathLike, saved: bool) -> bool:
    """Whether a session goes on with the run in `folder`.

    Args:
        mode: `auto`: yes where something was saved; `build`: begin; `load`: go on.
        folder: the run folder.
        saved: whether it holds a checkpoint.

    Raises:
        ValueError: an unknown mode, or `build` where a run was saved; FileNotFoundError: `load`
            where none was.
    """
    if mode not in ("auto", "build", "load"):
        raise ValueError(f'mode must be "auto", "build" or "load", received {mode!r}')
    if mode == "build" and saved:
        raise ValueError(
            f'{folder} holds a run already: continue it with mode = "auto", or choose another '
            "RUN_ID"
        )
    if mode == "load" and not saved:
        raise FileNotFoundError(
            f'{folder} holds no checkpoint: begin with mode = "auto", or correct RUN_ID, DATA or '
            "USE_DRIVE"
        )
    return saved


def describe(folder: str | os.PathLike, epoch: int, epochs: int) -> str:
    """What a session found in a run folder, and where it goes on, as a sentence.

    Args:
        folder: the run folder.
        epoch: epochs trained so far; 0 for a new run.
        epochs: that there will be in all.
    """
    if not epoch:
        return f"{folder}: a new run of {epochs} epochs"
    if epoch < epochs:
        return f"Found run {folder}: continuing after {epoch} of {epochs} epochs"
    return f"Found run {folder}: finished after {epoch} epochs; EPOCHS above {epoch} extends it"


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
        content: from `params`.
        may_differ: names of entries that do not change what is trained; versions may differ too.

    Raises:
        ValueError: an entry differs; the message shows the difference.
    """
    path = Path(folder) / "params.json"
    if not path.exists():
        return
    try:
        before = _flat(json.loads(path.read_text(encoding="utf-8")))
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
            "choose another run id"
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
    # One input and one output, in the list of lists that Keras before 3.6 insists on; since 3.11
    # Keras writes its one entry instead.
    for ends in ("input_layers", "output_layers"):
        if isinstance(model["config"][ends][0], str):
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
