"""What only a framework can do: `gradients`, `input_gradient` and `compiled`.

The module is chosen by Keras's backend, which `KERAS_BACKEND` sets before Keras is imported.
"""

import importlib
import importlib.util
from types import ModuleType

import keras


def load() -> ModuleType:
    """The engine of the current Keras backend.

    Raises:
        ValueError: a backend without an engine.
    """
    backend = keras.config.backend()
    name = f"{__name__}.{backend}"
    if importlib.util.find_spec(name) is None:
        raise ValueError(f"no training engine for KERAS_BACKEND={backend}; expected tensorflow")
    return importlib.import_module(name)
