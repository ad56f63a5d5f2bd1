"""A small model, its training, and what tests read from its files."""

import json
import os
from unittest import mock

import numpy as np
from PIL import Image

from utils.files import replacing

TINY = {
    "input_dim": (16, 16, 3),
    "critic_conv_filters": [4, 8],
    "critic_conv_kernel_size": [3, 3],
    "critic_conv_strides": [2, 2],
    "critic_batch_norm_momentum": None,
    "critic_activation": "leaky_relu",
    "critic_dropout_rate": None,
    "critic_learning_rate": 0.0002,
    "generator_initial_dense_layer_size": (4, 4, 8),
    "generator_upsample": [1, 1],
    "generator_conv_filters": [4, 3],
    "generator_conv_kernel_size": [4, 4],
    "generator_conv_strides": [2, 2],
    "generator_batch_norm_momentum": 0.9,
    "generator_activation": "leaky_relu",
    "generator_dropout_rate": None,
    "generator_learning_rate": 0.0002,
    "optimiser": "adam",
    "grad_weight": 10,
    "z_dim": 5,
    "batch_size": 4,
}
"""Arguments of a WGANGP that trains within seconds."""


def train(gan, data, folder, epochs, **options):
    """Trains `gan` on a zip of 16-pixel images, two critic updates per epoch.

    Its `converge.png` is empty: to draw one takes as long as a small training. Scripts and
    notebooks draw theirs, and test_curves.py looks at it.
    """
    from models.recipe import Options  # here: the tests of lines/ need no framework
    from utils.loaders import load_images

    stream = load_images(data, 16, 4, held_back=gan.recipe.held_back)
    options = {
        "print_every_n_batches": 2,
        "n_critic": 2,
        "rows": 2,
        "columns": 3,
        "evaluate_every": 0,  # None would depend on the clock
    } | options
    with mock.patch("utils.callbacks.plot_convergence", no_curves):
        gan.train(stream, 4, epochs, folder, options=Options(**options))


def no_curves(path, *_):
    with replacing(path) as temporary:
        Image.new("L", (1, 1)).save(temporary)


class StopAt:
    """A callback that ends a session after an epoch, as Ctrl-C does."""

    def __init__(self, epoch):
        self.at = epoch

    def __getattr__(self, name):
        return lambda *arguments, **options: None

    def set_model(self, model):
        self.model = model

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at:
            self.model.stop_training = self.model.interrupted = True


def state(gan):
    """Every variable of the training by its name."""
    import keras

    from models.training import checkpoint

    return {
        name: keras.ops.convert_to_numpy(variable)
        for name, variable in checkpoint.variables(gan).items()
    }


def replanned(folder, epochs):
    """Changes the planned number of epochs in `params.json`, keeping its time."""
    content = json.loads((folder / "params.json").read_text())
    content["training"]["epochs"] = epochs
    before = (folder / "params.json").stat().st_mtime
    (folder / "params.json").write_text(json.dumps(content))
    os.utime(folder / "params.json", (before, before))


def batches(rng, count=1):
    return rng.uniform(-1, 1, (count, 4, 16, 16, 3)).astype(np.float32)


def linear_critic(w):
    """A critic of 16-pixel images whose score is w·image."""
    import keras

    images = keras.Input((16, 16, 3))
    score = keras.layers.Dense(1, use_bias=False)(keras.layers.Flatten()(images))
    critic = keras.Model(images, score)
    critic.set_weights([w.reshape(-1, 1)])
    return critic


def lines(file):
    return file.read_text().count("\n") if file.exists() else 0


def contents(folder):
    """Every file of a run by its name: bytes, or the arrays of an HDF5 file."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {
        str(file.relative_to(folder)): arrays(file) if file.suffix == ".h5" else file.read_bytes()
        for file in files
    }


def check_same_files(whole, other, why=""):
    """Two runs left the same files with the same content."""
    one, other = contents(whole), contents(other)
    assert one.keys() == other.keys()
    for name, content in one.items():
        if not name.endswith(".h5"):
            assert content == other[name], f"{name} differs {why}"
            continue
        assert content.keys() == other[name].keys() and len(content) > 5
        for entry, values in content.items():
            assert np.array_equal(values, other[name][entry]), f"{name}: {entry} {why}"


def arrays(path):
    """The arrays of an HDF5 file by name."""
    import h5py

    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]} if hasattr(item, "shape") else {})
        )
    return found
