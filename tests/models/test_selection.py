"""The critic's choice of variants, with networks whose scores are known."""

import keras
import numpy as np
import pytest
from keras import ops

from models.selection import (
    check_choices,
    describe_selection,
    keep_variants,
    renew_variants,
    variant_scores,
)
from models.tables import build_table_generator
from models.WGANGP import WGANGP
from tests.helpers.graphs import graph_generator
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


def test_the_worst_variants_begin_anew():
    generator = brightness()
    before = {
        layer.name: ops.convert_to_numpy(layer.kernel).copy()
        for layer in generator.layers
        if layer.weights
    }
    renew_variants(critic(1), generator, np.random.default_rng(3))
    again = brightness()
    renew_variants(critic(1), again, np.random.default_rng(3))
    changed = np.zeros(8, bool)
    for name in ("generator_rows", "generator_columns"):
        entries = ops.convert_to_numpy(generator.get_layer(name).kernel)
        changed |= (entries != before[name]).any(1)
        assert np.array_equal(entries, ops.convert_to_numpy(again.get_layer(name).kernel))
    first, second = np.flatnonzero(changed)
    assert first == 0 and 4 <= second < 8  # one of each group
    palette = ops.convert_to_numpy(generator.get_layer("generator_palette").kernel)
    assert np.array_equal(palette, before["generator_palette"])


def test_a_new_variant_has_the_role_of_its_group():
    """Both groups' entries vary four times as much in one table as in the other."""
    generator = build_table_generator((64, 64, 1), 2, 40, GREY)
    rng = np.random.default_rng(0)
    for name, spreads in (("generator_rows", (8, 2)), ("generator_columns", (2, 8))):
        entries = rng.standard_normal((2, 40, 128)) * np.reshape(spreads, (2, 1, 1))
        generator.get_layer(name).kernel.assign(entries.reshape(80, 128))
    before = {n: ops.convert_to_numpy(generator.get_layer(n).kernel) for n in ROLES}
    images = keras.Input((64, 64, 1))
    score = keras.layers.Dense(1)(keras.layers.Flatten()(images))
    renew_variants(keras.Model(images, score), generator, rng)
    for name, expected in ROLES.items():
        entries = ops.convert_to_numpy(generator.get_layer(name).kernel)
        new = (entries != before[name]).any(1).reshape(2, 40)
        assert new.sum(1).tolist() == [2, 2]  # a twentieth
        stddevs = [entries.reshape(2, 40, 128)[group, new[group]].std() for group in (0, 1)]
        assert stddevs == pytest.approx(expected, rel=0.2)


# The mean of the squares is that of the initial weights: 0.96² · 2 = a² + (a/4)².
_LARGER = 0.96 * np.sqrt(2 / (1 + 1 / 16))
ROLES = {
    "generator_rows": (_LARGER, _LARGER / 4),
    "generator_columns": (_LARGER / 4, _LARGER),
}


def test_what_it_costs_is_said():
    assert describe_selection(3, 256, 0.75) == (
        "generator.h5 draws with 192 of 256 variants in each of 3 groups, those whose images the "
        "critic scores highest: 42% of the combinations."
    )


def test_choices_need_variants():
    with pytest.raises(ValueError, match="variants_kept below 1 needs a generator with categ"):
        WGANGP(**TINY, variants_kept=0.5)
    with pytest.raises(ValueError, match="renew_every needs a generator that is a table"):
        WGANGP(**TINY, renew_every=10)
    both = graph_generator()  # its dense layers see more than the choices
    with pytest.raises(ValueError, match="renew_every needs a generator that is a table"):
        check_choices(both, keeps=True, renews=True)
    check_choices(brightness(), keeps=True, renews=True)
