"""What a training leaves in its run folder, and how it is taken up again."""

import importlib.util
import inspect
import json
import logging
import os
import re
import shutil
from pathlib import Path

import h5py
import keras

from models.training import checkpoint
from models.training import outputs as network_files
from utils import runs
from utils.drawing import draw_images
from utils.files import replacing
from utils.images import grid, save_picture


class RunFiles:
    """The files of a `WGANGP`: samples, parameters, networks, checkpoints."""

    def settled_generator(self):
        """The generator that is saved, sampled and scored: its average where there is one."""
        return self.average.settle() if self.average else self.generator

    def sample_images(self, folder):
        """Writes `images/sample_<epoch>.png`: the images of seeds 0, 1, 2 …, the same every time.

        The number is that of the last epoch trained, counted from 0.
        """
        images = draw_images(self.settled_generator(), self._sample_rows * self._sample_columns)
        name = f"sample_{max(self.epoch - 1, 0)}.png"
        self._save_grid(Path(folder) / "images" / name, images)

    def _save_grid(self, path, images):
        save_picture(path, grid(images, self._sample_rows, self._sample_columns))

    def save(self, folder):
        """Writes `params.json` and the diagrams of `viz/`."""
        runs.write_params(folder, self._params())
        self.plot_model(folder)

    def _defaults(self):
        """Arguments that may be left out, as they stand in `params.json`."""
        arguments = inspect.signature(type(self)).parameters.values()
        named = {a.name: a.default for a in arguments if a.default is not a.empty}
        return runs.collect_params(model=named)["model"]

    def _params(self):
        return runs.collect_params(model=self.config, training=self.training)

    def plot_model(self, folder):
        """Writes diagrams of both networks to `viz/`; without Graphviz, summaries as text."""
        for network in (self.critic, self.generator):
            network_files.plot_network(network, Path(folder) / "viz")

    def save_model(self, folder):
        """Writes `generator.h5` and `critic.h5`, which any Keras 3 opens."""
        for network in (self.settled_generator(), self.critic):
            network_files.save_network(network, Path(folder) / f"{network.name}.h5")

    def save_weights(self, folder, keep=3):
        """Writes `weights/checkpoint_<epochs>.h5`, the whole training; the last `keep` stay."""
        checkpoint.save(Path(folder) / "weights", self, keep)

    def save_best(self, folder, rank):
        """Writes `weights/best.h5`, the whole training, and `generator_best.h5`.

        Args:
            folder: the run folder.
            rank: of its scores, which `best_rank` remembers.
        """
        checkpoint.write(Path(folder) / "weights" / "best.h5", self, rank)
        network_files.save_network(self.settled_generator(), Path(folder) / "generator_best.h5")

    def best_rank(self, folder):
        """The rank of `weights/best.h5`; None where there is none."""
        return checkpoint.best_rank(Path(folder) / "weights" / "best.h5")

    def load_weights(self, path):
        """Continues from a checkpoint, or from the last undamaged one in the folder `path`.

        Raises:
            FileNotFoundError: no checkpoint there.
            ValueError: one that does not fit this model, or beside a `params.json` that differs;
                the message shows the difference.
        """
        path = Path(path)
        weights = path if path.is_dir() else path.parent
        model = runs.collect_params(model=self.config)
        runs.check_params(weights.parent, model, {"precision"}, self._defaults())
        checkpoint.load(path, self)


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
