"""`generator.h5` to what other programs open: ONNX, TFLite, SavedModel, `.keras`, `.npz`.

Keras itself writes ONNX, TFLite and SavedModel, with TensorFlow and tf2onnx. Frameworks are
imported inside functions, so that a command line can list `FORMATS` before it loads one.
"""

import contextlib
import errno
import io
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from utils.files import new_folder, replacing

if TYPE_CHECKING:
    import keras

INPUT, OUTPUT = "latents", "images"
"""Names of an export's input and output."""


class Format(NamedTuple):
    """One kind of export.

    Attributes:
        suffix: of its file; empty where it is a folder.
        write: a function of the generator and the path.
        usage: three parts of a Python program that draws: its imports, how it opens the export, how
            it draws. None where no library can draw with the export.
        library: that opens it, as Hugging Face names it.
        tensorflow_only: whether Keras writes it on TensorFlow only.
    """

    suffix: str
    write: Callable[["keras.Model", Path], None]
    usage: tuple[str, str, str] | None
    library: str
    tensorflow_only: bool


def export_generator(generator: "keras.Model", path: str | os.PathLike, format: str) -> None:
    """Writes a generator in another format.

    In every format the input is `latents`, float32 (batch, z_dim), standard normal, and the output
    is `images`, float32 (batch, H, W, C) in [-1, 1]; the batch can have any size. (In TFLite, Keras
    3.13 gives the two other names.)

    Args:
        generator: from `load_generator`.
        path: of the file; for `savedmodel` of a folder, which must be new or empty.
        format: a name in `FORMATS`.

    Raises:
        ValueError: an unknown format, a path that does not fit it, another framework than
            TensorFlow where the format needs it, or a layer that the format cannot hold.
    """
    import keras

    path = Path(path)
    if format not in FORMATS:
        raise ValueError(f"expected one of {', '.join(FORMATS)} as format, received {format!r}")
    chosen = FORMATS[format]
    if path.suffix.lower() != chosen.suffix:
        expected = (
            f"a file that ends in {chosen.suffix}" if chosen.suffix else "a folder without a suffix"
        )
        raise ValueError(f"{path}: expected {expected} for the format {format}")
    if path.is_dir() and chosen.suffix:
        raise ValueError(f"{path}: is a folder; expected the name of a file")
    if chosen.tensorflow_only and keras.config.backend() != "tensorflow":
        raise ValueError(
            f"{format} is written on TensorFlow only: set KERAS_BACKEND=tensorflow; the generator "
            "is the same"
        )
    with replacing(path) if chosen.suffix else new_folder(path) as unfinished:
        chosen.write(generator, unfinished)
    if format == "npz":
        with replacing(path.with_suffix(".json")) as unfinished:
            unfinished.write_text(json.dumps(_description(generator), indent=1) + "\n")


def export_files(path: str | os.PathLike, format: str) -> list[Path]:
    """The files that an export in `format` consists of; none where that is a folder."""
    path = Path(path)
    files = [path] if FORMATS[format].suffix else []  # a folder must be new or empty anyway
    return [*files, path.with_suffix(".json")] if format == "npz" else files


def format_of(path: str | os.PathLike) -> str:
    """The first format with the suffix of a path; `savedmodel` where the path has none.

    Raises:
        ValueError: no format has this suffix.
    """
    suffix = Path(path).suffix.lower()
    for name, format in FORMATS.items():
        if format.suffix == suffix:
            return name
    known = ", ".join(sorted({format.suffix for format in FORMATS.values()} - {""}))
    raise ValueError(f"{path}: expected a name that ends in {known}, or --format")


def usage(format: str, name: str, z_dim: int) -> str:
    """Five lines of Python that use an export called `name` without this project.

    They draw seed 7. Those for `npz`, which no library can draw with, list its layers and arrays.
    """
    if FORMATS[format].usage is None:
        return _LIST.format(name=name, about=Path(name).with_suffix(".json"))
    imports, model, images = (part.format(name=name) for part in FORMATS[format].usage)
    return _DRAW.format(imports=imports, model=model, images=images, z_dim=z_dim)


