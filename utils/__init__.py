"""Everything around the model: data, run folders, drawing, judging."""

import importlib
import os
from collections.abc import Callable, Mapping, Sequence

# TensorFlow reads these when it is imported. Its banner of processor features helps nobody here;
# real errors still show. oneDNN is off on some processors and trains 1.25 times as fast.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def exports(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """Returns a `__getattr__` (PEP 562) that imports a room's names when they are first used.

    So a command line that needs one light name of a room does not load Keras.

    Args:
        package: `__name__` of the room.
        modules: public names by the module that defines them. No name may equal a module's.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    return get
