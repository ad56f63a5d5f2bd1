"""Categorical latents: which generators have them, and latents that choose given variants."""

import keras
import numpy as np

from models.WGANGP import WGANGP
from tests.helpers.graphs import graph_generator
from tests.helpers.small import TINY
from tests.helpers.tables import line_generator, line_picture, masked
from utils.drawing.latents import draw, latent_groups, seed_latents

MASK = [[0.0] * 8, [0.0] * 3 + [-1e9] + [0.0] * 4, [-1e9] + [0.0] * 7]


def test_which_generators_have_categorical_latents():
    assert latent_groups(WGANGP(**TINY).generator) is None
    table = latent_groups(line_generator())
    assert table.shape == (3, 8) and table.scale == 1e4 and not table.gaussian
    assert table.allowed.all() and not table.offsets.any()
    both = latent_groups(graph_generator())
    assert both.shape == (2, 4) and both.scale == 100 and both.gaussian
    with_mask = latent_groups(masked(line_generator(), MASK))
    assert np.argwhere(~with_mask.allowed).tolist() == [[1, 3], [2, 0]]
    assert with_mask.offsets[1, 3] == -1e5


def test_layers_that_only_look_like_a_choice():
    def network(scale, axis, shape=(2, 4)):
        z = keras.Input((8,))
        x = keras.layers.Rescaling(scale)(keras.layers.Reshape(shape)(z))
        x = keras.layers.Flatten()(keras.layers.Softmax(axis)(x))
        return keras.Model(z, keras.layers.Reshape((2, 4, 1))(x))

    assert latent_groups(network(100, -1)).shape == latent_groups(network(100, 2)).shape == (2, 4)
    assert latent_groups(network(4, -1)) is None  # soft
    assert latent_groups(network(100, 1)) is None  # over the groups
    assert latent_groups(network(100, -1, (2, 2, 2))) is None


def test_the_choice_is_what_the_generator_draws():
    for generator in (line_generator(), masked(line_generator(), MASK)):
        z = seed_latents(list(range(20)), 24)
        choice = latent_groups(generator).chosen(z)
        expected = np.stack([line_picture(variants) for variants in choice])
        assert np.array_equal(draw(generator, z), expected)
    cut = z.reshape(20, 3, 8)
    assert (cut.argmax(2)[:, 1] == 3).any() and not (choice[:, 1] == 3).any()
    assert np.array_equal(choice[:, 0], cut.argmax(2)[:, 0])


def test_latents_for_a_choice_are_those_of_the_seed_in_another_order():
    generator = masked(line_generator(), MASK)
    groups, z = latent_groups(generator), seed_latents(list(range(8)), 24)
    choice = np.stack([np.arange(8), np.full(8, 4), 1 + np.arange(8) % 7], axis=1)
    chosen = groups.choose(z, choice)
    assert chosen.dtype == np.float32 and np.array_equal(groups.chosen(chosen), choice)
    assert np.array_equal(np.sort(chosen.reshape(8, 3, 8)), np.sort(z.reshape(8, 3, 8)))
    expected = np.stack([line_picture(variants) for variants in choice])
    assert np.array_equal(draw(generator, chosen), expected)


def test_held_latents_change_as_little_as_possible():
    groups = latent_groups(line_generator(2))
    z = np.array([[0.5, 1.5, 2, 0, 1, 1]], np.float32)
    held = groups.hold(z, np.array([[0, 0, 1]]))
    # 32 of the softmax's logits are 0.0032 of the latents.
    assert np.allclose(held, [[1.5032, 1.5, 2, 0, 1, 1.0032]], atol=1e-6)
