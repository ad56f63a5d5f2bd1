"""The critic's choice of variants, with networks whose scores are known."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from models.build import build_gan
from models.networks.shapes import Tables
from models.recipe import Recipe
from models.selection import (
    choose_variants,
    describe_selection,
    draw_in_shares,
    effects_of_variants,
    fitted_shares,
)
from models.training.outputs import check_folder, save_params
from models.WGANGP import WGANGP
from tests.helpers.small import TINY
from tests.helpers.tables import COLOURS, alike, profile_generator
from utils.drawing import latent_groups
from utils.images import to_uint8

GREY = np.array([[0], [255]], np.uint8)


def brightness():
    """A generator of two groups of four variants: more of each group's later ones are white."""
    rows = np.zeros((2, 4, 2, 4), np.float32)
    for variant in range(4):
        rows[0, variant, 1, :variant] = 60  # white rows, as many as the variant's number
    columns = np.zeros((2, 4, 2, 4), np.float32)
    columns[:, :, 0] = 10  # black elsewhere
    return profile_generator((rows, columns), GREY)


def critic(sign):
    images = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(images)
    network = keras.Model(images, keras.layers.Dense(1, use_bias=False)(flat))
    network.set_weights([np.full((16, 1), sign / 16, np.float32)])
    return network


class Real:
    """An `ImageStream` of images that a generator draws."""

    def __init__(self, generator, count):
        z = np.random.default_rng(2).standard_normal((count, generator.input_shape[1]), np.float32)
        self.images = to_uint8(ops.convert_to_numpy(generator(z)))
        self.training_count = count

    def first(self, count, after=0):
        return self.images[after : after + count]


def test_variants_that_no_real_image_has_are_left_out():
    generator = brightness()
    z = np.random.default_rng(1).standard_normal((200, 8), np.float32)
    before = ops.convert_to_numpy(generator(z))
    for sign, stay in ((1, [False, False, True, True]), (-1, [True, True, False, False])):
        like = draw_in_shares(generator, alike([stay, [True] * 4]))
        shares = choose_variants(critic(sign), generator, Real(like, 500))
        assert (shares[0] > 0).tolist() == stay and shares[1].all()
        assert shares.sum(1) == pytest.approx(1)
        images = ops.convert_to_numpy(draw_in_shares(generator, alike(shares > 0))(z))
        white_rows = (images[:, :, 0, 0] > 0).sum(1)
        assert set(white_rows.tolist()) == set(np.flatnonzero(stay).tolist())
        unchanged = shares[0, z[:, :4].argmax(1)] > 0  # a seed keeps its picture
        assert np.array_equal(images[unchanged], before[unchanged])
    assert np.array_equal(ops.convert_to_numpy(generator(z)), before)


def stripes(variants):
    """A generator of one group: half of its variants draw a white row, the others a white column.

    The row and the column have as many pixels, so only how they lie tells them apart.
    """
    tables = np.zeros((2, 1, variants, 2, 8), np.float32)
    tables[:, :, :, 0] = 20  # black elsewhere
    tables[0, 0, : variants // 2, 1, 2] = 60
    tables[1, 0, variants // 2 :, 1, 5] = 60
    return profile_generator(tables, GREY)


def test_proportions_stay_those_of_the_real_images():
    """A critic that likes rows better would leave no column; half of the real images have one."""
    generator = stripes(8)
    images = keras.Input((8, 8, 1))
    likes_rows = keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(images)))
    weights = np.zeros((8, 8), np.float32)
    weights[2] = 0.1
    likes_rows.set_weights([weights.reshape(64, 1), np.zeros(1)])
    shares = choose_variants(likes_rows, generator, Real(generator, 1000))
    assert shares[0, :4].sum() == pytest.approx(0.5, abs=0.04)  # real images: 0.016 either way
    only_rows = draw_in_shares(generator, alike(np.arange(8)[None] < 4))
    shares = choose_variants(likes_rows, generator, Real(only_rows, 1000))
    assert shares[0] == pytest.approx([0.25] * 4 + [0] * 4, abs=0.02)


