"""Each hostile description of a network is refused by name; computed shapes equal Keras's."""

import itertools

import keras
import pytest

from tests.helpers.hostile import altered, assert_refused
from utils.generator.layers import KINDS


def settings(index, **values):
    return lambda model, file: model["config"]["layers"][index]["config"].update(values)


def layer(index, **values):
    return lambda model, file: model["config"]["layers"][index].update(values)


def thousands_of_layers(model, file):
    layers = model["config"]["layers"]
    layers[2:2] = [
        {
            "class_name": "Dropout",
            "config": {"name": f"d{i}", "rate": 0.1},
            "inbound_nodes": [[[f"d{i - 1}" if i else "dense", 0, 0, {}]]],
        }
        for i in range(3000)
    ]


def hundred_large_outputs(model, file):
    """A small file: after 8×8 pixels become 1,024×1,024, nothing needs weights."""
    layers = model["config"]["layers"]
    settings(9, size=[128, 128])(model, file)
    before = layers[10]["inbound_nodes"][0][0][0]
    more = [f"more{i}" for i in range(100)]
    layers[10:10] = [
        {
            "class_name": "LeakyReLU",
            "config": {"name": name},
            "inbound_nodes": [[[source, 0, 0, {}]]],
        }
        for name, source in zip(more, [before, *more], strict=False)
    ]
    layers[110]["inbound_nodes"] = [[[more[-1], 0, 0, {}]]]


