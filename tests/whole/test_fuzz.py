"""Damaged and invented input is read, or refused with one of our own errors.

`tests.helpers.fuzz` damages files and reads them in worker processes. Hypothesis invents
descriptions of networks, names in a zip, modes and sizes of pictures, lists of seeds, and texts.
"""

import io
import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.helpers import fuzz, mutations
from utils.drawing.latents import parse_seeds
from utils.generator import architecture
from utils.generator.layers import KINDS
from utils.loaders import load_images
from utils.messages import one_line
from utils.sources import to_rgb

# The same examples every time, so that a failure can be repeated.
repeatable = settings(derandomize=True, max_examples=200, deadline=None, database=None)


def test_200_damaged_files_are_read_or_refused():
    """To repeat a fault: `python -m tests.benchmarks.fuzz --first NUMBER --cases 1`."""
    outcomes, faults = fuzz.fuzz(range(200))
    assert faults == {}
    read = sum(text == "read" for text in outcomes.values())
    assert len(outcomes) == 200 and 20 < read < 100


def test_a_case_depends_on_its_number_alone():
    data = bytes(range(256)) * 8
    first, second = (mutations.damaged(data, np.random.default_rng(7)) for _ in range(2))
    assert first == second != data


def test_a_reader_that_hangs_crashes_or_fails_is_reported(monkeypatch):
    programs = {
        1: 'print(\'{"text": "read"}\')',
        2: 'print(\'{"fault": "OverflowError: x"}\')',
        3: "import os; os.abort()",
        4: "while True: pass",
    }
    monkeypatch.setattr(fuzz, "SECONDS", 1)
    monkeypatch.setattr(fuzz, "SECONDS_TO_START", 1)
    monkeypatch.setattr(fuzz, "PROGRAM", ["-c", f"exec({programs!r}[int(input())])"])
    results = [fuzz.fuzz([number], workers=1) for number in programs]
    assert results[0] == ({1: "read"}, {})
    assert results[1] == ({}, {2: "OverflowError: x"})
    assert results[2] == ({}, {3: "died, exit code -6"})
    assert results[3] == ({}, {4: "took more than 1 s"})


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 100) | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
setting_names = sorted({name for kind in KINDS.values() for name in kind.settings})
sizes = st.integers(1, 6) | st.lists(st.integers(0, 6), min_size=2, max_size=3)
layers = st.fixed_dictionaries(
    {
        "class_name": st.sampled_from(sorted(KINDS)),
        "config": st.dictionaries(
            st.sampled_from([*setting_names, "data_format", "x"]),
            sizes | st.sampled_from([True, False, 0.5, "same", "relu"]) | values,
            max_size=6,
        ).map(lambda config: config | {"name": f"layer_{len(config)}"}),
    }
)


@repeatable
@given(st.lists(layers, min_size=1, max_size=5), values)
def test_any_description_is_checked_or_refused(described, anything):
    first = {"class_name": "InputLayer", "config": {"name": "z", "batch_shape": [None, 12]}}
    for model in (
        {"class_name": "Sequential", "config": {"layers": [first, *described]}},
        {"class_name": "Functional", "config": {"layers": described, "output_layers": anything}},
        {"class_name": "Sequential", "config": anything},
        anything,
    ):
        try:
            chain = architecture.parse(json.dumps(model), keras_2=False)
        except ValueError as error:
            assert len(str(error)) < 1000 and str(error).isprintable()
        else:
            for layer in chain:
                assert 1 <= np.prod(layer.shape, dtype=object) <= architecture.MAX_VALUES


@repeatable
@given(st.dictionaries(st.text(min_size=1, max_size=20), st.booleans(), min_size=1, max_size=5))
def test_a_zip_of_any_names_is_read_or_has_no_images(tmp_path_factory, is_picture):
    path = tmp_path_factory.getbasetemp() / "names.zip"
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
    picture = buffer.getvalue()
    files = {f"{name}.png" if png else name: picture for name, png in is_picture.items()}
    try:
        path.write_bytes(mutations.zip_of(files))
    except UnicodeError:  # not even zipfile writes a lone surrogate
        return
    try:
        stream = load_images(path, 8, 1)
    except ValueError as error:
        assert "no images among its" in str(error)
    else:
        assert (stream[0][0] == (1, -1, -1)).all()


@repeatable
@given(
    st.sampled_from(
        ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F"]
    ),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_any_mode_and_size_of_picture_becomes_rgb(mode, width, height):
    pixels = to_rgb(Image.new(mode, (width, height)), 8)
    assert pixels.shape == (8, 8, 3) and pixels.dtype == np.uint8


@repeatable
@given(st.text("0123456789-, x\n²", max_size=12))
def test_any_list_of_seeds_is_read_or_refused(text):
    try:
        seeds = parse_seeds(text)
    except ValueError as error:
        assert "seeds must look like" in str(error) or "at most 100000 seeds" in str(error)
    else:
        assert 1 <= len(seeds) <= 100_000 and all(0 <= seed < 10**18 for seed in seeds)


@repeatable
@given(st.text())
def test_any_text_fits_on_one_line(text):
    line = one_line(text)
    assert 0 < len(line) <= 201 and line.isprintable()
