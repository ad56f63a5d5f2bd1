"""Sessions: a recipe and a data set become images, a GAN and options."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from models.presets import preset
from models.session import open_session, preset_for
from utils.loaders import load_images


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """24 drawings of 32 pixels in three colours."""
    folder = tmp_path_factory.mktemp("drawings")
    for i in range(24):
        image = Image.new("RGB", (32, 32), "white")
        image.paste("black", (0, 0, i + 8, 16))
        image.paste("red", (0, 16, 32 - i, 32))
        image.save(folder / f"{i:02}.png")
    return folder


def test_networks_have_the_size_of_the_data_where_no_other_is_asked_for(data):
    settings = {"seed": 3, "augment": None}
    chosen = preset_for(data, "fast", {"image_size": None, "channels": 1}, settings)
    expected = preset("fast", 32, channels=1)
    assert chosen.networks == expected.networks and chosen.channels == 1
    assert chosen.recipe == dataclasses.replace(expected.recipe, seed=3)
    assert preset_for(data, "fast", {"image_size": 64}, {}).image_size == 64
    assert preset_for(data, "lines", {}, {}).image_size == 64  # the smallest that there is
    reference = preset_for(data, "reference", {}, {"augment": "flip"})
    assert (reference.image_size, reference.channels) == (128, 3)
    assert reference.networks == preset("reference").networks
    with pytest.raises(ValueError, match="augment must be one of"):
        preset_for(data, "fast", {}, {"augment": "rotate"})


def test_a_session_has_the_images_and_the_gan_of_its_recipe_and_trains(data, tmp_path, capsys):
    chosen = preset_for(data, "fast", {"width": 1 / 32}, {"held_back": 0.0, "seed": 5})
    options = chosen.with_options(epochs=1, batch_size=3, rows=1, columns=2, evaluate_every=0)
    session = open_session(data, chosen, options)
    assert "3 colours cover 100 % of the pixels." in capsys.readouterr().out
    expected = load_images(data, 32, 3, seed=5)
    assert np.array_equal(session.x_train[0][0], expected[0][0])
    config = session.gan.config
    assert config["palette"] == [[255, 255, 255], [255, 0, 0], [0, 0, 0]]
    assert (config["batch_size"], config["width"], config["seed"]) == (3, 1 / 32, 5)
    asked = []

    def judge_for(size, training):
        asked.append((size, training.shape))

    session.train(tmp_path / "run", judge_for)
    assert asked == [(32, (3, 32, 32, 3))]
    assert session.gan.epoch == 1 and (tmp_path / "run" / "generator.h5").exists()
