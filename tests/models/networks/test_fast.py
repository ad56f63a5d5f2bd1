"""The recipe `fast`: networks of every size, one-hot latents beside smooth ones, two heads."""

import numpy as np
import pytest
from keras import layers, ops

from models.build import build_gan
from models.networks.fast import build_fast_critic, build_fast_generator
from models.networks.shapes import Fast, FewColours
from models.networks.weights import initialise
from models.presets import FOLLOW_DATA, preset
from utils.images import SIZES

PALETTE = np.array([[0, 0, 0], [255, 255, 255], [185, 33, 19]], np.uint8)
SMALL = Fast(32, width=1 / 16, groups=2, variants=3)


def small_generator(palette=None):
    generator = build_fast_generator(SMALL, palette)
    initialise((generator,), 0, "he")
    return generator


def drawn(generator, z):
    return ops.convert_to_numpy(generator(np.asarray(z, np.float32)))


def test_the_rule_by_hand():
    found = {size: (Fast(size).strides, Fast(size).filters) for size in SIZES}
    assert found == {
        32: ([4, 2], [96, 128]),
        64: ([4, 4], [64, 128]),
        128: ([4, 4, 2], [48, 96, 128]),
        256: ([4, 4, 4], [32, 64, 128]),
        512: ([4, 4, 4, 2], [24, 48, 96, 128]),
    }
    assert Fast(512, width=0.5).filters == [12, 24, 48, 64]
    assert Fast(64, width=1 / 32).filters == [2, 4] and Fast(64, width=1 / 32).trunk_units == 8
    assert {size: FewColours(size).filters for size in (32, 64, 512)} == {
        32: [96, 256],
        64: [64, 256],
        512: [24, 48, 96, 256],
    }
    assert (FewColours(64).strip_units, FewColours(64, width=1 / 32).strip_units) == (128, 4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [Fast, FewColours])
def test_networks_take_and_draw_every_size(size, channels, kind):
    networks = kind(size, channels, 1 / 16)
    shape = (None, size, size, channels)
    generator, critic = build_fast_generator(networks), build_fast_critic(networks)
    assert generator.output_shape == critic.input_shape == shape
    assert generator.get_layer("generator_reshape").output.shape[1:3] == (4, 4)
    assert critic.get_layer("critic_flatten").input.shape[1:3] == (1, 1)


def test_weights_of_64_pixels_counted_by_hand():
    dense = (2 * 12 * 32 * 256 + 256) + (256 * 256 + 256) + (256 * 4 * 4 * 128 + 4 * 4 * 128)
    norms = 4 * (256 + 256 + 4 * 4 * 128 + 64)
    transposed = (4 * 4 * 64 * 128 + 64) + (8 * 8 * 3 * 64 + 3)
    assert build_fast_generator(Fast(64)).count_params() == dense + norms + transposed
    convolutions = (8 * 8 * 3 * 64 + 64) + (4 * 4 * 64 * 128 + 128) + (4 * 4 * 128 * 256 + 256)
    assert build_fast_critic(Fast(64)).count_params() == convolutions + 256 + 1


def test_weights_of_64_pixels_of_few_colours_counted_by_hand():
    dense = (2 * 12 * 32 * 256 + 256) + (256 * 256 + 256) + (256 * 4 * 4 * 256 + 4 * 4 * 256)
    norms = 4 * (256 + 256 + 4 * 4 * 256 + 64)
    transposed = (4 * 4 * 64 * 256 + 64) + (8 * 8 * 3 * 64 + 3)
    mixing = 3 * 3
    generator = build_fast_generator(FewColours(64), PALETTE)
    assert generator.count_params() == dense + norms + transposed + mixing
    convolutions = (8 * 8 * 3 * 64 + 64) + (4 * 4 * 64 * 256 + 256) + (4 * 4 * 256 * 512 + 512)
    strip = (64 * 3 * 64 + 64) + (64 * 8 + 8) + (64 * 8 * 128 + 128)
    joined = ((512 + 2 * 128) * 256 + 256) + (256 + 1)
    assert build_fast_critic(FewColours(64)).count_params() == convolutions + 2 * strip + joined


