"""Generators that are not what they should be, and that they are refused."""

import json
import shutil

import h5py
import pytest

from tests.helpers import DATA
from utils.generator import load as generator_file
from utils.generator.load import load_generator


def altered(folder, change):
    """A copy of a generator whose description (a dict) and file `change` has altered."""
    path = folder / "altered.h5"
    shutil.copy(DATA / "keras2_functional.h5", path)
    with h5py.File(path, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        change(model, file)
        if "model_config" in file.attrs:
            # The way to store text of more than 64 KiB.
            text = model if isinstance(model, str) else json.dumps(model)
            file.attrs.create("model_config", text, dtype=h5py.string_dtype())
    return path


def refused(path, message, monkeypatch):
    """Sees to it that the file is refused in one line that names it, and nothing is built."""

    def build(*_):
        raise AssertionError("built")

    monkeypatch.setattr(generator_file, "_build", build)
    with pytest.raises(ValueError) as caught:
        load_generator(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text and len(text) < 1000
    assert message in text
