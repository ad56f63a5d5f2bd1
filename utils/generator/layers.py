"""The layers that a `generator.h5` or `critic.h5` may have: their settings, weights and shapes.

Everything here is computed from numbers in the description, before Keras builds anything.
"""

import math
import re
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

_LARGEST = 1 << 24  # of any number in a description
_MOST_OFFSETS = 1 << 16  # numbers in a list
_LARGEST_KERNEL = 64  # pixels
_ANY_KERNEL = 16  # which may be larger than its input
_LARGEST_OFFSET = 1e12  # −10⁹ masks a variant of categorical latents
Shape = tuple[int, ...]


class Kind(NamedTuple):
    """One class of Keras layers: which settings it may have, and what follows from them.

    Attributes:
        settings: for each setting that is accepted, a function of (name, value) that returns the
            checked value or raises ValueError.
        needed: names of the settings without a default.
        rule: a function of (settings, input shape) that returns (shapes of the weights by name,
            output shape). Shapes of images and activations have no batch dimension. Without a rule
            the layer has no weights and keeps the shape.
        merges: whether the layer has several inputs. Then it has no weights, and `rule` is a
            function of (settings, input shapes) that returns the output shape.
    """

    settings: dict[str, Callable]
    needed: frozenset[str] = frozenset()
    rule: Callable[[dict, Shape], tuple[dict[str, Shape], Shape]] = lambda settings, shape: (
        {},
        shape,
    )
    merges: bool = False


# Settings --------------------------------------------------------------------------------------


def _as_list(value):
    """A tuple, which some versions of Keras write as a list and others as its class and items."""
    return value["items"] if isinstance(value, dict) and "items" in value else value


def _integer(name: str, value, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LARGEST:
        raise ValueError(
            f"has {name} = {value!r:.100}; expected a whole number from {least} to {_LARGEST}"
        )
    return value


def _integers(name: str, value, length: int | None, least: int = 1) -> Shape:
    value = _as_list(value)
    if not isinstance(value, list) or len(value) != (length or len(value)) or len(value) > 4:
        raise ValueError(
            f"has {name} = {value!r:.100}; expected {length or '1 to 4'} whole numbers"
        )
    return tuple(_integer(name, number, least) for number in value)


def _pair(name: str, value) -> Shape:
    return _integers(name, [value, value] if isinstance(value, int) else value, 2)


def _padding_pair(name: str, value) -> Shape | None:
    pair = [value, value] if isinstance(value, int) else value
    return None if value is None else _integers(name, pair, 2, least=0)


def _target_shape(name: str, value) -> Shape:
    return _integers(name, value, None, least=-1)


def _dims(name: str, value) -> Shape:
    return _integers(name, value, None)


def _axis(name: str, value) -> int:
    (axis,) = _integers(name, [value] if isinstance(value, int) else value, 1, least=-4)
    return axis


def _number(name: str, value) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not -_LARGEST < value < _LARGEST:
        raise ValueError(f"has {name} = {value!r:.100}; expected a number")
    return float(value)


def _offset(name: str, value) -> float | list:
    """A number, or the nested lists of an array of numbers."""
    try:
        array = np.array(value)
    except ValueError:  # lists of unequal lengths
        array = np.array(None)
    few = array.ndim <= 3 and 1 <= array.size <= _MOST_OFFSETS
    # NaN is not below anything.
    if not few or array.dtype.kind not in "if" or not (np.abs(array) < _LARGEST_OFFSET).all():
        raise ValueError(
            f"has {name} = {value!r:.100}; expected a number, or equally long lists of at most "
            f"{_MOST_OFFSETS} numbers in all"
        )
    return array.astype(float).tolist()


def _number_or_none(name: str, value) -> float | None:
    return None if value is None else _number(name, value)


def _fraction(name: str, value) -> float:
    if not 0 <= _number(name, value) < 1:
        raise ValueError(f"has {name} = {value!r}; expected a number from 0 to below 1")
    return float(value)


def _flag(name: str, value) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"has {name} = {value!r:.100}; expected true or false")
    return value


def _one_of(*choices: str) -> Callable[[str, object], str]:
    def check(name, value):
        if value not in choices:
            raise ValueError(f"has {name} = {value!r:.100}; expected {' or '.join(choices)}")
        return value

    return check


def _activation(name: str, value) -> str | None:
    if value is None:
        return None
    # A dictionary would make Keras build an object; `glu` would halve the channels.
    if not isinstance(value, str) or value == "glu" or not value.islower():
        raise ValueError(f"has {name} = {value!r:.100}; expected the name of a Keras activation")
    try:
        keras.activations.get(value)
    except ValueError as error:
        raise ValueError(
            f"has {name} = {value!r:.100}, which Keras {keras.__version__} does not know"
        ) from error
    return value


