"""`generator.h5` to a generator; one by a stranger can run no code and take no memory at will."""

import os

import keras
import numpy as np

from utils import hdf5
from utils.generator import architecture
from utils.messages import one_line


def load_generator(path: str | os.PathLike) -> keras.Model:
    """Opens a `generator.h5` of Keras 2 or 3 without running any code that it might carry.

    Its description is read as data and checked; then layers of the few kinds in
    `utils.generator.layers` are built anew and given the weights. Keras's own reader is not used.

    Returns:
        a network from latents (B, z_dim) to images (B, H, W, 1 or 3), float32, for drawing.

    Raises:
        FileNotFoundError: nothing stands at `path`.
        OSError: the file may not be read.
        ValueError: what stands there is no generator, or is refused; one line says in what.
    """
    texts, arrays = hdf5.read(path, ("model_config", "keras_version"), "model_weights")
    if "model_config" not in texts:
        raise ValueError(f"{path}: holds no Keras model; expected a generator.h5")
    keras_2 = texts.get("keras_version", "2.").startswith(("1.", "2."))
    try:
        layers = architecture.parse(texts["model_config"], keras_2)
        taken, given = (None, *layers[0].shape), (None, *layers[-1].shape)
        if len(taken) != 2 or len(given) != 4 or given[-1] not in (1, 3):
            raise ValueError(
                f"not a generator: it maps {taken} to {given}; expected (batch, z_dim) to "
                "(batch, height, width, 1 or 3)"
            )
        weights = [_weights(layer, arrays) for layer in layers]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        generator = _build(layers, weights)
    except Exception as error:  # Keras raises whatever settings lead to that do not go together
        raise ValueError(f"{path}: Keras cannot build it: {one_line(error)}") from error
    if generator.output_shape != given:
        raise ValueError(f"{path}: Keras makes {generator.output_shape} of it, expected {given}")
    return generator


def _weights(layer: architecture.Layer, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of a layer by name, in exactly the shapes that its description gives."""
    # `dense/dense/kernel:0` in Keras 2, `dense/sequential/dense/kernel` in some of Keras 3.
    found = {
        path.split("/")[-1].split(":")[0]: array
        for path, array in arrays.items()
        if path.startswith(f"{layer.name}/")
    }
    found.pop("seed_generator_state", None)  # dropout's, which drawing does without
    shapes = {name: array.shape for name, array in found.items()}
    if shapes != layer.weights:
        raise ValueError(
            f"the weights of its layer {layer.name!r} are {shapes}; expected {layer.weights}"
        )
    for name, array in found.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} of its layer {layer.name!r} holds what is no finite number")
    return found


def _build(layers: list[architecture.Layer], weights: list[dict[str, np.ndarray]]) -> keras.Model:
    z = x = keras.Input(layers[0].shape)
    for layer, values in zip(layers[1:], weights[1:], strict=True):
        options = {"name": layer.name.replace("/", "_"), "dtype": "float32"}
        if "kernel" in values:
            options["kernel_initializer"] = "zeros"  # overwritten at once
        if layer.kind in ("Conv2D", "Conv2DTranspose", "UpSampling2D"):
            options["data_format"] = "channels_last"  # whatever the person's keras.json says
        made = getattr(keras.layers, layer.kind)(**layer.arguments, **options)
        x = made(x)
        for name, value in values.items():
            getattr(made, name).assign(value)
    return keras.Model(z, x, name="generator")
