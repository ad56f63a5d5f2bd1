"""Provenance in PNGs: those of earlier versions, and those that a notebook's calls write."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.WGANGP import WGANGP
from tests.helpers import DATA
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY
from utils.drawing import (
    FilmOptions,
    Layout,
    LoadedGenerator,
    read_provenance,
    save_images,
    save_mix,
    save_walk,
    seed_latents,
)
from utils.generator import load_generator

OLD = DATA / "old_run" / "pictures"
TINY_OLD = DATA / "old_run" / "0001_tiny" / "generator.h5"
LINES64 = DATA / "lines64_best" / "generator.h5"


def difference(first, second):
    """The largest difference between the pixels of two PNGs, which have one size and mode."""
    one, other = (np.asarray(Image.open(path)).astype(int) for path in (first, second))
    assert one.shape == other.shape
    return np.abs(one - other).max()


@pytest.mark.parametrize(
    ("name", "seed", "latents", "layout"),
    [
        ("tiny_seed_0", "0", seed_latents([0], 5), Layout(2)),
        (
            "tiny_grid",
            "0-3",
            seed_latents([0, 1, 2, 3], 5),
            Layout(2, columns=2, labels=("0", "1", "2", "3")),
        ),
        ("tiny_frame", "", None, Layout(32)),
        ("lines64_seeds_0-3", "0-3", seed_latents([0, 1, 2, 3], 100), Layout(columns=2)),
    ],
)
def test_a_png_of_an_earlier_version_is_read(name, seed, latents, layout):
    """Its keys are "recipe" and "look", the words of that version for provenance and layout."""
    provenance = read_provenance(OLD / f"{name}.png")
    assert provenance.seed == seed and provenance.layout == layout
    assert provenance.generator.endswith("generator.h5") and len(provenance.digest) == 16
    if latents is not None:
        assert np.array_equal(provenance.latents, latents)
    assert provenance.latents.dtype == np.float32


@pytest.mark.parametrize(
    ("name", "generator"),
    [
        ("tiny_seed_0", TINY_OLD),
        ("tiny_grid", TINY_OLD),
        ("tiny_frame", TINY_OLD),
        ("lines64_seeds_0-3", LINES64),
    ],
)
def test_a_png_of_an_earlier_version_is_drawn_again(name, generator, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    old = OLD / f"{name}.png"
    line = ["generate.py", "again", str(old), "--generator", str(generator), "--out", "again.png"]
    assert run_here(line, monkeypatch) == 0
    assert "is not the generator" not in capsys.readouterr().out  # the digest is the same
    assert difference(old, "again.png") <= 1
    keys = [Image.open(path).text.keys() for path in (old, "again.png")]
    assert keys[0] == keys[1]
    before, after = (json.loads(Image.open(path).text["recipe"]) for path in (old, "again.png"))
    assert list(before) == list(after) and before["look"] == after["look"]
    assert before["latents"] == after["latents"] and before["digest"] == after["digest"]


def test_seeds_of_the_shipped_generator_draw_the_pixels_of_an_earlier_version(tmp_path):
    loaded = LoadedGenerator(LINES64, load_generator(LINES64))
    grid = save_images(tmp_path, loaded, "0-3", Layout(), columns=2)
    assert difference(grid, OLD / "lines64_seeds_0-3.png") <= 1
    texts = [Image.open(path).text for path in (grid, OLD / "lines64_seeds_0-3.png")]
    about = [json.loads(text["recipe"]) | {"generator": ""} for text in texts]
    assert about[0] == about[1] and texts[0]["seed"] == texts[1]["seed"]


def test_a_picture_does_not_say_where_its_maker_keeps_files(tmp_path):
    WGANGP(**TINY).save_model(tmp_path / "0001_mine")
    path = tmp_path / "0001_mine" / "generator.h5"
    grid = save_images(tmp_path / "new", LoadedGenerator(path, load_generator(path)), "0-3")
    assert read_provenance(grid).generator == "0001_mine/generator.h5"
    assert str(tmp_path).encode() not in grid.read_bytes()


def test_what_a_notebook_saves_is_drawn_again(tmp_path, monkeypatch, capsys):
    """The notebook makes the same calls as the commands, so its PNGs carry provenance, too."""
    monkeypatch.chdir(tmp_path)
    WGANGP(**TINY, initial_weights="he").save_model(tmp_path)
    loaded = LoadedGenerator("generator.h5", load_generator("generator.h5"))
    save_images("new", loaded, "0-2", columns=2, labels=True)
    save_mix("new/mix.png", loaded, "0,2")
    save_walk("new/frames", loaded, "0,2", FilmOptions(seconds=1, fps=2, scale=3))
    names = ["seed_2.png", "grid.png", "mix.png", "mix_row.png", "frames/frame_00001.png"]
    for name in names:
        file = Path("new") / name
        line = ["generate.py", "again", str(file), "--generator", "generator.h5", "--out", "a.png"]
        line += ["--overwrite"]
        assert run_here(line, monkeypatch) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "a.png: the same pixels"
        assert difference(file, "a.png") == 0