DESCRIPTIONS = {
    "Lambda": (
        layer(3, class_name="Lambda"),
        "its layer 'Lambda' is unknown; expected one of InputLayer",
    ),
    "unknown class": (
        layer(3, class_name="Thing"),
        "its layer 'Thing' is unknown; expected one of",
    ),
    "class that is not text": (
        layer(3, class_name=["Dense"]),
        "its layer ['Dense'] is unknown; expected one of",
    ),
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
    "nested network": (
        layer(3, class_name="Functional"),
        "its layer 'Functional' is unknown; expected one of",
    ),
    "10¹² units": (
        settings(1, units=10**12),
        "(Dense) has units = 1000000000000; expected a whole number from 1 to 16777216",
    ),
    "more units than weights": (settings(1, units=97), "cannot reshape (97,) to (4, 4, 6)"),
    "a million pixels wide": (
        settings(9, size=[10**6 // 8, 10**6 // 8]),
        "(UpSampling2D) has the output (1000000, 1000000, 5); expected 1 to 16777216 values",
    ),
    "a hundred large outputs": (
        hundred_large_outputs,
        "all its outputs have more than 134217728 values",
    ),
    "a kernel of 255 pixels": (
        settings(5, kernel_size=[255, 255]),
        "has a kernel of 255 pixels for an input of 4, above 16",
    ),
    "a kernel that skips pixels": (
        settings(5, kernel_size=[9, 9], dilation_rate=[2, 2], strides=[1, 1]),
        "has a kernel of 17 pixels for an input of 4, above 16",
    ),
    "thousands of layers": (thousands_of_layers, "3013 layers; expected 2 to 200"),
    "no layers": (lambda model, file: model["config"].update(layers=[]), "0 layers; expected 2"),
    "loop": (
        layer(2, inbound_nodes=[[["conv2d", 0, 0, {}]]]),
        "its layers form a loop",
    ),
    "two calls": (
        layer(2, inbound_nodes=[[["dense", 0, 0, {}]], [["input_1", 0, 0, {}]]]),
        "layer 'batch_normalization' is called 2 times; expected once",
    ),
    "two outputs": (
        lambda model, file: model["config"]["output_layers"].append(["dense", 0, 0]),
        "the network has 2 outputs; expected one",
    ),
    "two inputs of a layer that takes one": (
        layer(2, inbound_nodes=[[["dense", 0, 0, {}], ["input_1", 0, 0, {}]]]),
        "'batch_normalization' (BatchNormalization) has 2 inputs; expected one",
    ),
    "a sum of unequal shapes": (
        lambda model, file: model["config"]["layers"][2].update(
            class_name="Add",
            config={"name": "batch_normalization"},
            inbound_nodes=[[["dense", 0, 0, {}], ["input_1", 0, 0, {}]]],
        ),
        "'batch_normalization' (Add) cannot join [(96,), (5,)] value by value; expected equal",
    ),
    "dims that are no permutation": (
        lambda model, file: model["config"]["layers"][4].update(
            class_name="Permute", config={"name": "reshape", "dims": [1, 1]}
        ),
        "'reshape' (Permute) has dims = (1, 1); its input is (96,)",
    ),
    "an input that is not there": (
        layer(2, inbound_nodes=[[["nothing", 0, 0, {}]]]),
        "it names the layer 'nothing', which it does not have",
    ),
    "drawing in training mode": (
        layer(2, inbound_nodes=[[["dense", 0, 0, {"training": True}]]]),
        "layer 'batch_normalization' is called with training=True",
    ),
    "channels first": (settings(5, data_format="channels_first"), "expected data_format channels"),
    "unknown setting": (settings(1, lora_rank=4), "has lora_rank = 4, which is not supported"),
    "true for a number": (settings(7, negative_slope=True), "has negative_slope = True"),
    "not a number": (settings(3, alpha=float("nan")), "has negative_slope = nan"),
    "other hard_sigmoid": (settings(1, activation="hard_sigmoid"), "differently from Keras 2"),
    "name of two lines": (
        layer(3, class_name="La\nmbda"),
        "its layer 'La\\nmbda' is unknown; expected one of",
    ),
    "no name": (settings(1, name=5), "a layer has no settings, or no name"),
    "input of images": (
        settings(0, batch_input_shape=[None, 5, 5]),
        "'reshape' (Reshape) cannot reshape (5, 96) to (4, 4, 6)",
    ),
    **{
        f"offset {name}": (
            layer(
                3,
                class_name="Rescaling",
                config={"name": "leaky_re_lu", "offset": offset} | {"scale": 1.0},
            ),
            message,
        )
        for name, offset, message in (
            ("of text", ["0"], "'leaky_re_lu' (Rescaling) has offset = ['0']; expected a number"),
            ("that is not a number", [float("nan")], "has offset = [nan]; expected a number, or"),
            ("without end", [float("-inf")], "has offset = [-inf]; expected a number, or"),
            ("of a million numbers", [0] * 10**6, "lists of at most 65536 numbers in all"),
            ("of large numbers", [10**40, 1], "expected a number, or equally long lists"),
            ("in unequal lists", [[0, 1], [0]], "has offset = [[0, 1], [0]]; expected a number"),
            ("in a deep list", [[[[0.0]]]], "has offset = [[[[0.0]]]]; expected a number, or"),
            ("of another shape", [0.0] * 5, "has an offset of the shape (5,); its input is (96,)"),
            ("that enlarges", [[[0.0]] * 4] * 8, "has an offset of the shape (8, 4, 1); its inp"),
            ("true", True, "has offset = True; expected a number"),
        )
    },
    "no list of layers": (lambda model, file: model.update(config=3), "holds no Keras model"),
}


@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_a_hostile_description_is_refused_by_name(tmp_path, monkeypatch, kind):
    change, message = DESCRIPTIONS[kind]
    assert_refused(altered(tmp_path, change), message, monkeypatch)


def convolutions():
    """Classes and settings of convolutions, in all combinations."""
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
        ("Permute", {"dims": [2, 3, 1]}, (2, 3, 4)),
        ("BatchNormalization", {"axis": [1]}, (2, 3, 4)),
        ("BatchNormalization", {"axis": -1, "scale": False}, (2, 3, 4)),
        ("Dense", {"units": 5, "use_bias": False}, (2, 3)),
        ("Permute", {"dims": [3, 1, 2]}, (2, 3, 4)),
        ("Rescaling", {"scale": 4.0, "offset": 0.5}, (2, 3)),
        ("Rescaling", {"scale": 1e4, "offset": [[0, -1e9, 0], [0, 0, 0]]}, (2, 3)),
        ("Rescaling", {"scale": 1.0, "offset": [[0.5], [1]]}, (4, 2, 3)),
        ("Softmax", {"axis": 1}, (2, 3)),
    ],
)
def test_computed_shapes_equal_those_of_keras(kind, settings, shape):
    checks = KINDS[kind].settings
    arguments = {name: checks[name](name, value) for name, value in settings.items()}
    weights, output_shape = KINDS[kind].rule(arguments, shape)
    layer = getattr(keras.layers, kind)(**arguments)
    assert layer(keras.Input(shape)).shape == (None, *output_shape)
    assert {variable.name: variable.shape for variable in layer.weights} == weights
