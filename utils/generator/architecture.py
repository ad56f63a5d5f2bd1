"""The JSON description of a network by Keras 2 or 3, read and checked layer by layer."""

import graphlib
import json
import math
from typing import NamedTuple

from utils.generator.layers import KINDS, input_shape, is_ignored
from utils.messages import one_line

MAX_LAYERS = 200
_NETWORKS = ("Functional", "Model", "Sequential")  # Keras's classes
_MOST_DEPTH = 4  # of networks in networks
MAX_VALUES = 1 << 24
"""Largest output of one layer for one image, in values: 16 channels of 1024 × 1024 pixels."""
MAX_ALL_VALUES = 1 << 27
"""Largest sum of the outputs of all layers for one image: half a gibibyte."""
MAX_TEXT = 4 * 1024**2


class Layer(NamedTuple):
    """One layer of a network, called once.

    Attributes:
        kind: name of its Keras class.
        name: its name in the file, under which its weights are stored.
        arguments: of the class's constructor.
        weights: the shapes of its weights by their names.
        shape: of its output for one image.
        inputs: names of the layers whose outputs are its inputs; empty for the `InputLayer`.
        outer: name of the network of the file that it is a part of; empty where it stands alone.
    """

    kind: str
    name: str
    arguments: dict
    weights: dict[str, tuple[int, ...]]
    shape: tuple[int, ...]
    inputs: tuple[str, ...]
    outer: str = ""


def parse(text: str, keras_2: bool) -> list[Layer]:
    """Reads a description; builds nothing and imports nothing that it names.

    Args:
        text: JSON, the attribute `model_config` of a Keras HDF5 file.
        keras_2: whether Keras 2 wrote it.

    Returns:
        the layers, each after its inputs; the first is the only `InputLayer`, the last gives the
        output.

    Raises:
        ValueError: not a description of a network, or one that is refused; the message does not
            name the file.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f"refused: its description is longer than {MAX_TEXT} characters")
    try:
        model = json.loads(text)
    except (ValueError, RecursionError):
        model = None
    described = _described(model)
    if described is None:
        raise ValueError("holds no Keras model; expected a generator.h5 or critic.h5")
    if model.get("class_name") not in _NETWORKS:
        raise ValueError(f"refused: it is a {model.get('class_name')!r:.100}, not a Keras model")
    _refuse_unknown_layers(described)
    _refuse_foreign_code(model)
    layers = _flat(model) if 1 <= len(described) <= MAX_LAYERS else described
    if not 2 <= len(layers) <= MAX_LAYERS:
        raise ValueError(f"refused: {len(layers)} layers; expected 2 to {MAX_LAYERS}")
    return _checked(layers, keras_2)


def _described(model) -> list[dict] | None:
    """The layers of a network as it is described; None where it is no description of one."""
    config = model.get("config") if isinstance(model, dict) else None
    # In the oldest files of Sequential networks, `config` is the list of layers itself.
    described = config.get("layers") if isinstance(config, dict) else config
    fits = isinstance(described, list) and all(isinstance(item, dict) for item in described)
    return described if fits else None


def _flat(model: dict, outer: str = "", source: str = "") -> list[tuple[dict, str, tuple, str]]:
    """The layers of a network and of the networks in it, each after its inputs.

    Args:
        model: its description.
        outer: its name, where it is a part of another network, and before that a "/".
        source: the name of the layer that it takes the place of its own input then.

    Returns:
        for each layer its description, its name, the names of its inputs, and of the network of the
        file that it is a part of.
    """
    described, config = _described(model), model["config"]
    if model["class_name"] == "Sequential":
        described = _with_input(config, described)
        sources = [(), *((_name(item),) for item in described[:-1])]
        ordered = list(zip(described, sources, strict=True))
    else:
        ordered = _in_order(config, described)
    layers, names = [], {}
    for item, inputs in ordered:
        name, inputs = outer + _name(item), tuple(names[i] for i in inputs)
        names[_name(item)] = name
        if item["class_name"] in _NETWORKS:
            if len(inputs) != 1:
                raise ValueError(f"refused: its network {name!r:.100} has {len(inputs)} inputs")
            inner = _flat(item, f"{name}/", inputs[0])
            layers += inner
            names[_name(item)] = inner[-1][1] if inner else inputs[0]
        elif source and item["class_name"] == "InputLayer":
            names[_name(item)] = source
        else:
            layers.append((item, name, inputs, outer.split("/")[0]))
    return layers


def _refuse_unknown_layers(described: list[dict], depth: int = 0) -> None:
    for item in described:
        kind = item.get("class_name")
        inner = _described(item) if isinstance(kind, str) and kind in _NETWORKS else None
        if inner and depth < _MOST_DEPTH:
            _refuse_unknown_layers(inner, depth + 1)
        elif not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(
                f"refused: its layer {kind!r:.100} is unknown; expected one of {', '.join(KINDS)}"
            )
        name = _name(item) if isinstance(item.get("config"), dict) else None
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise ValueError("refused: a layer has no settings, or no name of 1 to 100 characters")


def _refuse_foreign_code(model: dict) -> None:
    """Refuses functions and classes that are not Keras's own, at any depth of the description."""
    waiting = [model]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            module, name = item.get("module") or "keras", item.get("class_name")
            custom = ">" in f"{name}{item.get('registered_name')}"
            if str(module).split(".")[0] != "keras" or name == "function" or custom:
                foreign = one_line(f"{module}.{name}")
                raise ValueError(f"refused: it names {foreign}, which is not Keras's own")
        parts = item.values() if isinstance(item, dict) else item
        waiting.extend(part for part in parts if isinstance(part, (dict, list)))