def megabytes(path: str | os.PathLike) -> float:
    """Size of a file, or of all files in a folder, in units of 10⁶ bytes."""
    path = Path(path)
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


_DRAW = """\
import {imports}
model = {model}
z = np.random.default_rng(7).standard_normal((1, {z_dim}), np.float32)  # seed 7
images = {images}  # float32 (1, height, width, channels) in [-1, 1]
pixels = np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)
"""
_LIST = """\
import json, numpy as np
weights, about = np.load("{name}"), json.load(open("{about}"))
for layer in about["layers"]:  # from latents to images
    arrays = [weights[f"{{layer['name']}}/{{name}}"].shape for name in layer["weights"]]
    print(layer["kind"], layer["settings"], arrays)
"""


# By Keras and TensorFlow -----------------------------------------------------------------------

_FLOAT16_RANGE = (-65504.0, 65504.0)


def _write_onnx(generator, path):
    import onnx

    for layer in generator.layers:
        # ONNX computes it differently: by 0.004 at a factor of 3.
        if getattr(layer, "interpolation", None) == "bicubic":
            raise ValueError(
                f"layer {layer.name!r} enlarges by bicubic interpolation, which ONNX computes "
                "differently; export as keras, savedmodel or npz"
            )
    _export(generator, path, "onnx", verbose=False)
    model = onnx.load(path)
    _rename(model.graph.node, {model.graph.output[0].name: OUTPUT})
    model.graph.output[0].name = OUTPUT
    model.producer_name = "lines-wgan-gp"
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _write_onnx_float16(generator, path):
    """Weights and arithmetic in float16, half the size; input and output stay float32.

    So does the choice of categorical latents: float16 would round two of them to the same number.
    """
    import onnx

    _write_onnx(generator, path)
    model = onnx.load(path)
    graph, tensor = model.graph, onnx.TensorProto
    resizes = [node for node in graph.node if node.op_type == "Resize"]
    choice = _choice_nodes(graph)
    # ONNX wants the scales of Resize in float32.
    kept = {name for node in (*resizes, *choice) for name in node.input[1:]}
    for weight in graph.initializer:
        if weight.data_type == tensor.FLOAT and weight.name not in kept:
            values = onnx.numpy_helper.to_array(weight)
            half = np.clip(values, *_FLOAT16_RANGE).astype(np.float16)
            weight.CopyFrom(onnx.numpy_helper.from_array(half, weight.name))
    float32 = [INPUT, *(node.output[0] for node in choice[-1:])]
    halves = {name: f"{name}_half" for name in (*float32, OUTPUT)}
    others = [node for node in graph.node if node not in choice]
    _rename(others, halves)
    casts = [_cast(name, halves[name], tensor.FLOAT16) for name in float32]
    nodes = [*choice, *casts, *others, _cast(halves[OUTPUT], OUTPUT, tensor.FLOAT)]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]  # it gives float32 for every value in between
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _choice_nodes(graph, name=INPUT):
    """The nodes of an ONNX graph from its input to the softmax of categorical latents, if any."""
    for node in graph.node:  # several may read the latents
        if node.input[:1] == [name] and node.op_type in ("Reshape", "Mul", "Add", "Softmax"):
            following = [] if node.op_type == "Softmax" else _choice_nodes(graph, node.output[0])
            if node.op_type == "Softmax" or following:
                return [node, *following]
    return []


def _cast(source, target, type):
    import onnx

    return onnx.helper.make_node("Cast", [source], [target], to=type)


def _rename(nodes, names):
    """Renames the values of ONNX nodes."""
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]


def _write_tflite(generator, path):
    _export(generator, path, "litert")
    if b"Flex" in path.read_bytes():
        raise ValueError(
            "the generator has a layer that TFLite cannot compute without TensorFlow; export as "
            "onnx, keras, savedmodel or npz"
        )


