"""Networks as other people save them: nested, with other layers, ranges and shapes of latents."""

import re
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from tests.helpers.graphs import with_weights
from tests.helpers.scripts import run_here
from utils.drawing import draw, seed_latents
from utils.generator import export_generator, load_generator

Z = np.random.default_rng(0).standard_normal((4, 8), np.float32)


def check(network, path, z=Z, **options):
    """Asserts that a network, saved to `path`, draws as Keras does; returns what is loaded."""
    with_weights(network).save(path)
    loaded = load_generator(path, **options)
    expected = network.predict(z, verbose=0)
    assert np.ptp(expected) > 0.1
    found = loaded.predict(Z, verbose=0)
    return loaded, found, expected


def small(*ends):
    return [
        layers.Dense(48),
        layers.Reshape((4, 4, 3)),
        layers.Conv2D(3, 3, padding="same"),
        *ends,
    ]


def test_a_generator_that_is_not_square_is_compared_searched_and_judged(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    network = keras.Sequential(
        [
            layers.Input((8,)),
            layers.Dense(16 * 24 * 3),
            layers.Reshape((16, 24, 3)),
            layers.Activation("tanh"),
        ]
    )
    with_weights(network).save("wide.h5")
    drawn = draw(network, seed_latents([0, 1], 8))
    Path("data").mkdir()
    for i in range(16):
        pixels = drawn[1] if i == 3 else np.full((16, 24, 3), 10 * i, np.uint8)
        Image.fromarray(pixels).save(f"data/{i:02}.png")
    line = ["--generator", "wide.h5"]
    nearest = ["nearest", *line, "--seeds", "0-1", "--data", "data", "--out", "near.png"]
    assert run_here(["generate.py", *nearest], monkeypatch) == 0
    assert re.search(r"seed 1: 03\.png.* 0\b", capsys.readouterr().out), capsys
    picture = np.asarray(Image.open("near.png"))
    assert picture.shape[1] > picture.shape[0] * 24 / 16
    assert run_here(["generate.py", "project", "data/03.png", *line], monkeypatch) == 0
    assert float(re.search(r"error ([\d.]+) of 255", capsys.readouterr().out)[1]) < 3
    assert Image.open("found/found.png").size == (24 * 21, 16 * 21)  # 512 / 24
    judging = ["evaluate.py", *line, "--count", "16"]
    assert run_here([*judging, "--data", "data"], monkeypatch) == 0
    assert "nearest_median" in capsys.readouterr().out
    assert run_here(judging, monkeypatch) == 2
    assert "wide.h5: nothing in its folder says what it learned from" in capsys.readouterr().err
    assert run_here([*judging, "--weight", "3"], monkeypatch) == 2
    assert "24×16 pixels, and the sketch draws squares: name" in capsys.readouterr().err


def test_networks_in_networks(tmp_path):
    inner = keras.Sequential([layers.Input((8,)), *small()], name="inner")
    z = layers.Input((8,))
    middle = keras.Model(z, layers.LeakyReLU(0.2)(inner(z)), name="middle")
    outer = keras.Sequential([layers.Input((8,)), middle, layers.Activation("tanh")])
    for i, network in enumerate((outer, keras.Model(z, layers.Activation("tanh")(middle(z))))):
        loaded, found, expected = check(network, tmp_path / f"{i}.h5")
        assert np.abs(found - expected).max() < 1e-6
        assert [type(layer).__name__ for layer in loaded.layers] == [
            *("InputLayer", "Dense", "Reshape", "Conv2D", "LeakyReLU", "Activation")
        ]


@pytest.mark.parametrize("nested", [False, True])
def test_a_keras_file(nested, tmp_path):
    layers_ = [
        *(layers.Dense(48), layers.LeakyReLU(0.2), layers.Dense(48, use_bias=False)),
        *(layers.Reshape((4, 4, 3)), layers.BatchNormalization(), layers.PReLU(shared_axes=[1, 2])),
        *(layers.Conv2DTranspose(4, 4, 2, padding="same"), layers.BatchNormalization(scale=False)),
        *(layers.Dropout(0.3), layers.LayerNormalization(), layers.GroupNormalization(2)),
        layers.Conv2D(3, 3, padding="same", activation="tanh"),
    ]
    if nested:
        inner = keras.Sequential([layers.Input((8,)), *layers_[:6]], name="inner")
        layers_ = [inner, *layers_[6:]]
    network = keras.Sequential([layers.Input((8,)), *layers_])
    _, found, expected = check(network, tmp_path / "a.keras")
    assert np.abs(found - expected).max() < 1e-5


def test_our_own_keras_export_comes_back(run, tmp_path):
    export_generator(run[0].generator, tmp_path / "g.keras", "keras")
    z = np.random.default_rng(0).standard_normal((4, 5), np.float32)
    expected = run[0].generator.predict(z, verbose=0)
    assert np.array_equal(load_generator(tmp_path / "g.keras").predict(z, verbose=0), expected)


def rewritten(path, **entries):
    """The `.keras` at `path` with some entries replaced; None leaves one out."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {name.replace("_", "."): data for name, data in entries.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"config_json": None}, "not a network of Keras 3: .*no item named 'config.json'"),
        ({"config_json": b"[" * 100_000}, "not a network of Keras 3"),
        ({"config_json": b'{"config": {"layers": [3]}}'}, "not a network of Keras 3"),
        ({"config_json": b" " * (4 * 2**20 + 1)}, "config.json would unpack to 4194305 bytes"),
        ({"model_weights_h5": b"no HDF5"}, r"a\.keras: not an HDF5 file"),
        ({"metadata_json": b"{}"}, "not a network of Keras 3: 'keras_version'"),
    ],
)
def test_a_damaged_keras_file_is_one_line(entries, message, run, tmp_path):
    export_generator(run[0].generator, tmp_path / "a.keras", "keras")
    with pytest.raises(ValueError, match=message) as caught:
        load_generator(rewritten(tmp_path / "a.keras", **entries))
    text = str(caught.value)
    assert "a.keras" in text and "\n" not in text and len(text) < 1000


def test_a_keras_file_with_foreign_code_is_refused(tmp_path):
    network = keras.Sequential([layers.Input((8,)), *small(layers.Lambda(lambda x: x))])
    network.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match=r"a\.keras: refused: its layer 'Lambda' is unknown"):
        load_generator(tmp_path / "a.keras")


def test_the_same_names_in_two_inner_networks(tmp_path):
    halves = [
        keras.Sequential([layers.Input((8,)), layers.Dense(8, name="same")], name=name)
        for name in ("one", "two")
    ]
    z = layers.Input((8,))
    x = layers.Reshape((4, 2, 1))(halves[1](halves[0](z)))
    _, found, expected = check(keras.Model(z, layers.Activation("tanh")(x)), tmp_path / "a.h5")
    assert np.abs(found - expected).max() < 1e-6


def test_every_further_kind_of_layer(tmp_path):
    z = layers.Input((1, 1, 8))
    x = layers.Conv2DTranspose(8, 4)(z)
    x = layers.PReLU(shared_axes=[1, 2])(layers.LayerNormalization()(x))
    x = layers.Cropping2D(((1, 0), (2, 1)))(layers.ZeroPadding2D(((1, 2), (3, 1)))(x))
    x = layers.AveragePooling2D(2)(layers.UpSampling2D(4)(x))
    x = layers.MaxPooling2D(2, strides=1, padding="same")(x)
    x = layers.ELU(0.5)(layers.GroupNormalization(4)(x))
    x = layers.Dropout(0.3)(layers.GaussianNoise(0.3)(layers.SpatialDropout2D(0.2)(x)))
    x = layers.LayerNormalization(axis=[1, 2, 3])(layers.PReLU()(x))
    network = keras.Model(z, layers.Conv2D(3, 3, padding="same", activation="tanh")(x))
    loaded, found, expected = check(network, tmp_path / "a.h5", Z[:, None, None])
    assert loaded.input_shape == (None, 8)  # (1, 1, 8) in the file
    assert np.abs(found - expected).max() < 1e-5


RANGES = {
    "sigmoid": ([layers.Activation("sigmoid")], None, (0, 1)),
    "sigmoid in a convolution": (
        [layers.Conv2D(3, 3, padding="same", activation="sigmoid")],
        None,
        (0, 1),
    ),
    "tanh, rescaled": (
        [layers.Activation("tanh"), layers.Rescaling(127.5, 127.5)],
        None,
        (0, 255),
    ),
    "sigmoid, rescaled": (
        [layers.Activation("sigmoid"), layers.Rescaling(2, -1), layers.Cropping2D(1)],
        None,
        (-1, 1),
    ),
    "relu": ([layers.ReLU()], "sigmoid", (0, 1)),
    "nothing": ([], "bytes", (0, 255)),
    "nothing, to tanh": ([], "tanh", (-1, 1)),
}


@pytest.mark.parametrize("name", RANGES)
def test_images_come_to_lie_in_the_range_of_tanh(name, tmp_path):
    ends, value_range, (black, white) = RANGES[name]
    network = keras.Sequential([layers.Input((8,)), *small(*ends)])
    loaded, found, expected = check(network, tmp_path / "a.h5", value_range=value_range)
    assert np.abs(found - (2 * (expected - black) / (white - black) - 1)).max() < 1e-5
    levels = np.rint((expected - black) / (white - black) * 255).clip(0, 255)
    assert np.abs(draw(loaded, Z).astype(float) - levels).max() <= 1


@pytest.mark.parametrize(
    ("ends", "what"),
    [
        ([layers.ReLU()], "ReLU"),
        ([layers.Activation("relu")], "relu"),
        ([], "Conv2D"),
    ],
)
def test_a_range_that_nothing_tells_is_asked_for(ends, what, tmp_path):
    keras.Sequential([layers.Input((8,)), *small(*ends)]).save(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=rf"a\.h5: it ends with {what}, .*: say it by --range"):
        load_generator(tmp_path / "a.h5")