def _name(item: dict) -> str:
    return item["config"].get("name", item.get("name"))


def _in_order(config: dict, described: list[dict]) -> list[tuple[dict, tuple[str, ...]]]:
    """The layers of a functional network, each with the names of its inputs and after them."""
    by_name = {_name(item): item for item in described}
    sources = {
        name: _sources(item.get("inbound_nodes"), f"layer {name!r}")
        for name, item in by_name.items()
    }
    (output, *others) = _sources([config.get("output_layers")], "the network") or ("",)
    if others:
        raise ValueError(f"refused: the network has {1 + len(others)} outputs; expected one")
    for name in {output, *(name for names in sources.values() for name in names)}:
        if name not in by_name:
            raise ValueError(f"refused: it names the layer {name!r:.100}, which it does not have")
    try:
        order = [*graphlib.TopologicalSorter(sources).static_order()]
    except graphlib.CycleError as error:
        raise ValueError("refused: its layers form a loop") from error
    used = {output}
    for name in reversed(order):  # each after all that use it
        if name in used:
            used.update(sources[name])
    if len(used) < len(described):
        raise ValueError("refused: it has layers that lead to no output, or two of one name")
    return [(by_name[name], sources[name]) for name in order]


def _sources(calls, what: str) -> tuple[str, ...]:
    """Names of the layers whose outputs are the inputs of `what`.

    Args:
        calls: of a layer, as Keras 2 or 3 describes them: a list of at most one.
        what: named in the message.
    """
    if isinstance(calls, list) and len(calls) > 1:
        raise ValueError(f"refused: {what} is called {len(calls)} times; expected once")
    sources, waiting = [], [calls]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list) and item and isinstance(item[0], str):
            sources.append(item[0])
            waiting.extend(part for part in item[1:] if isinstance(part, dict))
        elif isinstance(item, dict) and item.get("class_name") == "__keras_tensor__":
            history = item["config"].get("keras_history") if isinstance(item["config"], dict) else 0
            waiting.append(history)
        elif isinstance(item, dict) and "args" in item:
            waiting.extend([item["args"], item.get("kwargs")])
        elif isinstance(item, dict):
            arguments = [f"{name}={value!r}" for name, value in item.items() if value]
            if arguments:
                raise ValueError(f"refused: {what} is called with {one_line(arguments[0], 100)}")
        elif isinstance(item, list):
            waiting.extend(reversed(item))
    return tuple(sources)


def _with_input(config, described: list[dict]) -> list[dict]:
    """Adds the input layer that a Sequential network lacks: its first layer has the shape."""
    first = described[0]
    if first["class_name"] == "InputLayer":
        return described
    shape = first["config"].get("batch_input_shape")
    if shape is None and isinstance(config, dict):
        shape = config.get("build_input_shape")
    settings = {"name": "input", "batch_shape": shape}
    return [{"class_name": "InputLayer", "config": settings}, *described]


def _checked(ordered: list[tuple[dict, str, tuple, str]], keras_2: bool) -> list[Layer]:
    layers, shapes, values = [], {}, 0
    for item, name, sources, outer in ordered:
        kind, settings = item["class_name"], dict(item["config"])
        try:
            arguments = _arguments(kind, settings, keras_2)
            if (kind == "InputLayer") != (not layers):
                raise ValueError("is not in its place; expected one InputLayer, and it first")
            if kind == "InputLayer":
                weights, shape = {}, input_shape(settings)
            else:
                weights, shape = _rule(kind, arguments, [shapes[source] for source in sources])
            # Weights need no limit of their own: the file must hold all of them.
            if min(shape) < 1 or math.prod(shape) > MAX_VALUES:
                raise ValueError(f"has the output {shape}; expected 1 to {MAX_VALUES} values")
        except ValueError as error:
            raise ValueError(f"refused: its layer {name!r} ({kind}) {error}") from error
        values += math.prod(shape)
        if values > MAX_ALL_VALUES:
            raise ValueError(f"refused: all its outputs have more than {MAX_ALL_VALUES} values")
        layers.append(Layer(kind, name, arguments, weights, shape, sources, outer))
        shapes[name] = shape
    return layers


def _rule(kind: str, arguments: dict, shapes: list[tuple[int, ...]]):
    """Shapes of a layer's weights by name, and of its output, from those of its inputs."""
    if KINDS[kind].merges:
        return {}, KINDS[kind].rule(arguments, shapes)
    if len(shapes) != 1:
        raise ValueError(f"has {len(shapes)} inputs; expected one")
    return KINDS[kind].rule(arguments, shapes[0])


def _arguments(kind: str, settings: dict, keras_2: bool) -> dict:
    """Settings of a layer as arguments of its Keras 3 class; an unknown setting is refused."""
    if kind == "LeakyReLU" and "alpha" in settings:
        settings["negative_slope"] = settings.pop("alpha")
    if settings.pop("data_format", None) not in (None, "channels_last"):
        raise ValueError("has its channels first; expected data_format channels_last")
    if keras_2 and settings.get("activation") == "hard_sigmoid":
        raise ValueError("has a hard_sigmoid, which Keras 3 computes differently from Keras 2")
    checks = KINDS[kind].settings
    arguments = {}
    for name, value in settings.items():
        if name in checks:
            arguments[name] = checks[name](name, value)
        elif not is_ignored(kind, name, value):
            raise ValueError(f"has {name} = {value!r:.100}, which is not supported")
    missing = KINDS[kind].needed - arguments.keys()
    if missing:
        raise ValueError(f"has no {', '.join(sorted(missing))}")
    return arguments
