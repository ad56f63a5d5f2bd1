"""`generator.h5` to what other programs open: ONNX, TFLite, SavedModel, `.keras`, plain numbers.

ONNX, TFLite and SavedModel are written by Keras itself, with tf2onnx and TensorFlow; the two other
formats need no framework but the current one.
"""

import contextlib
import io
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import onnx

from utils.files import new_folder, replacing
from utils.generator.layers import KINDS

INPUT, OUTPUT = "latents", "images"
"""Names of what goes into an export and comes out of it."""

_FLOAT16_RANGE = (-65504.0, 65504.0)


class Format(NamedTuple):
    """One kind of export.

    Attributes:
        suffix: of its file; empty for a folder.
        write: called with the generator and the path.
        usage: three parts of a Python program that draws: imports, how it is opened, how it draws;
            None where that takes a program of one's own.
    """

    suffix: str
    write: Callable[[keras.Model, Path], None]
    usage: tuple[str, str, str] | None


def export_generator(generator: keras.Model, path: str | os.PathLike, format: str) -> None:
    """Writes a generator in another format.

    Whatever the format: what goes in is `latents`, float32 (batch, z_dim), standard normal, for any
    batch; what comes out is `images`, float32 (batch, H, W, C) in [-1, 1]. (In TFLite, Keras 3.13
    calls them otherwise; there is one of each.)

    Args:
        generator: from `utils.loaders.load_generator`.
        path: of the file; for `savedmodel` of a folder, which must be new or empty.
        format: a name in `FORMATS`.

    Raises:
        ValueError: an unknown format, a suffix of another one, or a format that Keras writes on
            TensorFlow only while another framework runs.
    """
    path = Path(path)
    if format not in FORMATS:
        raise ValueError(f"expected one of {', '.join(FORMATS)} as format, received {format!r}")
    suffix = FORMATS[format].suffix
    if path.suffix.lower() != suffix:
        ends = f"a file that ends in {suffix}" if suffix else "a folder without a suffix"
        raise ValueError(f"{path}: expected {ends} for the format {format}")
    if path.is_dir() and suffix:
        raise ValueError(f"{path}: is a folder; expected the name of a file")
    if format in _BY_TENSORFLOW and keras.config.backend() != "tensorflow":
        raise ValueError(
            f"{format} is written on TensorFlow only: set KERAS_BACKEND=tensorflow; the generator "
            "is the same"
        )
    with replacing(path) if suffix else new_folder(path) as beside:
        FORMATS[format].write(generator, beside)
    if format == "npz":
        with replacing(path.with_suffix(".json")) as beside:
            beside.write_text(json.dumps(architecture(generator), indent=1) + "\n")


def format_of(path: str | os.PathLike) -> str:
    """The format that the suffix of a path names, `savedmodel` where it has none.

    Raises:
        ValueError: a suffix of none.
    """
    suffix = Path(path).suffix.lower()
    for name, known in FORMATS.items():
        if known.suffix == suffix:
            return name
    known = ", ".join(sorted({known.suffix for known in FORMATS.values()} - {""}))
    raise ValueError(f"{path}: expected a name that ends in {known}, or --format")


def usage(format: str, name: str, z_dim: int) -> str:
    """Five lines of Python that draw seed 7 with an export called `name`, without this project."""
    if FORMATS[format].usage is None:
        return _READ.format(name=name, about=Path(name).with_suffix(".json"))
    imports, model, images = (part.format(name=name) for part in FORMATS[format].usage)
    return _DRAW.format(imports=imports, model=model, images=images, z_dim=z_dim)


def _keras(generator, path):
    generator.save(path)


def _numbers(generator, path):
    weights = {
        f"{layer.name}/{variable.name}": np.asarray(variable.value)
        for layer in generator.layers
        for variable in _weights(layer)
    }
    with open(path, "wb") as file:  # numpy would add a suffix to some names
        np.savez(file, **weights)


def architecture(generator: keras.Model) -> dict:
    """What the layers of a generator do, in plain words and numbers, for the weights of an `.npz`.

    Returns:
        `latents` and `images`: the shapes of what goes in and comes out; `layers`, in their order:
        `name`, `kind` (the name of a Keras layer), `settings` (Keras's arguments that matter when
        images are drawn), `weights` (in the `.npz` under `<name>/<weight>`).
    """
    layers = [
        {
            "name": layer.name,
            "kind": type(layer).__name__,
            "settings": {
                setting: layer.get_config().get(setting)  # some versions leave defaults out
                for setting in KINDS[type(layer).__name__].settings
            },
            "weights": [variable.name for variable in _weights(layer)],
        }
        for layer in generator.layers[1:]
    ]
    shapes = (generator.input_shape, generator.output_shape)
    taken, given = (["batch", *shape[1:]] for shape in shapes)
    return {INPUT: taken, OUTPUT: given, "layers": layers}


def _weights(layer):
    return [variable for variable in layer.weights if "seed" not in variable.name]  # dropout's


