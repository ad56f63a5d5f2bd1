"""Generators with one fault each, and a check that they are refused."""

import json
import shutil

import h5py
import pytest

from tests.helpers import DATA
from utils.generator import load


def altered(folder, change):
    """Path of a copy of a generator, altered by `change(description, file)`.

    The description is a dict, written back to the file afterwards.
    """
    path = folder / "altered.h5"
    shutil.copy(DATA / "keras2_functional.h5", path)
    with h5py.File(path, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        change(model, file)
        if "model_config" in file.attrs:
            # Of a type that may be longer than 64 KiB.
            text = model if isinstance(model, str) else json.dumps(model)
            file.attrs.create("model_config", text, dtype=h5py.string_dtype())
    return path


def assert_refused(path, message, monkeypatch):
    """Asserts that a file is refused in one line that names it, before a network is built."""

    def build(*_):
        raise AssertionError("a network was built")

    monkeypatch.setattr(load, "_build", build)
    with pytest.raises(ValueError) as caught:
        load.load_generator(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text and len(text) < 1000
    assert message in text
