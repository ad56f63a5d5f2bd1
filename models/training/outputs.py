"""The files of a run: parameters, samples, networks, diagrams; and how a run is resumed."""

import dataclasses
import importlib.util
import json
import logging
import os
import shutil
from pathlib import Path

import h5py
import keras
from tqdm.auto import tqdm

from models.recipe import Recipe
from models.training import checkpoint
from utils import hdf5, runs
from utils.drawing import draw_images
from utils.files import replacing
from utils.generator import portable_config
from utils.images import grid, save_picture
from utils.messages import one_line

MODES = ("auto", "build", "load", "new")

# How a run is computed, and which variants its end saves: neither changes what comes next.
_MAY_DIFFER = {"precision", "choose_variants", "variants_kept"}  # the last one in earlier runs


def resume(gan, folder, mode="auto", from_checkpoint=None) -> str:
    """Continues the run in `folder`, or leaves the model as it is for a new one.

    Args:
        gan: a `WGANGP` that has not been trained.
        folder: the run folder.
        mode: `auto` continues where there is a checkpoint; `build` begins, and refuses a folder
            that has one; `load` continues, and refuses a folder that has none; `new` sets an
            earlier run aside first.
        from_checkpoint: a checkpoint to continue from in place of the last one; None for the last.

    Returns:
        a sentence that says what was found.

    Raises:
        ValueError: an unknown mode; `build` and a checkpoint; a checkpoint of another model.
        FileNotFoundError: `load` and no checkpoint.
        BlockingIOError: `new`, and another process trains in the folder.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, received {mode!r}")
    folder = Path(folder)
    aside = runs.set_aside(folder) if mode == "new" else None
    saved = bool(checkpoint.find(folder / "weights"))
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
    if saved or from_checkpoint:
        newest = checkpoint.last_epoch(folder / "weights")
        load_weights(from_checkpoint or folder / "weights", gan)
        gan.newest_known = newest
        return f"Continuing {folder} after {gan.epoch} epochs."
    earlier = f"The earlier run is now in {aside}. " if aside else ""
    return f"{earlier}New run: {folder}"


def load_weights(path, gan) -> None:
    """Sets a `WGANGP` to a checkpoint, or to the last undamaged one of a folder.

    Raises:
        FileNotFoundError: no checkpoint there.
        ValueError: one that does not fit the model, or stands in a run whose `params.json` differs.
    """
    path = Path(path)
    weights = path if path.is_dir() else path.parent
    newest = checkpoint.last_epoch(weights)
    model = runs.collect_params(model=gan.config)
    runs.check_params(weights.parent, model, _MAY_DIFFER, _defaults())
    checkpoint.load(path, gan)
    gan.newest_known = newest


def check_newest(folder: Path, gan) -> None:
    """Raises ValueError where a folder got a later checkpoint since the model was loaded.

    To be called by the process that has the folder's lock, which nobody had to have when loading.
    """
    newest = checkpoint.last_epoch(folder / "weights")
    if newest > max(gan.epoch, gan.newest_known):
        raise ValueError(
            f"{folder} was trained up to epoch {newest} by another program since this training was "
            f"loaded, after {gan.epoch} epochs: load it again, and nothing of that is lost"
        )


def check_folder(folder: Path, gan) -> None:
    """Raises ValueError where a folder holds another run than the one that the model continues."""
    if gan.epoch == 0 and checkpoint.find(folder / "weights"):
        raise ValueError(
            f"{folder} holds a training already: load its weights to continue it, or choose "
            "another run id"
        )
    runs.check_params(folder, _params(gan), _MAY_DIFFER | {"epochs"}, _defaults())


def _params(gan) -> dict:
    return runs.collect_params(model=gan.config, training=gan.training)


def _defaults() -> dict:
    """The recipe's defaults as `params.json` holds them: what a run from before a field had."""
    return runs.collect_params(model=dataclasses.asdict(Recipe()))["model"]


