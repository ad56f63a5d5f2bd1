"""A network in a `.keras` file, a zip: its description, its weights named as in an HDF5 file."""

import contextlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from utils import hdf5
from utils.generator.architecture import MAX_TEXT
from utils.messages import one_line

_DESCRIPTION, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_NORMALISED = ("gamma", "beta", "moving_mean", "moving_variance")
_ORDER = {
    "Dense": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "Conv2DTranspose": ("kernel", "bias"),
    "BatchNormalization": _NORMALISED,
    "LayerNormalization": _NORMALISED[:2],
    "GroupNormalization": _NORMALISED[:2],
    "PReLU": ("alpha",),
}
"""The weights of a layer in the order of their numbers in the file."""
_SWITCHES = {"bias": "use_bias", "gamma": "scale", "beta": "center"}
"""Settings without which a layer lacks a weight."""


def read(path: str | os.PathLike) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Reads what `utils.hdf5.read` reads of a `generator.h5`.

    Returns:
        `model_config` and `keras_version`; the arrays by the names of their layers and weights:
        `dense/kernel`, and `net/dense/kernel` of a network in the network.

    Raises:
        ValueError: damaged, too large, or no network of Keras 3; one line that names the file.
    """
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            text = _entry(archive, _DESCRIPTION, MAX_TEXT).decode()
            version = json.loads(_entry(archive, _METADATA, MAX_TEXT))["keras_version"]
            weights = Path(folder) / _WEIGHTS
            weights.write_bytes(_entry(archive, _WEIGHTS, hdf5.MAX_FILE_BYTES))
            with _naming(path, weights):
                _, arrays = hdf5.read(weights, (), "layers")
        named = dict(_named(json.loads(text), "", "", arrays))
    except hdf5.RefusedError:
        raise
    except Exception as error:  # a damaged zip, JSON or description raises many different types
        raise ValueError(f"{path}: not a network of Keras 3: {one_line(error)}") from error
    return {"model_config": text, "keras_version": str(version)}, named


def _entry(archive, name, most):
    size = archive.getinfo(name).file_size
    if size > most:
        raise ValueError(f"{name} would unpack to {size} bytes, more than {most}")
    return archive.read(name)


@contextlib.contextmanager
def _naming(path, weights) -> Iterator[None]:
    """Lets errors of the unpacked weights name the file that they came from."""
    try:
        yield
    except ValueError as error:
        raise type(error)(str(error).replace(str(weights), str(path))) from error


def _named(model, outer, folder, arrays):
    """Yields (name, array) of all weights of a network.

    Keras numbers the layers of a class in their order, and the weights of a layer.
    """
    numbers = {}
    for item in model["config"]["layers"]:
        kind, settings = item["class_name"], item["config"]
        place = _snake_case(kind)
        numbers[place] = number = numbers.get(place, -1) + 1
        place = f"{folder}{place}_{number}" if number else f"{folder}{place}"
        name = settings["name"]
        if "layers" in settings:
            yield from _named(item, outer or name, f"{place}/layers/", arrays)
            continue
        lacking = {weight for weight, switch in _SWITCHES.items() if settings.get(switch) is False}
        names = [weight for weight in _ORDER.get(kind, ()) if weight not in lacking]
        for i, weight in enumerate(names):
            full = f"{outer}/{name}/{weight}" if outer else f"{name}/{weight}"
            yield full, arrays[f"{place}/vars/{i}"]


def _snake_case(kind: str) -> str:
    """As Keras writes the name of a class: `conv2d_transpose`, `leaky_re_lu`."""
    kind = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", kind).lower()
