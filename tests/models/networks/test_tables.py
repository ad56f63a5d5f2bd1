"""The recipe `lines`: a generator that is a table, a critic of strips."""

import keras
import numpy as np
import pytest
from keras import ops

from models.build import build_gan
from models.networks.shapes import Tables
from models.networks.tables import build_strip_critic, build_table_generator, give_roles
from models.presets import preset
from models.recipe import Recipe

PALETTE = np.array([[0, 0, 0], [255, 255, 255], [185, 33, 19]], np.uint8)


def z_of(choices, variants):
    z = np.zeros((1, len(choices), variants), np.float32)
    z[0, range(len(choices)), choices] = 1
    return z.reshape(1, -1)


def assign(generator, name, kernel):
    """Sets a table of a thing; its places lean to no side, and its colours cover no others."""
    generator.get_layer(f"generator_{name}").kernel.assign(kernel)
    table, thing = name.split("_")
    shared = {"places": "lean", "colours": "cover"}[table]
    beside = generator.get_layer(f"generator_{shared}_{thing}")
    beside.kernel.assign(np.zeros(beside.kernel.shape))


def test_a_table_by_hand():
    """Thing 0 draws a column, thing 1 a row on top of it; colour 1 is white, colour 2 red."""
    generator = build_table_generator((4, 6, 3), 2, 3, PALETTE)
    for thing, first in enumerate((4, 0)):  # of 4 rows and then 6 columns
        places = np.zeros((3, 10))
        places[range(3), range(first, first + 3)] = 50  # softmax: 1 there, 0 elsewhere
        assign(generator, f"places_{thing}", places)
        # A weight of 1, times 10 / 8 for sides of 4 and 6 pixels.
        colours = np.array([[20, 0], [0, 20], [0, 0]]) * (1 + thing)
        assign(generator, f"colours_{thing}", colours)
    # Place, colour, place, colour: column 2 in white, row 0 in red.
    image = ops.convert_to_numpy(generator(z_of([2, 0, 0, 1], 3)))[0]
    expected = np.zeros((4, 6, 3))
    expected[:, 2], expected[0] = PALETTE[1], PALETTE[2]
    assert np.allclose(image, expected / 127.5 - 1, atol=0.02)
    # The column in red, and no colour for the row.
    image = ops.convert_to_numpy(generator(z_of([2, 1, 0, 2], 3)))[0]
    expected[0], expected[:, 2] = PALETTE[0], PALETTE[2]
    assert np.allclose(image, expected / 127.5 - 1, atol=0.02)


def test_weights_are_shared_among_few_pixels():
    """Of 16 rows and columns, one has weight 2, of two each has 1, and of all each has 1/8."""
    generator = build_table_generator((8, 8, 1), 1, 3, np.array([[0], [255]], np.uint8))
    places = np.zeros((3, 16))
    places[0, 3], places[1, [3, 4]] = 50, 50
    assign(generator, "places_0", places)
    assign(generator, "colours_0", np.full((3, 1), 6.0))
    images = ops.convert_to_numpy(generator(np.vstack([z_of([i, 0], 3) for i in range(3)])))

    def grey(weight):  # beside the paper's logit of 6
        return 2 / (1 + np.exp(6 - 6 * weight)) - 1

    assert images[0, 3, :, 0] == pytest.approx(grey(2), abs=1e-5)
    assert images[1, 3, :, 0] == pytest.approx(grey(1), abs=1e-5)
    assert images[0, 5, :, 0] == pytest.approx(grey(0), abs=1e-5)
    assert images[2] == pytest.approx(grey(2 / 8), abs=1e-5)


def test_of_two_things_in_one_place_the_one_that_covers_more_is_seen():
    generator = build_table_generator((8, 8, 3), 2, 2, PALETTE)
    for thing in (0, 1):  # each in row 3, with a weight of 16 / 8
        places = np.zeros((2, 16))
        places[:, 3] = 50
        assign(generator, f"places_{thing}", places)
    assign(generator, "colours_0", [[10, -10], [10, -10]])
    assign(generator, "colours_1", [[-10, 10], [-10, 10]])
    # Both colours have a logit of 2 (10 - 10 / 5) = 16, far above that of the paper, which is 6.
    row = ops.convert_to_numpy(generator(z_of([0, 0, 0, 0], 2)))[0, 3]
    assert np.allclose(row, (PALETTE[1] / 2 + PALETTE[2] / 2) / 127.5 - 1, atol=0.001)
    for thing in (0, 1):
        cover = generator.get_layer(f"generator_cover_{thing}").bias
        cover.assign([1 / 0.03])  # twice as large
        row = ops.convert_to_numpy(generator(z_of([0, 0, 0, 0], 2)))[0, 3]
        assert np.allclose(row, PALETTE[1 + thing] / 127.5 - 1, atol=0.001)
        cover.assign([0])