# Shapes ----------------------------------------------------------------------------------------


def input_shape(settings: dict) -> Shape:
    """Shape of one input, without the batch; its name differs between versions of Keras."""
    shape = _as_list(settings.get("batch_shape") or settings.get("batch_input_shape"))
    if not isinstance(shape, list) or not 2 <= len(shape) <= 4:
        raise ValueError(f"has batch_shape = {shape!r:.100}; expected [null, z_dim]")
    return _integers("batch_shape", shape[1:], None)


def _with_bias(settings: dict, kernel: Shape, channels: int) -> dict[str, Shape]:
    bias = {"bias": (channels,)} if settings.get("use_bias", True) else {}
    return {"kernel": kernel} | bias


def _dense(settings, shape):
    units = settings["units"]
    return _with_bias(settings, (shape[-1], units), units), (*shape[:-1], units)


def _reshape(settings, shape):
    target, values = list(settings["target_shape"]), math.prod(shape)
    if target.count(-1) == 1:
        known = -math.prod(target) or 1
        target[target.index(-1)] = values // known
    if math.prod(target) != values or min(target, default=0) < 1:
        raise ValueError(f"cannot reshape {shape} to {settings['target_shape']}")
    return {}, tuple(target)


def _permute(settings, shape):
    dims = settings["dims"]
    if sorted(dims) != [*range(1, len(shape) + 1)]:
        raise ValueError(f"has dims = {dims}; its input is {shape}")
    return {}, tuple(shape[dim - 1] for dim in dims)


def _batch_norm(settings, shape):
    axis = settings.get("axis", -1)
    axis = axis + len(shape) + 1 if axis < 0 else axis
    if not 1 <= axis <= len(shape):
        raise ValueError(f"has axis = {settings['axis']}; its input is {shape}")
    names = ["moving_mean", "moving_variance"]
    names += ["gamma"] if settings.get("scale", True) else []
    names += ["beta"] if settings.get("center", True) else []
    return dict.fromkeys(names, (shape[axis - 1],)), shape


def _height_and_width(settings, shape, output_size) -> Shape:
    """Height and width after a convolution, each by `output_size`."""
    if len(shape) != 3:
        raise ValueError(f"expects (height, width, channels); its input is {shape}")
    same = settings.get("padding", "valid") == "same"
    dilations = settings.get("dilation_rate", (1, 1))
    strides = settings.get("strides", (1, 1))
    paddings = settings.get("output_padding") or (None, None)
    kernels = settings["kernel_size"]
    sides = list(zip(shape[:2], kernels, strides, dilations, paddings, strict=True))
    for size, kernel, _, dilation, _ in sides:
        seen, most = (kernel - 1) * dilation + 1, min(_LARGEST_KERNEL, max(_ANY_KERNEL, 2 * size))
        if seen > most:  # frameworks end the whole process where a kernel is far too large
            raise ValueError(f"has a kernel of {seen} pixels for an input of {size}, above {most}")
    return tuple(
        output_size(size, (kernel - 1) * dilation + 1, stride, same, padding)
        for size, kernel, stride, dilation, padding in sides
    )


