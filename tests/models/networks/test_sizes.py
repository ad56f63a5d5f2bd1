"""Other sizes, widths and grey images; memory foreseen; a budget of minutes."""

import json
import os

import psutil
import pytest
from PIL import Image

from models.networks.shapes import networks_for
from models.presets import PRESETS, preset
from models.recipe import Options
from models.training import memory
from models.WGANGP import WGANGP
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY, train
from utils.generator.load import load_generator
from utils.images import SIZES
from utils.loaders import load_images


def test_128_pixels_in_colours_are_the_reference_block():
    reference = PRESETS["lines128"]
    derived = networks_for(128)
    assert derived == {name: reference.networks[name] for name in derived} and len(derived) == 9
    assert preset("lines128", 128, 1) == preset("lines128") == reference
    assert preset("lines128", 64, 0.25) == PRESETS["lines64"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_networks_take_and_draw_every_size(size, channels):
    gan = WGANGP(**preset("lines128", size, 1 / 32, channels).networks, batch_size=2)
    shape = (size, size, channels)
    assert gan.generator.output_shape == gan.critic.input_shape == (None, *shape)
    widest = max(gan.config["critic_conv_filters"])
    assert widest == 32 and gan.critic.get_layer("critic_flatten").output.shape[1] <= 64 * widest


def test_by_hand_for_256_pixels_at_half_the_width():
    derived = networks_for(256, 1, 0.5)
    assert derived["critic_conv_filters"] == [32, 64, 128, 256, 512]
    assert derived["generator_conv_filters"] == [256, 128, 64, 32, 1]
    assert derived["generator_initial_dense_layer_size"] == (8, 8, 256)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((100,), "image_size must be one of 32, 64, 128, 256, 512, received 100"),
        ((64, 2), "channels must be 1 or 3, received 2"),
        ((64, 3, 0.01), "width must lie between 1/32 and 8, received 0.01"),
    ],
)
def test_sizes_without_networks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        networks_for(*arguments)
    with pytest.raises(ValueError, match="lines64-best has networks of its own for 64 pixels"):
        preset("lines64-best", 128)


def test_grey_images_from_training_to_evaluation(tiny_zip, tmp_path, monkeypatch, capsys):
    stream = load_images(tiny_zip, 16, 4, channels=1)
    colour = load_images(tiny_zip, 16, 4)[3][0]
    assert stream[3][0].shape == (4, 16, 16, 1) and colour.shape == (4, 16, 16, 3)
    grey = TINY | {"input_dim": (16, 16, 1), "generator_conv_filters": [4, 1]}
    gan = WGANGP(**grey)
    folder = tmp_path / "0001_tiny"
    options = {"print_every_n_batches": 2, "n_critic": 1, "rows": 2, "columns": 2}
    gan.train(stream, 4, 3, folder, options=Options(evaluate_every=2, **options))
    assert Image.open(folder / "images" / "sample_2.png").mode == "L"
    assert Image.open(folder / "images" / "real.png").mode == "L"
    generator = folder / "generator.h5"
    assert load_generator(generator).output_shape == (None, 16, 16, 1)
    monkeypatch.chdir(tmp_path)
    for line in (
        "images --seeds 0-2 --labels --transparent white",
        "walk --seeds 1,2 --seconds 1",
        f"nearest --seeds 1 --data {tiny_zip}",
        "export --out g.npz",
    ):
        assert run_here(f"generate.py {line} --generator {generator}".split(), monkeypatch) == 0
    line = f"evaluate.py --generator {generator} --data {tiny_zip} --count 20"
    assert run_here(line.split(), monkeypatch) == 0
    assert "nearest_median" in capsys.readouterr().out


def test_the_error_for_a_batch_that_is_too_large_names_one_that_fits(monkeypatch, capsys):
    gan = WGANGP(**preset("lines64").networks, batch_size=4096)
    needed = memory.memory_needed(gan, 4096)
    assert needed == pytest.approx(0.9e9 + 28 * 1_570_596 + 16 * 4096 * 344_168, rel=0.01)
    monkeypatch.setattr(memory, "memory_available", lambda: (4e9, "this machine"))
    with pytest.raises(ValueError, match=r"about 23.\d GB, this machine has 4.0 GB; --batch"):
        memory.check_memory(gan)
    fits = memory.largest_batch(gan, 4e9)
    assert memory.memory_needed(gan, fits) <= 4e9 < memory.memory_needed(gan, 2 * fits)
    assert fits == 512 and memory.largest_batch(gan, 1e8) == 0
    small = WGANGP(**TINY)
    memory.check_memory(small)
    assert capsys.readouterr().out == "memory: about 0.9 GB of the 4.0 GB of this machine\n"


def test_the_memory_of_this_machine_or_its_gpu(monkeypatch, tmp_path):
    assert memory.memory_available() == (psutil.virtual_memory().total, "this machine")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 15360\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(memory, "_on_gpu", lambda: True)
    assert memory.memory_available() == (15360 * 2**20, "the GPU")


def test_minutes_end_a_training_and_the_same_command_adds_more(tiny_zip, tmp_path):
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, tmp_path, 10**9, minutes=0)
    assert gan.epoch == 1 and not gan.interrupted
    assert (tmp_path / "weights" / "checkpoint_1.h5").exists()
    again = WGANGP(**TINY)
    again.load_weights(tmp_path / "weights")
    train(again, tiny_zip, tmp_path, 3, minutes=60)
    assert again.epoch == 3  # the first of the two ends it


def test_minutes_replace_the_number_of_epochs_unless_rates_decay():
    plain, best = PRESETS["lines64"], PRESETS["lines64-best"]
    assert plain.with_options(minutes=90.0, epochs=None).epochs is None
    assert best.with_options(minutes=90.0, epochs=None).epochs is None  # planned by its speed
    assert plain.with_options(minutes=90.0, epochs=7).epochs == 7
    assert plain.with_options(minutes=None, epochs=None).epochs == 1201


def test_a_training_without_a_number_of_epochs_needs_constant_rates(tiny_zip, tmp_path):
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, tmp_path / "run", None, minutes=0)
    assert gan.epoch == 1
    params = json.loads((tmp_path / "run" / "params.json").read_text())
    assert params["training"]["epochs"] is None
    with pytest.raises(ValueError, match="this recipe needs the number of epochs"):
        train(WGANGP(**TINY, learning_rate_decay=0.5), tiny_zip, tmp_path / "other", None)