def _write_saved_model(generator, path):
    try:
        _export(generator, path, "tf_saved_model", verbose=False)
    except Exception as error:
        # Of a full disk TensorFlow, which is not imported here, makes an error of its own kind.
        if type(error).__name__ != "ResourceExhaustedError":
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error


def _export(generator, path, format, **options):
    """Keras's own export, for any batch, without the output of the converters."""
    import keras

    signature = [keras.InputSpec(shape=generator.input_shape, dtype="float32", name=INPUT)]
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            generator.export(str(path), format, input_signature=signature, **options)
    finally:
        logging.disable(disabled)


# By any framework ------------------------------------------------------------------------------


def _write_keras(generator, path):
    generator.save(path)


def _write_npz(generator, path):
    import keras

    weights = {
        f"{layer.name}/{variable.name}": keras.ops.convert_to_numpy(variable)
        for layer in generator.layers
        for variable in _weights(layer)
    }
    with open(path, "wb") as file:  # given a path, numpy would add a suffix to some names
        np.savez(file, **weights)


def _description(generator):
    """What a program needs, with the arrays of the `.npz`, to compute the generator.

    Returns:
        `latents` and `images`: the shapes of input and output; `layers`, each after its inputs:
        `name`, `kind` (the name of a Keras layer), `inputs` (names of layers, or `latents`),
        `settings` (Keras's arguments that matter when images are drawn), `weights` (stored in the
        `.npz` under `<name>/<weight>`). The last layer gives the images.
    """
    from utils.generator.layers import KINDS

    names = {id(layer.output): layer.name for layer in generator.layers[1:]}
    names[id(generator.input)] = INPUT
    layers = [
        {
            "name": layer.name,
            "kind": type(layer).__name__,
            "inputs": [
                names[id(tensor)]
                for tensor in (layer.input if isinstance(layer.input, list) else [layer.input])
            ],
            "settings": {
                setting: layer.get_config().get(setting)  # some versions leave defaults out
                for setting in KINDS[type(layer).__name__].settings
            },
            "weights": [variable.name for variable in _weights(layer)],
        }
        for layer in generator.layers[1:]
    ]
    return {
        INPUT: ["batch", *generator.input_shape[1:]],
        OUTPUT: ["batch", *generator.output_shape[1:]],
        "layers": layers,
    }


def _weights(layer):
    return [variable for variable in layer.weights if "seed" not in variable.name]  # of dropout


# All formats -----------------------------------------------------------------------------------

_ONNX_USAGE = (
    "numpy as np, onnxruntime",
    'onnxruntime.InferenceSession("{name}")',
    'model.run(None, {{"latents": z}})[0]',
)
_TFLITE_USAGE = (
    "numpy as np, ai_edge_litert.interpreter as litert",
    'litert.Interpreter("{name}").get_signature_runner()',
    # The names of input and output depend on the version of Keras.
    "next(iter(model(**dict.fromkeys(model.get_input_details(), z)).values()))",
)
_SAVED_MODEL_USAGE = (
    "numpy as np, tensorflow as tf",
    'tf.saved_model.load("{name}")',
    "model.serve(z).numpy()",
)
_KERAS_USAGE = (
    "numpy as np, keras",
    'keras.saving.load_model("{name}")',
    "model.predict(z, verbose=0)",
)

FORMATS = {
    "onnx": Format(".onnx", _write_onnx, _ONNX_USAGE, "onnx", tensorflow_only=True),
    "onnx-float16": Format(".onnx", _write_onnx_float16, _ONNX_USAGE, "onnx", tensorflow_only=True),
    "tflite": Format(".tflite", _write_tflite, _TFLITE_USAGE, "litert", tensorflow_only=True),
    "savedmodel": Format(
        "", _write_saved_model, _SAVED_MODEL_USAGE, "tensorflow", tensorflow_only=True
    ),
    "keras": Format(".keras", _write_keras, _KERAS_USAGE, "keras", tensorflow_only=False),
    "npz": Format(".npz", _write_npz, None, "numpy", tensorflow_only=False),
}
"""All formats by name."""
