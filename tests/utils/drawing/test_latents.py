"""Seeds and latents; what `generator.h5` draws from them, and which files are refused."""

import json
import shutil

import h5py
import keras
import numpy as np
import pytest

from models.training import outputs as network_files
from utils import hdf5
from utils.drawing.latents import batch_size, draw, parse_seeds, seed_latents
from utils.generator.load import load_generator


def test_generator_h5_draws_the_images_of_the_trained_network(run):
    gan, folder = run
    generator = load_generator(folder / "generator.h5")
    z = seed_latents(list(range(6)), 5)
    assert np.array_equal(draw(generator, z), draw(gan.generator, z))


def test_a_seed_gives_the_same_image_in_every_batch(run):
    generator = run[0].generator
    all_at_once = draw(generator, seed_latents(list(range(40)), 5))
    for seed in (0, 15, 16, 39):
        assert np.array_equal(draw(generator, seed_latents([seed], 5))[0], all_at_once[seed])


def test_files_that_are_no_generator(tmp_path, run):
    _, folder = run
    with pytest.raises(ValueError, match=r"not a generator: it maps \(None, 16, 16, 3\)"):
        load_generator(folder / "critic.h5")
    with pytest.raises(ValueError, match="holds no Keras model"):
        load_generator(folder / "weights" / "checkpoint_5.h5")
    z = keras.Input((5,))
    network_files.save_network(
        keras.Model(z, keras.layers.Lambda(lambda x: x)(z)), tmp_path / "lambda.h5"
    )
    with pytest.raises(ValueError, match="refused: its layer 'Lambda'"):
        load_generator(tmp_path / "lambda.h5")


def rewrite(folder, target, change):
    """A copy of a run's generator.h5 whose description `change` has altered."""
    shutil.copy(folder / "generator.h5", target)
    with h5py.File(target, "r+") as file:
        description = json.loads(file.attrs["model_config"])
        change(description)
        file.attrs["model_config"] = json.dumps(description)
        hdf5.seal(file)
    return target


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: model.update(class_name="Lambda"), "is a 'Lambda'"),
        (lambda model: model.update(class_name="mine>Model"), "is a 'mine>Model'"),
        (
            lambda model: model["config"]["layers"][-1]["config"].update(
                activation={"class_name": "function", "config": "system", "module": "os"}
            ),
            "names os.function",
        ),
        (
            lambda model: model["config"]["layers"][1]["config"].update(
                kernel_initializer={"class_name": "Evil", "config": {}, "module": "evil"}
            ),
            "names evil.Evil",
        ),
        (lambda model: model["config"].update(layers="all"), "holds no Keras model"),
    ],
)
def test_a_generator_that_names_foreign_code_is_refused(run, tmp_path, change, message):
    path = rewrite(run[1], tmp_path / "g.h5", change)
    with pytest.raises(ValueError, match=message):
        load_generator(path)


def test_h5_files_hold_no_setting_that_older_versions_of_keras_3_refuse(run):
    _, folder = run
    for name in ("generator", "critic"):
        with h5py.File(folder / f"{name}.h5") as file:
            config = json.loads(file.attrs["model_config"])["config"]
        # Keras 3.0 to 3.5 want lists of lists here; 3.14 and later add `renorm` and others.
        assert np.shape(config["input_layers"]) == np.shape(config["output_layers"]) == (1, 3)
        described = {entry for layer in config["layers"] for entry in layer["config"]}
        assert {"kernel_size", "negative_slope", "units"} <= described
        assert not described & {"renorm", "quantization_config", "optional", "ragged"}
        assert {layer["config"]["dtype"] for layer in config["layers"]} == {"float32"}


def test_seeds_are_parsed_in_their_order():
    assert parse_seeds("0-2, 100,7") == [0, 1, 2, 100, 7]
    for wrong in ("", "a", "1-", "-1", "3-2", "1,,2"):
        with pytest.raises(ValueError, match="seeds must look like"):
            parse_seeds(wrong)


def test_latents_are_standard_normal():
    z = seed_latents(list(range(2000)), 100)
    assert z.dtype == np.float32 and z.shape == (2000, 100)
    assert abs(z.mean()) < 0.01 and z.std() == pytest.approx(1, abs=0.01)


def test_a_network_that_needs_much_memory_draws_fewer_images_at_a_time():
    def network(size):
        z = keras.Input((2,))
        x = keras.layers.Reshape((1, 1, 2))(z)
        return keras.Model(z, keras.layers.UpSampling2D(size)(x))

    assert batch_size(network(8)) == 16
    assert batch_size(network(2048)) == 15  # 2 · 2,048² values and 4 more for each image
    assert batch_size(network(8192)) == 1
