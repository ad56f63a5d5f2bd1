"""Opens a generator or a critic. A file from anywhere cannot run code or exhaust the memory."""

import os
import zipfile
from collections.abc import Callable

import keras
import numpy as np

from utils import hdf5
from utils.cli import RANGES
from utils.generator import architecture, keras_zip
from utils.generator.layers import KINDS
from utils.messages import one_line

_PALETTE = "generator_palette"  # this project's layer that mixes colours in [-1, 1]


def load_generator(path: str | os.PathLike, value_range: str | None = None) -> keras.Model:
    """Opens a `generator.h5` of Keras 2 or 3, or a `.keras`, without running code from the file.

    The description of the network is read as data and checked. Then its layers, all of the classes
    in `utils.generator.layers`, are built and given the weights. Keras's own reader is not used.

    Its images come to lie in [-1, 1]: where they lie elsewhere, as those of a sigmoid do, a layer
    more rescales them. Latents of the shape (1, 1, z_dim), as DCGANs have, become (z_dim,).

    Args:
        path: of the file.
        value_range: of its images, a key of `utils.cli.RANGES`; None where its last layers tell.

    Returns:
        a network from latents (B, z_dim) to images (B, H, W, 1 or 3) in [-1, 1], float32.

    Raises:
        FileNotFoundError: there is no file at `path`.
        OSError: the file may not be read.
        ValueError: the file is not a generator, or is refused, or nothing tells the range of its
            images; one line names it and says why.
    """

    def check(layers):
        latents, images = ((None, *layers[i].shape) for i in (0, -1))
        flat = len(latents) == 2 or latents[1:-1] == (1, 1)
        if not flat or len(images) != 4 or images[-1] not in (1, 3):
            raise ValueError(
                f"not a generator: it maps {latents} to {images}; expected (batch, z_dim) to "
                "(batch, height, width, 1 or 3)"
            )
        black, white = RANGES[value_range] if value_range else _image_range(layers)
        return _rescaled(_with_flat_latents(layers), black, white)

    return _load(path, "generator", check)


def _image_range(layers):
    """The values of black and white that the last layers tell."""
    scale, offset = 1.0, 0.0  # of what follows the layer that tells
    by_name = {layer.name: layer for layer in layers}
    layer = layers[-1]
    while True:
        activation = layer.arguments.get("activation")
        if layer.name == _PALETTE or activation == "tanh":
            return offset - scale, offset + scale
        if activation == "sigmoid":
            return offset, offset + scale
        follows = layer.kind in ("Reshape", "Permute", "Cropping2D", "UpSampling2D")
        linear = layer.kind == "Activation" and activation == "linear"
        number = not isinstance(layer.arguments.get("offset", 0.0), list)
        if layer.kind == "Rescaling" and number and layer.arguments["scale"] > 0:
            offset += scale * layer.arguments.get("offset", 0.0)
            scale *= layer.arguments["scale"]
        elif not (follows or linear):
            shown = layers[-1] if layer.kind == "InputLayer" else layer
            what = shown.kind if activation in (None, "linear") else activation
            raise ValueError(
                f"it ends with {what}, which does not tell which values are black and "
                f"white: say it by --range, one of {', '.join(RANGES)}"
            )
        layer = by_name[layer.inputs[0]]


def _with_flat_latents(layers):
    """The layers with an input (z_dim,) in place of (1, 1, z_dim)."""
    first, *others = layers
    if len(first.shape) == 1:
        return layers
    flat = first._replace(shape=first.shape[-1:], name=f"{first.name}_flat")
    arguments = {"target_shape": first.shape}
    reshape = first._replace(kind="Reshape", arguments=arguments, inputs=(flat.name,))
    return [flat, reshape, *others]


def _rescaled(layers, black, white):
    """The layers, and one that makes `black` −1 and `white` 1 where they are not."""
    if (black, white) == (-1, 1):
        return layers
    last, scale = layers[-1], 2 / (white - black)
    arguments = {"scale": scale, "offset": -1 - scale * black}
    name = f"{last.name}_to_tanh"
    return [*layers, architecture.Layer("Rescaling", name, arguments, {}, last.shape, (last.name,))]