def test_where_colours_are_few_the_critic_sees_a_row_as_a_whole():
    """With no patch to see, the score tells the left half of a line, the right one and both."""
    critic = build_fast_critic(FewColours(32, width=1 / 16))
    initialise((critic,), 0, "he")
    for layer in critic.layers:
        if layer.name.startswith("critic_conv"):
            layer.kernel.assign(np.zeros(layer.kernel.shape))
    images = np.zeros((3, 32, 32, 3), np.float32)
    images[0, 5, :16] = images[1, 5, 16:] = images[2, 5] = 1
    assert len(np.unique(drawn(critic, images).round(4))) == 3


@pytest.mark.parametrize("palette", [None, PALETTE])
def test_both_kinds_of_latents_reach_the_images(palette):
    """Where two latents change places, the choice jumps; a step that changes none is small."""
    generator = small_generator(palette)
    first = [1, 1.01, -1, 0, 0.5, 1]
    other_choice = [1.01, 1, -1, 0, 0.5, 1]
    same_choice = [0.99, 1.02, -1, 0, 0.5, 1]
    a, b, c = drawn(generator, [first, other_choice, same_choice])
    assert 0 < np.abs(a - c).max() < np.abs(a - b).max() / 10


def test_with_a_palette_images_are_mixtures_of_its_colours():
    generator = small_generator(PALETTE)
    z = np.random.default_rng(0).standard_normal((4, 6))
    last = generator.get_layer("generator_conv_last")
    assert last.filters == 3 and not generator.get_layer("generator_palette").trainable
    last.kernel.assign(np.zeros(last.kernel.shape))
    last.bias.assign([-50, -50, 50])
    red = np.array([185, 33, 19]) / 127.5 - 1
    assert np.allclose(drawn(generator, z), red, atol=1e-6)
    last.bias.assign([50, -50, 50])
    assert np.allclose(drawn(generator, z), (red - 1) / 2, atol=1e-6)


def test_without_a_palette_images_end_in_tanh():
    generator = small_generator()
    last = generator.layers[-1]
    assert isinstance(last, layers.Activation) and last.activation.__name__ == "tanh"
    conv = generator.get_layer("generator_conv_last")
    conv.kernel.assign(np.zeros(conv.kernel.shape))
    conv.bias.assign([0, 1, -1])
    expected = np.tanh([0, 1, -1])
    assert np.allclose(drawn(generator, np.zeros((1, 6))), expected, atol=1e-6)


@pytest.mark.parametrize("palette", [None, PALETTE])
def test_the_gan_of_the_recipe(palette):
    chosen = preset("fast", 32, 1 / 32)
    gan = build_gan(chosen.networks, 2, chosen.recipe, palette)
    assert gan.input_dim == (32, 32, 3) and gan.z_dim == 12 * 32
    assert gan.config["networks"] == ("fast" if palette is None else "few colours")
    assert gan.config["width"] == 1 / 32
    assert gan.config["critic_learning_rate"] == (0.002 if palette is None else 0.0014)
    assert gan.config["palette"] == (None if palette is None else palette.tolist())


def test_a_rate_that_is_given_for_few_colours_stays():
    networks = FewColours(32, width=1 / 32, critic_learning_rate=0.001)
    gan = build_gan(networks, 2, preset("fast").recipe, PALETTE)
    assert gan.config["critic_learning_rate"] == 0.001


def test_it_follows_the_data_and_its_schedules_need_no_end():
    assert "fast" in FOLLOW_DATA
    chosen = preset("fast", 128, channels=1)
    assert chosen.networks == Fast(128, 1) and chosen.image_size == 128
    assert preset("fast").networks == Fast(64)
    assert chosen.with_options(minutes=10.0).epochs is None
    assert chosen.with_options(minutes=10.0, epochs=7).epochs == 7


def test_what_the_networks_refuse():
    with pytest.raises(ValueError, match="must be one of 32, 64, 128, 256, 512, received 100"):
        preset("fast", 100)
    with pytest.raises(ValueError, match="channels must be 1 or 3, received 2"):
        preset("fast", 64, channels=2)
    with pytest.raises(ValueError, match=r"between 1/32 and 8, received 0\.01"):
        preset("fast", 64, 0.01)
    with pytest.raises(ValueError, match=r"2 or more colours of 3 channels, received \(2, 1\)"):
        build_fast_generator(SMALL, np.zeros((2, 1), np.uint8))
    with pytest.raises(ValueError, match="2 or more variants, received 2 of 1"):
        build_fast_generator(Fast(32, groups=2, variants=1))
