"""Networks as files: an `.h5` that any Keras 3 opens, and a diagram."""

import importlib.util
import json
import logging
import os
import re
import shutil
from pathlib import Path

import h5py
import keras

from utils.files import replacing


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
