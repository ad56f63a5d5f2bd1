"""Files by Keras 2 draw what they drew there; a hostile file of each kind is refused by name."""

import itertools
import json
import os
import shutil

import h5py
import keras
import numpy as np
import pytest

from tests.conftest import ROOT
from utils import generator_file, layer_rules
from utils.loaders import load_generator

DATA = ROOT / "tests" / "data"


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_a_generator_of_keras_2_draws_the_same_images(kind):
    expected = np.load(DATA / f"keras2_{kind}.npz")
    generator = load_generator(DATA / f"keras2_{kind}.h5")
    drawn = keras.ops.convert_to_numpy(generator(expected["z"]))
    assert expected["images"].shape == (4, 16, 16, 3) and expected["images"].std() > 0.3
    assert np.abs(drawn - expected["images"]).max() < 1e-5


def test_layers_keep_their_names_and_settings():
    generator = load_generator(DATA / "keras2_functional.h5")
    by_name = {layer.name: layer for layer in generator.layers}
    assert by_name["leaky_re_lu"].negative_slope == pytest.approx(0.2)
    assert by_name["batch_normalization_1"].epsilon == 0.01
    assert by_name["dropout"].rate == 0.3 and by_name["conv2d"].activation.__name__ == "leaky_relu"


def altered(folder, change):
    """A copy of a generator whose description (a dict) and file `change` has altered."""
    path = folder / "altered.h5"
    shutil.copy(DATA / "keras2_functional.h5", path)
    with h5py.File(path, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        change(model, file)
        if "model_config" in file.attrs:
            # The way to store text of more than 64 KiB.
            text = model if isinstance(model, str) else json.dumps(model)
            file.attrs.create("model_config", text, dtype=h5py.string_dtype())
    return path


def refused(path, message, monkeypatch):
    """Sees to it that the file is refused in one line that names it, and nothing is built."""

    def build(*_):
        raise AssertionError("built")

    monkeypatch.setattr(generator_file, "_build", build)
    with pytest.raises(ValueError) as caught:
        load_generator(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text and len(text) < 1000
    assert message in text


def settings(index, **values):
    return lambda model, file: model["config"]["layers"][index]["config"].update(values)


def layer(index, **values):
    return lambda model, file: model["config"]["layers"][index].update(values)


def thousands(model, file):
    layers = model["config"]["layers"]
    layers[2:2] = [
        {
            "class_name": "Dropout",
            "config": {"name": f"d{i}", "rate": 0.1},
            "inbound_nodes": [[[f"d{i - 1}" if i else "dense", 0, 0, {}]]],
        }
        for i in range(3000)
    ]


DESCRIPTIONS = {
    "Lambda": (layer(3, class_name="Lambda"), "its layer 'Lambda' is none that a generator"),
    "unknown class": (layer(3, class_name="Thing"), "its layer 'Thing' is none"),
    "class of no text": (layer(3, class_name=["Dense"]), "its layer ['Dense'] is none"),
    "custom object": (
        layer(1, registered_name="mine>Dense"),
        "it names keras.Dense, which is not Keras's own",
    ),
    "another module": (layer(1, module="os.path"), "it names os.path.Dense"),
    "function": (
        settings(1, activation={"class_name": "function", "config": "system", "module": "os"}),
        "it names os.function",
    ),
    "activation object": (
        settings(1, activation={"class_name": "LeakyReLU", "config": {}}),
        "'dense' (Dense) has activation = {'class_name': 'LeakyReLU'",
    ),
    "no activation": (settings(1, activation="nothing"), "has activation = 'nothing', which Keras"),
    "nested network": (layer(3, class_name="Functional"), "its layer 'Functional' is none"),
    "10¹² units": (
        settings(1, units=10**12),
        "layer 'dense' (Dense) has units = 1000000000000; expected 1 to 16777216",
    ),
    "more units than weights": (settings(1, units=97), "cannot lay (97,) out as (4, 4, 6)"),
    "a million pixels wide": (
        settings(9, size=[10**6 // 8, 10**6 // 8]),
        "'up_sampling2d' (UpSampling2D) gives (1000000, 1000000, 5); expected 1 to 16777216",
    ),
    "thousands of layers": (thousands, "3013 layers; expected 2 to 200"),
    "no layers": (lambda model, file: model["config"].update(layers=[]), "0 layers; expected 2"),
    "loop": (
        layer(2, inbound_nodes=[[["conv2d", 0, 0, {}]]]),
        "its layers do not follow one another from one input",
    ),
    "two calls": (
        layer(2, inbound_nodes=[[["dense", 0, 0, {}]], [["input_1", 0, 0, {}]]]),
        "layer 'batch_normalization' comes from 2 layers",
    ),
    "two outputs": (
        lambda model, file: model["config"]["output_layers"].append(["dense", 0, 0]),
        "the network comes from 2 layers",
    ),
    "drawing in training mode": (
        layer(2, inbound_nodes=[[["dense", 0, 0, {"training": True}]]]),
        "layer 'batch_normalization' is called with training=True",
    ),
    "channels first": (settings(5, data_format="channels_first"), "expected data_format channels"),
    "unknown setting": (settings(1, lora_rank=4), "has lora_rank = 4, which is unknown here"),
    "setting of no account": (settings(7, negative_slope=True), "has negative_slope = True"),
    "number that is none": (settings(3, alpha=float("nan")), "has negative_slope = nan"),
    "other hard_sigmoid": (settings(1, activation="hard_sigmoid"), "otherwise than Keras 2"),
    "name of two lines": (layer(3, class_name="La\nmbda"), "its layer 'La\\nmbda' is none"),
    "no name": (settings(1, name=5), "a layer has no settings, or no name"),
    "input of images": (
        settings(0, batch_input_shape=[None, 5, 5]),
        "'reshape' (Reshape) cannot lay (5, 96) out as (4, 4, 6)",
    ),
    "no list of layers": (lambda model, file: model.update(config=3), "holds no Keras model"),
}


@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_a_hostile_description_is_refused_by_name(tmp_path, monkeypatch, kind):
    change, message = DESCRIPTIONS[kind]
    refused(altered(tmp_path, change), message, monkeypatch)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "holds no Keras model"),
        ("[" * 100_000 + "]" * 100_000, "holds no Keras model"),
        ("3", "holds no Keras model"),
        ("[" + " " * 4 * 1024**2 + "]", "its description is longer than 4194304 characters"),
        (None, "holds no Keras model"),
        (7, "its attribute 'model_config' is no text"),
    ],
)
def test_text_that_describes_nothing_is_refused(tmp_path, monkeypatch, text, message):
    path = tmp_path / "text.h5"
    with h5py.File(path, "w") as file:
        if text is not None:
            file.attrs["model_config"] = text
    refused(path, message, monkeypatch)


KERNEL = "model_weights/dense/dense/kernel:0"


def replaced(make):
    """Something else in the place of the first kernel; `make` gets the file and the old array."""

    def change(model, file):
        old = file[KERNEL][()]
        del file[KERNEL]
        make(file, old)

    return change


def external_link(file, old):
    with h5py.File(file.filename + ".other", "w") as other:
        other["kernel"] = old
    file[KERNEL] = h5py.ExternalLink(file.filename + ".other", "/kernel")


def soft_link(file, old):
    file["elsewhere"] = old
    file[KERNEL] = h5py.SoftLink("/elsewhere")


def external_storage(file, old):
    other = file.filename + ".raw"
    old.tofile(other)
    file.create_dataset(KERNEL, old.shape, old.dtype, external=[(other, 0, old.nbytes)])


def virtual(file, old):
    external_link(file, old)
    del file[KERNEL]
    layout = h5py.VirtualLayout(old.shape, old.dtype)
    layout[:] = h5py.VirtualSource(file.filename + ".other", "kernel", old.shape)
    file.create_virtual_dataset(KERNEL, layout)


def whole_group_elsewhere(model, file):
    del file["model_weights"]
    file["model_weights"] = h5py.ExternalLink("other.h5", "/model_weights")


def itself(model, file):
    group = file["model_weights/dropout"]
    group["one"] = group["two"] = group


FILES = {
    "external link": (replaced(external_link), "is a link to '"),
    "soft link": (replaced(soft_link), "'dense/dense/kernel:0' is a link to '/elsewhere'"),
    "external group": (whole_group_elsewhere, "is a link to 'other.h5 /model_weights'"),
    "external storage": (replaced(external_storage), "is compressed, in pieces or in another file"),
    "virtual array": (replaced(virtual), "is compressed, in pieces or in another file"),
    "compressed": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=old, compression="gzip")),
        "is compressed, in pieces or in another file",
    ),
    "array never written": (
        replaced(lambda file, old: file.create_dataset(KERNEL, (10**6, 10**6), "f4")),
        "'dense/dense/kernel:0' claims (1000000, 1000000), and the file does not hold as much",
    ),
    "group in itself": (itself, "more than 5000 entries, or more than 16 in one another"),
    "text for numbers": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=b"x")),
        "is an array of object, not of numbers",
    ),
    "whole numbers": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=old.astype("i4"))),
        "kernel of its layer 'dense' holds what is no finite number",
    ),
    "not finite": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=old * np.nan)),
        "kernel of its layer 'dense' holds what is no finite number",
    ),
    "missing weights": (
        replaced(lambda file, old: None),
        "the weights of its layer 'dense' are {}; expected {'kernel': (5, 96)}",
    ),
    "other shape": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=old.T)),
        "the weights of its layer 'dense' are {'kernel': (96, 5)}; expected {'kernel': (5, 96)}",
    ),
    "weights too many": (
        lambda model, file: file.create_dataset("model_weights/dense/dense/lora:0", data=[1.0]),
        "expected {'kernel': (5, 96)}",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_hostile_file_is_refused_by_name(tmp_path, monkeypatch, kind):
    change, message = FILES[kind]
    refused(altered(tmp_path, change), message, monkeypatch)


def test_arrays_that_share_their_bytes_cannot_claim_more_than_the_file(tmp_path, monkeypatch):
    def change(model, file):
        file["model_weights/big"] = np.zeros(100_000, np.float32)
        for i in range(3):
            file[f"model_weights/again{i}"] = file["model_weights/big"]

    path = altered(tmp_path, change)
    refused(path, "its arrays claim more than the", monkeypatch)


def test_a_lambda_never_runs(tmp_path, monkeypatch):
    mark = str(tmp_path / "mark")

    def draw(x, mark=mark):
        open(mark, "w").close()
        return keras.ops.reshape(x, (-1, 1, 5, 1))

    z = keras.Input((5,))
    images = keras.layers.Lambda(draw)(z)
    model = keras.Model(z, images)
    os.remove(mark)
    model.save(tmp_path / "lambda.h5")
    refused(tmp_path / "lambda.h5", "its layer 'Lambda' is none that", monkeypatch)
    assert not os.path.exists(mark)


def test_files_that_are_none(tmp_path, monkeypatch):
    refused(tmp_path, "is a folder; expected an HDF5 file", monkeypatch)
    for name, content in {"a.h5": b"", "b.h5": b"hello", "c.h5": b"PK\3\4"}.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, "not an HDF5 file", monkeypatch)
    whole = (DATA / "keras2_functional.h5").read_bytes()
    (tmp_path / "d.h5").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "d.h5", "not an HDF5 file, or a damaged one (", monkeypatch)
    with open(tmp_path / "e.h5", "wb") as file:
        file.write(whole)
        file.truncate(2 * 1024**3)
    refused(tmp_path / "e.h5", "2147483648 bytes, more than 1073741824", monkeypatch)
    with pytest.raises(FileNotFoundError, match=r"nix\.h5: no such file"):
        load_generator(tmp_path / "nix.h5")