def shared_params(gan, images: str) -> dict:
    """What must be the same in all processes; copies of the images may have other names.

    Args:
        gan: the model.
        images: their fingerprint, by rules that do not depend on the run folder of a process.
    """
    flat = {name: value for part in _params(gan).values() for name, value in part.items()}
    own = "data", "data_fingerprint", "python"
    return {name: value for name, value in flat.items() if name not in own} | {"images": images}


def save_params(folder, gan) -> None:
    """Writes `params.json`.

    It has the options of the command line that began the training, if one did, and keeps whose
    weights a run began with when it continues.
    """
    start = gan.start or (runs.read_start(folder) if gan.epoch else {})
    sections = {"command": gan.command, "start": start}
    runs.write_params(folder, _params(gan) | {n: s for n, s in sections.items() if s})


def save_samples(folder, gan, rows: int, columns: int, generator=None) -> None:
    """Writes `images/sample_<last epoch>.png`: the images of seeds 0, 1, 2 …

    By `generator`, or by the one that `gan` draws with.
    """
    images = draw_images(generator or gan.drawing_generator(), rows * columns)
    path = runs.sample_path(folder, max(gan.epoch - 1, 0))
    save_picture(path, grid(images, rows, columns))


def save_real(folder, stream, rows: int, columns: int) -> None:
    """Writes `images/real.png`: the first images of an `ImageStream`, in the samples' grid."""
    real = stream.first(rows * columns)
    save_picture(Path(folder) / "images" / "real.png", grid(real, rows, columns))


def save_network(network: keras.Model, path: str | os.PathLike) -> None:
    """Writes a network as a Keras `.h5` that any Keras 3 opens: architecture and weights."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)  # Keras advises against HDF5, which is what opens everywhere
    try:
        with replacing(path) as partial:
            network.save(partial)
            with h5py.File(partial, "r+") as file:
                file.attrs["model_config"] = _portable(file.attrs["model_config"])
                hdf5.seal(file)
    finally:
        logger.setLevel(level)


def _portable(description: str) -> str:
    """A model's description as JSON, as Keras 3.0 would have written it."""
    model = json.loads(description)
    _make_portable(model["config"])
    return json.dumps(model)


def _make_portable(network: dict):
    for layer in network["layers"]:
        layer["config"] = portable_config(layer["class_name"], layer["config"])
        if "layers" in layer["config"]:  # a network in a network
            _make_portable(layer["config"])
        dtype = layer["config"].get("dtype")
        if isinstance(dtype, dict):
            layer["config"]["dtype"] = dtype["config"]["name"]
    # Keras before 3.6 insists on a list of lists for input and output; since 3.11 Keras writes one
    # entry alone.
    for ends in ("input_layers", "output_layers"):
        if ends in network and isinstance(network[ends][0], str):
            network[ends] = [network[ends]]


def plot_network(network: keras.Model, folder: str | os.PathLike) -> None:
    """Writes `viz/<name>.png`, a diagram; without pydot and Graphviz `viz/<name>.txt`, a summary.

    No training ends because a diagram cannot be drawn or written: one line says so.
    """
    folder = Path(folder) / "viz"
    try:
        if shutil.which("dot") and importlib.util.find_spec("pydot"):
            _draw_diagram(network, folder / f"{network.name}.png")
        else:
            _write_summary(network, folder / f"{network.name}.txt")
    except Exception as error:  # pydot and Graphviz raise whatever leads to failure
        tqdm.write(f"No diagram of the {network.name}: {one_line(error)}; the training goes on.")


def _draw_diagram(network, path):
    with replacing(path) as partial:
        keras.utils.plot_model(
            network, partial, show_shapes=True, show_layer_names=True, show_layer_activations=True
        )


def _write_summary(network, path):
    lines = ["A diagram of this network needs pydot and Graphviz (https://graphviz.org)."]
    network.summary(print_fn=lines.append, line_length=100)
    with replacing(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
