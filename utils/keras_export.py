"""What Keras exports through TensorFlow: ONNX (by tf2onnx), TFLite, SavedModel."""

import contextlib
import io
import logging
from pathlib import Path

import keras
import numpy as np
import onnx

INPUT, OUTPUT = "latents", "images"
"""Names of what goes into an export and comes out of it."""

_FLOAT16_RANGE = (-65504.0, 65504.0)


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