def convolutions():
    """Settings of convolutions, each with every other."""
    for kernel, strides, padding in itertools.product((1, 3, 4), (1, 2), ("same", "valid")):
        settings = {"filters": 4, "kernel_size": [kernel, 2], "strides": [strides, strides]}
        yield "Conv2D", settings | {"padding": padding, "groups": 2}
        yield "Conv2DTranspose", settings | {"padding": padding}
        yield "Conv2DTranspose", settings | {"padding": padding, "output_padding": [0, 0]}
        if strides == 1:
            yield "Conv2D", settings | {"padding": padding, "dilation_rate": [2, 1]}


@pytest.mark.parametrize(
    ("kind", "settings", "shape"),
    [(*case, (7, 9, 6)) for case in convolutions()]
    + [
        ("UpSampling2D", {"size": [3, 2]}, (2, 3, 4)),
        ("Reshape", {"target_shape": [2, -1, 3]}, (12,)),
        ("Flatten", {}, (2, 3, 4)),
        ("BatchNormalization", {"axis": [1]}, (2, 3, 4)),
        ("BatchNormalization", {"axis": -1, "scale": False}, (2, 3, 4)),
        ("Dense", {"units": 5, "use_bias": False}, (2, 3)),
    ],
)
def test_shapes_are_those_that_keras_gives(kind, settings, shape):
    rules = layer_rules.KINDS[kind]
    arguments = {name: rules.settings[name](name, value) for name, value in settings.items()}
    weights, given = rules.rule(arguments, shape)
    made = getattr(keras.layers, kind)(**arguments)
    assert made(keras.Input(shape)).shape == (None, *given)
    assert {variable.name: variable.shape for variable in made.weights} == weights