_DRAW = """\
import {imports}
model = {model}
z = np.random.default_rng(7).standard_normal((1, {z_dim}), np.float32)  # seed 7
images = {images}  # float32 (1, height, width, channels) in [-1, 1]
pixels = np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)
"""
_READ = """\
import json, numpy as np
weights, about = np.load("{name}"), json.load(open("{about}"))
for layer in about["layers"]:  # from latents to images
    arrays = [weights[f"{{layer['name']}}/{{name}}"].shape for name in layer["weights"]]
    print(layer["kind"], layer["settings"], arrays)
"""
_ONNX_USAGE = (
    "numpy as np, onnxruntime",
    'onnxruntime.InferenceSession("{name}")',
    'model.run(None, {{"latents": z}})[0]',
)


def write_onnx(generator: keras.Model, path: Path) -> None:
    """ONNX in float32; the batch is as large as the caller likes.

    Raises:
        ValueError: bicubic enlargement; ONNX computes it otherwise, by 0.004 at a factor of 3.
    """
    for layer in generator.layers:
        if getattr(layer, "interpolation", None) == "bicubic":
            raise ValueError(
                f"layer {layer.name!r} enlarges by bicubic interpolation, which ONNX computes "
                "otherwise; export as keras, savedmodel or npz"
            )
    with _quietly():
        generator.export(str(path), "onnx", verbose=False, input_signature=_signature(generator))
    model = onnx.load(path)
    _rename(model.graph, model.graph.output[0].name, OUTPUT)
    model.producer_name = "lines-wgan-gp"
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_onnx_float16(generator: keras.Model, path: Path) -> None:
    """ONNX at half the size; what goes in and comes out is float32 all the same."""
    write_onnx(generator, path)
    model = onnx.load(path)
    graph, half = model.graph, onnx.TensorProto.FLOAT16
    resizing = (node for node in graph.node if node.op_type == "Resize")
    sizes = {name for node in resizing for name in node.input[1:]}  # float32 by definition
    for weight in graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and weight.name not in sizes:
            values = onnx.numpy_helper.to_array(weight)
            small = np.clip(values, *_FLOAT16_RANGE).astype(np.float16)
            weight.CopyFrom(onnx.numpy_helper.from_array(small, weight.name))
    for node in graph.node:
        node.input[:] = [f"{INPUT}_half" if name == INPUT else name for name in node.input]
        node.output[:] = [f"{OUTPUT}_half" if name == OUTPUT else name for name in node.output]
    cast = onnx.helper.make_node
    graph.node.insert(0, cast("Cast", [INPUT], [f"{INPUT}_half"], to=half))
    single = onnx.TensorProto.FLOAT
    graph.node.append(cast("Cast", [f"{OUTPUT}_half"], [OUTPUT], to=single))
    del graph.value_info[:]  # the types of what lies between have changed
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _rename(graph, old, new):
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
    graph.output[0].name = new


def write_tflite(generator: keras.Model, path: Path) -> None:
    """TFLite, now called LiteRT.

    Raises:
        ValueError: a layer that needs TensorFlow beside it.
    """
    with _quietly():
        generator.export(str(path), "litert", input_signature=_signature(generator))
    if b"Flex" in path.read_bytes():
        raise ValueError(
            "the generator has a layer that TFLite cannot compute without TensorFlow beside it; "
            "export as onnx, keras, savedmodel or npz"
        )


def write_saved_model(generator: keras.Model, path: Path) -> None:
    """TensorFlow's SavedModel, a folder."""
    with _quietly():
        signature = _signature(generator)
        generator.export(str(path), "tf_saved_model", verbose=False, input_signature=signature)


def _signature(generator):
    """Any batch, and the name of what goes in."""
    return [keras.InputSpec(shape=generator.input_shape, dtype="float32", name=INPUT)]


@contextlib.contextmanager
def _quietly():
    """Without the converters' words, which are for their own developers."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)


FORMATS = {
    "onnx": Format(".onnx", write_onnx, _ONNX_USAGE),
    "onnx-float16": Format(".onnx", write_onnx_float16, _ONNX_USAGE),
    "tflite": Format(
        ".tflite",
        write_tflite,
        (
            "numpy as np, ai_edge_litert.interpreter as litert",
            'litert.Interpreter("{name}").get_signature_runner()',
            # Their names differ between versions of Keras.
            "next(iter(model(**dict.fromkeys(model.get_input_details(), z)).values()))",
        ),
    ),
    "savedmodel": Format(
        "",
        write_saved_model,
        (
            "numpy as np, tensorflow as tf",
            'tf.saved_model.load("{name}")',
            "model.serve(z).numpy()",
        ),
    ),
    "keras": Format(
        ".keras",
        _keras,
        ("numpy as np, keras", 'keras.saving.load_model("{name}")', "model.predict(z, verbose=0)"),
    ),
    "npz": Format(".npz", _numbers, None),
}
"""By name; `savedmodel` is a folder."""

_BY_TENSORFLOW = ("onnx", "onnx-float16", "tflite", "savedmodel")
