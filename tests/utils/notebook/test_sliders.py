"""The notebook's sliders, moved as a user moves them."""

import io

import numpy as np
from PIL import Image

from models.WGANGP import WGANGP
from tests.helpers.small import TINY
from utils.drawing.latents import draw, seed_latents
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