def _convolved_size(size, kernel, stride, same, _):
    return -(-size // stride) if same else (size - kernel) // stride + 1


def _transposed_size(size, kernel, stride, same, padding):
    if padding is None:
        return size * stride + (0 if same else max(kernel - stride, 0))
    return (size - 1) * stride + kernel - (kernel // 2 * 2 if same else 0) + padding


def _convolution(settings, shape):
    sides, filters = _height_and_width(settings, shape, _convolved_size), settings["filters"]
    groups = settings.get("groups", 1)
    if shape[2] % groups or filters % groups:
        raise ValueError(
            f"has groups = {groups}, which does not divide both {shape[2]} and {filters}"
        )
    kernel = (*settings["kernel_size"], shape[2] // groups, filters)
    return _with_bias(settings, kernel, filters), (*sides, filters)


def _transposed(settings, shape):
    sides, filters = _height_and_width(settings, shape, _transposed_size), settings["filters"]
    kernel = (*settings["kernel_size"], filters, shape[2])
    return _with_bias(settings, kernel, filters), (*sides, filters)


def _upsampling(settings, shape):
    if len(shape) != 3:
        raise ValueError(f"expects (height, width, channels); its input is {shape}")
    height, width = settings.get("size", (2, 2))
    return {}, (shape[0] * height, shape[1] * width, shape[2])


def _broadcast(settings, shapes):
    if len(shapes) < 2 or len({len(shape) for shape in shapes}) > 1:
        raise ValueError(f"has the inputs {shapes}; expected two or more of as many dimensions")
    sides = [{side for side in sides if side != 1} for sides in zip(*shapes, strict=True)]
    if any(len(side) > 1 for side in sides):
        raise ValueError(f"cannot join {shapes} value by value; expected equal sides, or 1")
    return tuple(next(iter(side), 1) for side in sides)


def _concatenate(settings, shapes):
    axis, rank = settings.get("axis", -1), len(shapes[0]) if shapes else 0
    axis = axis - 1 if axis > 0 else axis + rank
    if len(shapes) < 2 or not 0 <= axis < rank:
        raise ValueError(f"has the inputs {shapes}; expected two or more, joined along an axis")
    rest = {(*shape[:axis], *shape[axis + 1 :], len(shape)) for shape in shapes}
    if len(rest) > 1:
        raise ValueError(f"cannot join {shapes} along axis {settings.get('axis', -1)}")
    joined = sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], joined, *shapes[0][axis + 1 :])


def _rescaling(settings, shape):
    offset = np.shape(settings.get("offset", 0))
    sides = zip(offset, shape[len(shape) - len(offset) :], strict=False)
    if len(offset) > len(shape) or any(side not in (1, whole) for side, whole in sides):
        raise ValueError(f"has an offset of the shape {offset}; its input is {shape}")
    return {}, shape


def _softmax(settings, shape):
    axis = settings.get("axis", -1)
    if not (-len(shape) <= axis < 0 or 1 <= axis <= len(shape)):
        raise ValueError(f"has axis = {axis}; its input is {shape}")
    return {}, shape


def _pairs(name: str, value) -> tuple[Shape, Shape]:
    """Pixels at (top, bottom), (left, right): of a number, two numbers, or two pairs."""
    value = _as_list(value)
    sides = value if isinstance(value, list) else [value, value]
    if len(sides) != 2:
        raise ValueError(f"has {name} = {value!r:.100}; expected a number, 2 numbers or 2 pairs")
    pairs = ([side, side] if isinstance(side, int) else side for side in sides)
    top_bottom, left_right = (_integers(name, pair, 2, least=0) for pair in pairs)
    return top_bottom, left_right


def _padded(settings, shape):
    return _with_edges(settings.get("padding", ((1, 1), (1, 1))), shape, 1)


def _cropped(settings, shape):
    return _with_edges(settings.get("cropping", ((0, 0), (0, 0))), shape, -1)


def _with_edges(edges, shape, sign):
    if len(shape) != 3:
        raise ValueError(f"expects (height, width, channels); its input is {shape}")
    height, width = (side + sign * sum(pair) for side, pair in zip(shape[:2], edges, strict=True))
    return {}, (height, width, shape[2])


def _pooled(settings, shape):
    if len(shape) != 3:
        raise ValueError(f"expects (height, width, channels); its input is {shape}")
    pool = settings.get("pool_size", (2, 2))
    strides = settings.get("strides") or pool
    same = settings.get("padding", "valid") == "same"
    sides = zip(shape[:2], pool, strides, strict=True)
    return {}, (
        *(_convolved_size(size, p, stride, same, None) for size, p, stride in sides),
        shape[2],
    )


def _layer_norm(settings, shape):
    axes = settings.get("axis", (-1,))
    axes = sorted(axis - 1 if axis > 0 else axis + len(shape) for axis in axes)
    if axes != list(range(len(shape) - len(axes), len(shape))):
        raise ValueError(f"has axis = {settings['axis']}; expected the last ones of {shape}")
    return _centred_and_scaled(settings, tuple(shape[axis] for axis in axes)), shape


def _group_norm(settings, shape):
    axis, groups = settings.get("axis", -1), settings.get("groups", 32)
    if axis not in (-1, len(shape)):
        raise ValueError(f"has axis = {axis}; expected the last one, of channels")
    groups = shape[-1] if groups == -1 else groups
    if groups < 1 or shape[-1] % groups:
        raise ValueError(f"has groups = {groups}, which does not divide {shape[-1]} channels")
    return _centred_and_scaled(settings, (shape[-1],)), shape


def _centred_and_scaled(settings, size: Shape) -> dict[str, Shape]:
    names = ["gamma"] if settings.get("scale", True) else []
    names += ["beta"] if settings.get("center", True) else []
    return dict.fromkeys(names, size)


def _prelu(settings, shape):
    shared = settings.get("shared_axes") or ()
    return {"alpha": tuple(1 if i + 1 in shared else side for i, side in enumerate(shape))}, shape


def _pair_or_none(name: str, value) -> Shape | None:
    return None if value is None else _pair(name, value)


def _axes(name: str, value) -> Shape:
    return _integers(name, [value] if isinstance(value, int) else value, None, least=-4)


def _axes_or_none(name: str, value) -> Shape | None:
    return None if value is None else _axes(name, value)


def _groups(name: str, value) -> int:
    return _integer(name, value, least=-1)


_POOLING = {"pool_size": _pair, "strides": _pair_or_none, "padding": _one_of("valid", "same")}
_CONVOLUTION = {
    "filters": _integer,
    "kernel_size": _pair,
    "strides": _pair,
    "padding": _one_of("valid", "same"),
    "dilation_rate": _pair,
    "activation": _activation,
    "use_bias": _flag,
}
_NEEDED = frozenset({"filters", "kernel_size"})

KINDS = {
    "InputLayer": Kind({}),
    "Dense": Kind(
        {"units": _integer, "activation": _activation, "use_bias": _flag},
        frozenset({"units"}),
        _dense,
    ),
    "Reshape": Kind({"target_shape": _target_shape}, frozenset({"target_shape"}), _reshape),
    "Flatten": Kind({}, rule=lambda settings, shape: ({}, (math.prod(shape),))),
    "Permute": Kind({"dims": _dims}, frozenset({"dims"}), _permute),
    "Activation": Kind({"activation": _activation}, frozenset({"activation"})),
    "LeakyReLU": Kind({"negative_slope": _number}),
    "ReLU": Kind({"max_value": _number_or_none, "negative_slope": _number, "threshold": _number}),
    "BatchNormalization": Kind(
        {"axis": _axis, "epsilon": _fraction, "center": _flag, "scale": _flag}, rule=_batch_norm
    ),
    "LayerNormalization": Kind(
        {"axis": _axes, "epsilon": _fraction, "center": _flag, "scale": _flag}, rule=_layer_norm
    ),
    "GroupNormalization": Kind(
        {"groups": _groups, "axis": _axis, "epsilon": _fraction, "center": _flag, "scale": _flag},
        rule=_group_norm,
    ),
    "ELU": Kind({"alpha": _number}),
    "PReLU": Kind({"shared_axes": _axes_or_none}, rule=_prelu),
    "Dropout": Kind({"rate": _fraction}, frozenset({"rate"})),
    "SpatialDropout2D": Kind({"rate": _fraction}, frozenset({"rate"})),
    "GaussianNoise": Kind({"stddev": _number}, frozenset({"stddev"})),
    "ZeroPadding2D": Kind({"padding": _pairs}, rule=_padded),
    "Cropping2D": Kind({"cropping": _pairs}, rule=_cropped),
    "AveragePooling2D": Kind(_POOLING, rule=_pooled),
    "MaxPooling2D": Kind(_POOLING, rule=_pooled),
    "Conv2D": Kind(_CONVOLUTION | {"groups": _integer}, _NEEDED, _convolution),
    "Conv2DTranspose": Kind(_CONVOLUTION | {"output_padding": _padding_pair}, _NEEDED, _transposed),
    "UpSampling2D": Kind(
        {"size": _pair, "interpolation": _one_of("nearest", "bilinear", "bicubic")},
        rule=_upsampling,
    ),
    "Rescaling": Kind({"scale": _number, "offset": _offset}, frozenset({"scale"}), _rescaling),
    "Softmax": Kind({"axis": _axis}, rule=_softmax),
    "Add": Kind({}, rule=_broadcast, merges=True),
    "Multiply": Kind({}, rule=_broadcast, merges=True),
    "Concatenate": Kind({"axis": _axis}, rule=_concatenate, merges=True),
}
"""The accepted layers by class name; none of them can carry code."""


# Entries of a description beside the settings. They change nothing when a network only draws: all
# weights come from the file, and everything is computed in float32.
_GENERAL = (
    "name|trainable|dtype|batch_shape|sparse|seed|noise_shape|momentum|"
    ".*_(initializer|regularizer|constraint)"
)
_IN_KERAS_3_0 = re.compile(f"{_GENERAL}|data_format")
_IGNORED = re.compile(f"{_GENERAL}|batch_input_shape|shape|ragged|optional|renorm_momentum")


def is_ignored(kind: str, name: str, value) -> bool:
    """Whether an entry that is no setting of its layer changes nothing: by name, or by default."""
    default = not value or (kind, name, value) == ("Conv2DTranspose", "groups", 1)
    return default or _IGNORED.fullmatch(name) is not None


def portable_config(kind: str, config: dict) -> dict:
    """A layer's description with only the entries by which Keras 3.0 described it.

    Later versions write more of them, at their defaults, and earlier ones refuse to read those. An
    entry that changes what is drawn stays in any case, and so does all of an unknown layer.
    """
    if kind not in KINDS:
        return config
    settings = KINDS[kind].settings
    return {
        name: value
        for name, value in config.items()
        if name in settings or _IN_KERAS_3_0.fullmatch(name) or not is_ignored(kind, name, value)
    }
