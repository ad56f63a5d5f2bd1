"""A recipe and a data set become images, a GAN and options: what every training begins with."""

import dataclasses
import os
from collections.abc import Callable

from models.build import build_gan
from models.engines.processes import Processes
from models.presets import FOLLOW_DATA, Preset, preset
from models.recipe import Options
from models.WGANGP import WGANGP
from utils.loaders import ImageStream, data_size, load_images
from utils.sources import RULES


@dataclasses.dataclass(frozen=True)
class Session:
    """One training by a recipe.

    Attributes:
        x_train: the images.
        gan: with the weights it begins with.
        options: how it is trained.
    """

    x_train: ImageStream
    gan: WGANGP
    options: Options

    def train(self, folder: str | os.PathLike, judge_for: Callable) -> None:
        """Trains as `WGANGP.train` does, and raises as it does.

        Args:
            folder: the run folder.
            judge_for: `lines.judge.judge_for`, or a function with its arguments: finds the judge
                of images of one size, or None where no law of theirs is known.
        """
        size, batch_size = self.gan.input_dim[0], self.options.batch_size
        judge = judge_for(size, training=self.x_train.first(batch_size))
        options = dataclasses.replace(self.options, judge=judge)
        self.gan.train(self.x_train, batch_size, options.epochs, folder, options=options)


def preset_for(data: str | os.PathLike, name: str, networks: dict, settings: dict) -> Preset:
    """A preset whose networks have the size of the data, where its recipe is one for any data.

    Args:
        data: a zip or a folder of images.
        name: one of `models.presets.NAMES`.
        networks: arguments of `preset`: `image_size`, `width` and `channels`; those that are
            missing or None are the preset's, or the data's.
        settings: fields of `Recipe`; those that are None are the preset's.

    Raises:
        FileNotFoundError, ValueError: as `preset`, `Recipe` and `utils.loaders.data_size`.
    """
    networks, settings = _given(networks), _given(settings)
    if "image_size" not in networks and name in FOLLOW_DATA:
        networks["image_size"] = data_size(data, FOLLOW_DATA[name])
    chosen = preset(name, **networks)
    return dataclasses.replace(chosen, recipe=dataclasses.replace(chosen.recipe, **settings))


def open_session(
    data: str | os.PathLike,
    chosen: Preset,
    options: Options,
    rules: int = RULES,
    processes: Processes = Processes(),  # noqa: B008, frozen
) -> Session:
    """Loads the images and builds the GAN; says which colours they have, where these are few.

    Args:
        data: a zip or a folder of images.
        chosen: networks and hyperparameters.
        options: how it is trained.
        rules: which files count as images, see `utils.loaders.load_images`.
        processes: see `WGANGP`.

    Raises:
        FileNotFoundError, ValueError: as `load_images` and `build_gan`.
    """
    recipe, batch_size = chosen.recipe, options.batch_size
    x_train = load_images(
        data,
        chosen.image_size,
        batch_size,
        recipe.seed,
        chosen.channels,
        held_back=recipe.held_back,
        rules=rules,
    )
    palette = x_train.palette()
    if palette:
        print(f"{palette}.")
    colours = palette.colours if palette else None
    gan = build_gan(chosen.networks, batch_size, recipe, colours, processes)
    return Session(x_train, gan, options)


def _given(values: dict) -> dict:
    return {name: value for name, value in values.items() if value is not None}
