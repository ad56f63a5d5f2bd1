"""Each new recipe, from pictures to an exported generator, on every framework."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from lines.dataset import write_zip
from models.build import build_gan
from models.presets import preset
from tests.helpers.small import state
from utils.drawing import draw, seed_latents
from utils.generator import load_generator
from utils.loaders import load_images

EPOCHS = 6


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "lines.zip"
    write_zip(path, count=200, size=64, weight=3)
    return path


def small(name):
    """A recipe with small networks, for a few updates of four images."""
    chosen = preset(name, 64)
    networks = dataclasses.replace(chosen.networks, **SMALLER[name])
    options = dataclasses.replace(
        chosen.options, batch_size=4, print_every_n_batches=2, evaluate_every=0, epochs=EPOCHS
    )
    recipe = dataclasses.replace(chosen.recipe, warmup=2)
    return dataclasses.replace(chosen, networks=networks, recipe=recipe, options=options)


SMALLER = {
    "lines": {"variants": 8},
    "fast": {"width": 1 / 8, "groups": 2, "variants": 4},
}


def train(chosen, data, folder, few_colours, stop_at=None):
    """Trains as `train.py` does; with `stop_at`, as if Ctrl-C came after that epoch."""
    stream = load_images(data, 64, 4, held_back=chosen.recipe.held_back)
    palette = stream.palette().colours if few_colours else None
    gan = build_gan(chosen.networks, 4, chosen.recipe, palette)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = gan.epoch == stop_at

    gan.resume(folder)
    options = dataclasses.replace(chosen.options, callbacks=(Stop(),))
    gan.train(stream, 4, EPOCHS, folder, options=options)
    return gan


@pytest.mark.parametrize(
    ("name", "few_colours"), [("lines", True), ("fast", True), ("fast", False)]
)
def test_a_recipe_trains_resumes_bit_for_bit_and_its_generator_opens(
    name, few_colours, data, tmp_path
):
    chosen = small(name)
    whole = train(chosen, data, tmp_path / "whole", few_colours)
    assert train(chosen, data, tmp_path / "broken", few_colours, stop_at=2).epoch == 2
    continued = train(chosen, data, tmp_path / "broken", few_colours)
    assert continued.epoch == whole.epoch == EPOCHS
    expected = state(whole)
    assert {*state(continued)} == {*expected}
    for variable, value in state(continued).items():
        assert np.array_equal(value, expected[variable]), variable
    files = [tmp_path / run / "generator.h5" for run in ("whole", "broken")]
    z = seed_latents([0, 1, 2], whole.z_dim)
    images, again = (draw(load_generator(file), z) for file in files)
    assert np.array_equal(images, again) and images.shape == (3, 64, 64, 3)
    plain = keras.models.load_model(files[0], compile=False)
    assert np.array_equal(draw(plain, z), images)
    assert np.isfinite(whole.d_losses).all() and whole.d_losses[0] != whole.d_losses[-1]
    if not few_colours:
        assert whole.generator.layers[-1].name == "generator_tanh"
        return
    weights = ops.convert_to_numpy(whole.generator.get_layer("generator_palette").kernel)
    colours = load_images(data, 64, 4).palette().colours
    assert np.allclose((weights[0, 0] + 1) * 127.5, colours, atol=1e-4)
