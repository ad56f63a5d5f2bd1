"""The critic's choice of variants, with networks whose scores are known."""

import keras
import numpy as np
import pytest
from keras import ops

from models.networks.tables import build_table_generator
from models.selection import describe_selection, keep_variants, variant_scores
from models.WGANGP import WGANGP
from tests.helpers.small import TINY

GREY = np.array([[0], [255]], np.uint8)


def brightness():
    """A generator of two groups of four variants: more of each group's later ones are white."""
    generator = build_table_generator((4, 4, 1), 2, 4, GREY)
    rows = np.zeros((2, 4, 2, 4), np.float32)
    for variant in range(4):
        rows[0, variant, 1, :variant] = 60  # white rows, as many as the variant's number
    columns = np.zeros((8, 8), np.float32)
    columns[:, :4] = 10  # black elsewhere
    generator.get_layer("generator_rows").kernel.assign(rows.reshape(8, 8))
    generator.get_layer("generator_columns").kernel.assign(columns)
    return generator


def critic(sign):
    images = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(images)
    network = keras.Model(images, keras.layers.Dense(1, use_bias=False)(flat))
    network.set_weights([np.full((16, 1), sign / 16, np.float32)])
    return network


def test_scores_of_variants_are_means_over_their_images():
    scores = variant_scores(critic(1), brightness())
    assert np.allclose(scores[0], [-1, -0.5, 0, 0.5], atol=1e-5)  # the other group changes nothing
    assert np.abs(scores[1] + 0.25).max() < 0.2  # the mean of all, and chance
    assert np.array_equal(scores, variant_scores(critic(1), brightness()))


def test_the_best_variants_are_kept():
    generator = brightness()
    z = np.random.default_rng(1).standard_normal((200, 8), np.float32)
    before = ops.convert_to_numpy(generator(z))
    for sign, allowed in ((1, {2, 3}), (-1, {0, 1})):
        kept = keep_variants(generator, variant_scores(critic(sign), generator), 0.5)
        images = ops.convert_to_numpy(kept(z))
        white_rows = (images[:, :, 0, 0] > 0).sum(1)
        assert set(white_rows.tolist()) == allowed
        unchanged = np.isin(z[:, :4].argmax(1), list(allowed))  # a seed keeps its picture
        assert np.array_equal(images[unchanged], before[unchanged])
    assert np.array_equal(ops.convert_to_numpy(generator(z)), before)
    assert np.array_equal(
        ops.convert_to_numpy(keep_variants(generator, np.zeros((2, 4)), 1)(z)), before
    )


def test_what_it_costs_is_said():
    assert describe_selection(3, 256, 0.75) == (
        "generator.h5 draws with 192 of 256 variants in each of 3 groups, those whose images the "
        "critic scores highest: 42% of the combinations."
    )


def test_choices_need_variants():
    with pytest.raises(ValueError, match="variants_kept below 1 needs a generator with categ"):
        WGANGP(**TINY, variants_kept=0.5)
