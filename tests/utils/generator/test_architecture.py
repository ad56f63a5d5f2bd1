"""A hostile description of a network is refused by name; shapes are those that Keras gives."""

import itertools

import keras
import pytest

from tests.helpers.hostile import altered, refused
from utils.generator import layers as layer_rules


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


def convolutions():
    """Settings of convolutions, each with every other."""
    for kernel, strides, padding in itertools.product((1, 3, 4), (1, 2), ("same", "valid")):
        settings = {"filters": 4, "kernel_size": [kernel, 2], "strides": [strides, strides]}
        yield "Conv2D", settings | {"padding": padding, "groups": 2}
        yield "Conv2DTranspose", settings | {"padding": padding}
        if strides == 2:
            yield "Conv2DTranspose", settings | {"padding": padding, "output_padding": [1, 1]}
        else:
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
