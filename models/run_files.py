"""What a training leaves in its run folder, and how it is taken up again."""

import inspect
from pathlib import Path

from models import checkpoint
from utils import network_files, runs
from utils.images import grid, save_picture
from utils.latents import draw_images


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
        return runs.params(model=named)["model"]

    def _params(self):
        return runs.params(model=self.config, training=self.training)

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
        model = runs.params(model=self.config)
        runs.check_params(weights.parent, model, {"precision"}, self._defaults())
        checkpoint.load(path, self)
