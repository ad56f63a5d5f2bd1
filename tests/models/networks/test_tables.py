"""The recipe `lines`: a generator that is a table, a critic of strips."""

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


def test_a_table_by_hand():
    """Group 0 draws a column in white, group 1 a row in red on top of it."""
    generator = build_table_generator((4, 6, 3), 2, 3, PALETTE)
    rows = np.zeros((2, 3, 3, 4), np.float32)  # group, variant, colour, row
    columns = np.zeros((2, 3, 3, 6), np.float32)
    columns[:, :, 0] = 20  # black
    for variant in range(3):
        columns[0, variant, 1, variant] = 90
        rows[1, variant, 2, variant] = 200
    generator.get_layer("generator_rows").kernel.assign(rows.reshape(6, 12))
    generator.get_layer("generator_columns").kernel.assign(columns.reshape(6, 18))
    image = ops.convert_to_numpy(generator(z_of([2, 0], 3)))[0]
    expected = np.zeros((4, 6, 3))
    expected[:, 2], expected[0] = PALETTE[1], PALETTE[2]
    assert np.allclose(image, expected / 127.5 - 1, atol=1e-6)


def test_standard_normal_latents_choose_all_variants_alike():
    generator = build_table_generator((4, 4, 1), 2, 4, np.array([[0], [255]], np.uint8))
    rows = np.zeros((2, 4, 2, 4), np.float32)
    for variant in range(4):  # of the first group: its number is the row that is white
        rows[0, variant, 1, variant] = 50
    columns = np.zeros((8, 8), np.float32)
    columns[:, :4] = 10
    generator.get_layer("generator_rows").kernel.assign(rows.reshape(8, 8))
    generator.get_layer("generator_columns").kernel.assign(columns)
    z = np.random.default_rng(0).standard_normal((2000, 8), np.float32)
    drawn = ops.convert_to_numpy(generator(z))[..., 0]
    chosen = (drawn[:, :, 0] > 0).argmax(1)
    assert np.array_equal(chosen, z[:, :4].argmax(1))
    assert np.abs(np.bincount(chosen) - 500).max() < 80  # 4 standard deviations


def test_what_the_networks_refuse():
    with pytest.raises(ValueError, match=r"2 or more colours of 3 channels, received \(2, 1\)"):
        build_table_generator((4, 4, 3), 2, 4, np.zeros((2, 1), np.uint8))
    with pytest.raises(ValueError, match="2 or more variants, received 3 of 1"):
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
        assert gan.config["networks"] == "tables" and gan.config["palette"] == palette.tolist()
        average = gan.drawing_generator().get_layer("generator_palette").kernel
        assert np.allclose(ops.convert_to_numpy(average)[0, 0], palette / 127.5 - 1)


def test_a_narrow_table_has_fewer_variants_and_larger_steps():
    full, narrow = preset("lines", 64).networks, preset("lines", 64, 0.5).networks
    assert (full.variants, narrow.variants) == (256, 128)
    assert narrow.generator_learning_rate == 2 * full.generator_learning_rate


def test_groups_have_different_roles_from_the_start():
    generator = build_table_generator((4, 6, 3), 3, 2, PALETTE)
    for name in ("generator_rows", "generator_columns"):
        kernel = generator.get_layer(name).kernel
        kernel.assign(np.ones(kernel.shape))
    give_roles(generator, 3)
    rows = ops.convert_to_numpy(generator.get_layer("generator_rows").kernel)
    columns = ops.convert_to_numpy(generator.get_layer("generator_columns").kernel)
    assert rows[:, 0].tolist() == [0.5, 0.5, 1, 1, 2, 2]
    assert columns[:, 0].tolist() == [2, 2, 1, 1, 0.5, 0.5]
    assert (rows == rows[:, :1]).all() and (columns == columns[:, :1]).all()


def test_training_begins_with_the_roles_and_the_average_has_them_too():
    gan = build_gan(Tables(64, variants=8), 2, Recipe(generator_average=100), PALETTE)
    for network in (gan.generator, gan.drawing_generator()):
        spreads = [
            ops.convert_to_numpy(network.get_layer(name).kernel).reshape(3, -1).std(1)
            for name in ("generator_rows", "generator_columns")
        ]
        assert spreads[0] == pytest.approx([0.48, 0.96, 1.92], rel=0.1)
        assert spreads[1] == pytest.approx([1.92, 0.96, 0.48], rel=0.1)