def test_variants_that_score_high_are_drawn_more_often():
    """By hand: N·(a − 1/N)² − 4·a·s is least at a = (1 + 2·s)/N; a tenth of 1/N is none."""
    even = np.zeros((2, 8, 50))
    scores = np.tile([0.25, -0.25], (2, 4))
    assert fitted_shares(scores, even) == pytest.approx((1 + 2 * scores) / 8)
    assert fitted_shares(0 * scores, even) == pytest.approx(1 / 8)
    scores[0, :2] = 0.46, -0.46  # 0.08 of 1/8
    shares = np.array([1.92, 0, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5])
    assert fitted_shares(scores, even)[0] == pytest.approx(shares / shares.sum())


def test_each_variant_is_drawn_as_often_as_real_images_have_what_it_draws():
    """Four variants draw one white row each; real images have them in other shares, one never."""
    rows = np.zeros((1, 4, 2, 4), np.float32)
    rows[0, range(4), 1, range(4)] = 60
    columns = np.zeros((1, 4, 2, 4), np.float32)
    columns[:, :, 0] = 10
    generator = profile_generator((rows, columns), GREY)
    wanted = np.array([[0.4, 0.3, 0.3, 0]])
    real = Real(draw_in_shares(generator, wanted), 4000)
    shares = choose_variants(critic(1), generator, real)
    assert shares == pytest.approx(wanted, abs=0.04)
    assert shares[0, 3] == 0  # rather than a picture in a hundred that no real image is like


def test_variants_are_drawn_in_given_shares():
    generator = brightness()
    wanted = np.array([[0.5, 0.35, 0.15, 0], [0.25] * 4])
    chosen = draw_in_shares(generator, wanted)
    groups = latent_groups(chosen)
    z = np.random.default_rng(3).standard_normal((40_000, 8), np.float32)
    choices = groups.chosen(z)
    for group, shares in enumerate(wanted):
        found = np.bincount(choices[:, group], minlength=4) / len(z)
        assert found == pytest.approx(shares, abs=0.01)  # 4 standard deviations
    assert groups.allowed.tolist() == [[True] * 3 + [False], [True] * 4]
    assert chosen.get_layer("generator_sharpen").get_config()["offset"][1] == [0] * 4
    white_rows = (ops.convert_to_numpy(chosen(z[:100]))[:, :, 0, 0] > 0).sum(1)
    assert np.array_equal(white_rows, choices[:100, 0])


def test_effects_of_variants_are_told_apart():
    """Each value is the sum of what its variants add; a mean alone would mix them with chance."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(3, size=(60, 2))
    added = rng.standard_normal((2, 3))
    values = added[0][chosen[:, 0]] + added[1][chosen[:, 1]]
    effects = effects_of_variants(chosen, values[:, None], (2, 3))[..., 0]
    assert effects - effects.mean(1, keepdims=True) == pytest.approx(
        added - added.mean(1, keepdims=True), abs=1e-3
    )
    assert effects.mean(1).sum() == pytest.approx(added.mean(1).sum(), abs=1e-3)


def test_what_it_costs_is_said():
    shares = np.zeros((3, 256))
    shares[:, :192] = 1 / 192
    assert describe_selection(shares) == (
        "generator.h5 leaves out 192 of 768 variants and draws the others as often as makes the "
        "images like the real ones on average, those more often whose images the critic scores "
        "high: the variety of 42% of the combinations."
    )
    # As varied as 4 alike variants would be 1; a half and two quarters are like 2^1.5 of them.
    assert "variety of 71% of" in describe_selection(np.array([[0.5, 0.25, 0.25, 0]]))


def test_choices_need_variants():
    with pytest.raises(ValueError, match="choose_variants needs a generator with categ"):
        WGANGP(**TINY, choose_variants=True)


def test_a_run_may_change_whether_it_chooses(tmp_path):
    def gan(**recipe):
        return build_gan(Tables(64, variants=4), 4, Recipe(**recipe), COLOURS)

    before = gan()
    save_params(tmp_path, before)
    params = json.loads((tmp_path / "params.json").read_text())
    del params["model"]["choose_variants"]
    params["model"]["variants_kept"] = 0.75  # as an earlier version wrote
    (tmp_path / "params.json").write_text(json.dumps(params))
    before.save_weights(tmp_path)
    after = gan(choose_variants=True)
    after.load_weights(tmp_path / "weights")
    after.epoch = 1
    check_folder(tmp_path, after)  # as its training will
    with pytest.raises(ValueError, match="warmup was 0 and is now 5; choose another run id"):
        gan(warmup=5).load_weights(tmp_path / "weights")
