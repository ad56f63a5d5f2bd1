"""Everything around the model: data, run folders, drawing, judging."""

import importlib
from collections.abc import Callable, Mapping, Sequence

from utils.frameworks import watch_imports

watch_imports()


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