def test_standard_normal_latents_choose_all_variants_alike():
    generator = build_table_generator((4, 4, 1), 1, 4, np.array([[0], [255]], np.uint8))
    places = np.zeros((4, 8))
    places[range(4), range(4)] = 50  # a place's number is the row that is white
    assign(generator, "places_0", places)
    assign(generator, "colours_0", np.full((4, 1), 20.0))
    z = np.random.default_rng(0).standard_normal((2000, 8), np.float32)
    drawn = ops.convert_to_numpy(generator(z))[..., 0]
    chosen = (drawn[:, :, 0] > 0).argmax(1)
    assert np.array_equal(chosen, z[:, :4].argmax(1))
    assert np.abs(np.bincount(chosen) - 500).max() < 80  # 4 standard deviations


def test_what_the_networks_refuse():
    with pytest.raises(ValueError, match=r"2 or more colours of 3 channels, received \(2, 1\)"):
        build_table_generator((4, 4, 3), 2, 4, np.zeros((2, 1), np.uint8))
    with pytest.raises(ValueError, match="2 or more variants, received 6 of 1"):
        build_table_generator((4, 4, 3), 3, 1, PALETTE)
    with pytest.raises(ValueError, match="draws with the colours of its data"):
        build_gan(Tables(64), 16, Recipe())
    with pytest.raises(ValueError, match="for 64 and 128 pixels, received 32"):
        preset("lines", 32)


def test_the_critic_of_strips_is_as_large_as_in_the_trials():
    assert build_strip_critic((64, 64, 3)).count_params() == 421_489
    assert build_strip_critic((128, 128, 1)).output_shape == (None, 1)


def test_grey_images_and_both_sizes_build():
    for size, channels, colours in ((64, 1, 2), (128, 3, 5)):
        palette = np.arange(colours * channels, dtype=np.uint8).reshape(colours, channels)
        chosen = preset("lines", size, channels=channels)
        gan = build_gan(chosen.networks, 2, chosen.recipe, palette)
        assert gan.input_dim == (size, size, channels) == gan.generator.output_shape[1:]
        assert gan.config["networks"] == "places" and gan.config["palette"] == palette.tolist()
        average = gan.drawing_generator().get_layer("generator_palette").kernel
        assert np.allclose(ops.convert_to_numpy(average)[0, 0], palette / 127.5 - 1)


def test_a_narrow_table_has_fewer_variants():
    assert preset("lines", 64).networks.variants == 256
    assert preset("lines", 64, 0.5).networks.variants == 128


def leanings(generator):
    """Of each thing, the mean share of the weights that its variants give to the columns."""
    names = [f"generator_shares_{thing}" for thing in range(3)]
    shares = keras.Model(generator.input, [generator.get_layer(name).output for name in names])
    z = np.random.default_rng(0).standard_normal((500, generator.input_shape[1]), np.float32)
    return [ops.convert_to_numpy(one)[:, 64:].sum(1).mean() for one in shares(z)]


def test_training_begins_with_different_roles_and_the_average_has_them_too():
    gan = build_gan(Tables(64, variants=64), 2, Recipe(generator_average=100), PALETTE)
    for network in (gan.generator, gan.drawing_generator()):
        # A softmax of logits 1.5 and -1.5 gives 0.95; of equal ones 0.5.
        assert leanings(network) == pytest.approx([0.95, 0.5, 0.05], abs=0.06)


def test_what_leans_a_thing_to_rows_favours_no_row():
    generator = build_table_generator((4, 6, 3), 1, 3, PALETTE)
    assign(generator, "places_0", np.zeros((3, 10)))
    lean = generator.get_layer("generator_lean_0")
    lean.bias.assign([np.log(2)])  # rows 2 to 1/2: 4 times as much as columns
    shares = keras.Model(generator.input, generator.get_layer("generator_shares_0").output)
    found = ops.convert_to_numpy(shares(z_of([1, 0], 3)))[0]
    assert found == pytest.approx([4 / 22] * 4 + [1 / 22] * 6)
    assert not generator.get_layer("generator_sides_0").trainable


def test_one_thing_alone_has_no_role():
    generator = build_table_generator((4, 6, 3), 1, 2, PALETTE)
    before = generator.get_weights()
    give_roles(generator, 1)
    assert all(map(np.array_equal, before, generator.get_weights()))