def load_critic(path: str | os.PathLike) -> keras.Model:
    """Opens a `critic.h5` as `load_generator` opens a `generator.h5`.

    Returns:
        a network from images (B, H, W, 1 or 3) in [-1, 1] to scores (B, 1) in float32.

    Raises:
        FileNotFoundError, OSError, ValueError: as `load_generator`.
    """

    def check(layers):
        images, scores = ((None, *layers[i].shape) for i in (0, -1))
        if len(images) != 4 or images[-1] not in (1, 3) or scores != (None, 1):
            raise ValueError(
                f"not a critic: it maps {images} to {scores}; expected (batch, height, width, "
                "1 or 3) to (batch, 1)"
            )
        return layers

    return _load(path, "critic", check)


def _load(path, name: str, check: Callable[[list], list]) -> keras.Model:
    """Opens a network.

    Args:
        path: of the file.
        name: of the network, and of the file that is expected.
        check: raises ValueError unless the layers have the right input and output shapes; returns
            those that are built.
    """
    if zipfile.is_zipfile(path):
        texts, arrays = keras_zip.read(path)
    else:
        texts, arrays = hdf5.read(path, ("model_config", "keras_version"), "model_weights")
    if "model_config" not in texts:
        raise ValueError(f"{path}: holds no Keras model; expected a {name}.h5")
    keras_2 = texts.get("keras_version", "2.").startswith(("1.", "2."))
    try:
        layers = architecture.parse(texts["model_config"], keras_2)
        layers = check(layers)
        output = (None, *layers[-1].shape)
        weights = [_weights(layer, arrays) for layer in layers]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        network = _build(layers, weights, name)
    except Exception as error:  # settings that do not fit together make Keras raise many types
        raise ValueError(f"{path}: Keras cannot build it: {one_line(error)}") from error
    if network.output_shape != output:
        raise ValueError(
            f"{path}: Keras built a network with the output {network.output_shape}; expected "
            f"{output}"
        )
    return network


def _weights(layer: architecture.Layer, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights of a layer by name; their shapes must be those of the description."""
    # `dense/dense/kernel:0` in Keras 2, `dense/sequential/dense/kernel` in some of Keras 3.
    # Of a network in a network: `net/dense/kernel:0`, and `net/net/dense/kernel`.
    own = layer.name.split("/")[-1]
    weights = {
        path.split("/")[-1].split(":")[0]: array
        for path, array in arrays.items()
        if (
            path.startswith(f"{layer.outer}/") and path.split("/")[-2] == own
            if layer.outer
            else path.startswith(f"{layer.name}/")
        )
    }
    weights.pop("seed_generator_state", None)  # of dropout, which does nothing here
    shapes = {name: array.shape for name, array in weights.items()}
    if shapes != layer.weights:
        raise ValueError(
            f"the weights of its layer {layer.name!r} are {shapes}; expected {layer.weights}"
        )
    for name, array in weights.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} of its layer {layer.name!r} is not an array of finite floats")
    return weights


def _build(
    layers: list[architecture.Layer], weights: list[dict[str, np.ndarray]], name: str
) -> keras.Model:
    outputs = {layers[0].name: keras.Input(layers[0].shape)}
    for layer, values in zip(layers[1:], weights[1:], strict=True):
        options = {"name": layer.name.replace("/", "_"), "dtype": "float32"}
        if "kernel" in values:
            options["kernel_initializer"] = "zeros"  # cheap; the kernel is assigned below
        if layer.kind in ("Conv2D", "Conv2DTranspose", "UpSampling2D"):
            options["data_format"] = "channels_last"  # a person's keras.json may say otherwise
        keras_layer = getattr(keras.layers, layer.kind)(**layer.arguments, **options)
        inputs = [outputs[name] for name in layer.inputs]
        outputs[layer.name] = keras_layer(inputs if KINDS[layer.kind].merges else inputs[0])
        for weight, value in values.items():
            getattr(keras_layer, weight).assign(value)
    return keras.Model(outputs[layers[0].name], outputs[layers[-1].name], name=name)
