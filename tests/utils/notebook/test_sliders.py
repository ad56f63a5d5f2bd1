"""The notebook's sliders, moved as a user moves them."""

import io

import numpy as np
from PIL import Image

from models.WGANGP import WGANGP
from tests.helpers.small import TINY
from tests.helpers.tables import line_generator, line_picture, masked
from utils.drawing.latents import draw, latent_groups, seed_latents
from utils.drawing.walks import walk
from utils.notebook.sliders import explorer


def test_sliders_draw_what_they_are_set_to():
    generator = WGANGP(**TINY, initial_weights="he").generator
    box = explorer(generator)
    seed, truncation, other, position, picture = box.children

    def shown():
        return np.asarray(Image.open(io.BytesIO(picture.value)))[::24, ::24]

    first = draw(generator, seed_latents([0], 5))[0]
    assert np.array_equal(shown(), first)
    seed.value = 7
    assert np.array_equal(shown(), draw(generator, seed_latents([7], 5))[0])
    other.value = 3
    position.value = 0.25
    at_a_quarter = walk(seed_latents([7, 3], 5), [0.25], easing="linear")
    assert np.array_equal(shown(), draw(generator, at_a_quarter)[0])
    truncation.value = 0.5
    assert np.array_equal(shown(), draw(generator, at_a_quarter / 2)[0])
    position.value = 1
    assert np.array_equal(shown(), draw(generator, seed_latents([3], 5) / 2)[0])


def test_choosers_of_categorical_latents():
    generator = masked(line_generator(), [[0.0] * 8] * 2 + [[-1e9] + [0.0] * 7])
    groups = latent_groups(generator)
    *sliders, picture = explorer(generator).children
    names = ["seed", "walk to", "position", "group 1", "group 2", "group 3"]
    assert [slider.description for slider in sliders] == names
    seed, _, position, red, green, blue = sliders
    assert list(blue.options) == [1, 2, 3, 4, 5, 6, 7]  # variant 0 is masked

    def shows(choice):
        shown = np.asarray(Image.open(io.BytesIO(picture.value)))[::48, ::48]
        return np.array_equal(shown, line_picture(choice))

    seed.value = 7
    choice = groups.chosen(seed_latents([7], 24))[0].tolist()
    assert shows(choice) and [red.value, green.value, blue.value] == choice
    red.value, blue.value = 0, 7
    assert shows([0, choice[1], 7])
    position.value = 1  # seed 1
    assert shows([red.value, green.value, blue.value])
    assert [red.value, green.value, blue.value] == groups.chosen(seed_latents([1], 24))[0].tolist()
