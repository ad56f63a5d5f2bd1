"""The search among the variants of categorical latents."""

import numpy as np
import pytest

from models.networks.tables import build_table_generator
from models.search.projection import distance, project
from models.search.variants import PATIENCE, descend, sweep
from models.training.outputs import save_network
from tests.helpers.graphs import graph_generator
from tests.helpers.scripts import run_here
from tests.helpers.tables import line_generator, line_picture, masked
from utils.drawing.latents import draw, latent_groups, seed_latents
from utils.images import save_picture


@pytest.fixture(scope="module")
def lines():
    """Its groups 1 and 2 never choose row 0."""
    return masked(line_generator(), [[0.0] * 8] + [[-1e9] + [0.0] * 7] * 2)


def test_it_finds_the_variants_that_images_were_drawn_with(lines):
    groups, z = latent_groups(lines), seed_latents(list(range(34)), 24)  # more than are in memory
    wanted = draw(lines, z)
    found = project(lines, wanted, starts=4)
    assert found.errors.tolist() == [0] * 34
    assert np.array_equal(found.images, wanted) and np.array_equal(
        draw(lines, found.latents), wanted
    )
    assert np.array_equal(found.history[-1], found.latents)
    assert found.times.tolist() == list(range(len(found.times)))
    assert found.history.shape == (len(found.times), 34, 24) and 2 < len(found.times) <= 25
    # Each step changes at most one group.
    choices = groups.chosen(found.history.reshape(-1, 24)).reshape(-1, 34, 3)
    assert (np.diff(choices, axis=0) != 0).sum(2).max() == 1


def test_one_seed_one_result_and_a_stop_gives_the_best_so_far(lines):
    wanted = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    one, same = (project(lines, wanted, starts=3, seed=4) for _ in range(2))
    assert np.array_equal(one.history, same.history) and np.array_equal(one.errors, same.errors)
    at_once = project(lines, wanted, starts=3, seed=4, stop=lambda: True)
    assert at_once.times.tolist() == [0]
    assert np.array_equal(at_once.images, draw(lines, at_once.latents))
    short = project(lines, wanted, starts=3, steps=1, seed=4)
    assert len(short.times) <= 2 and (short.errors >= one.errors).all()


def test_a_sweep_tries_the_variants_that_are_allowed(lines):
    groups, (z,) = latent_groups(lines), seed_latents([3], 24)
    start = groups.chosen(z)[0]
    target = line_picture([5, 0, 6])  # nothing draws a green line in row 0
    order, random = np.array([2, 0, 1]), np.random.default_rng(0)
    steps = list(sweep(lines, groups, z, target, distance, order, random))
    assert [step.images for step in steps] == [7, 8, 7]
    first, second, last = (groups.chosen(step.z)[0] for step in steps)
    assert first.tolist() == [start[0], start[1], 6] and second.tolist() == [5, start[1], 6]
    assert last.tolist()[::2] == [5, 6] and last[1] != 0
    assert steps[0].loss > steps[1].loss >= steps[2].loss > 0


def test_a_hidden_line_changes_its_colour_until_it_fits_elsewhere():
    """Two lines in row 2, both white; the picture has a blue one in row 5.

    White in row 5 is further from it than no line there, and a hidden line has no colour that is
    better than another. So no single change improves anything.
    """
    palette = np.array([[0, 0, 0], [255, 255, 255], [54, 79, 179]], np.uint8)
    generator = build_table_generator((8, 8, 3), 2, 8, palette)
    for thing in range(2):
        places = np.hstack([60 * np.eye(8), np.full((8, 8), -60)])
        generator.get_layer(f"generator_places_{thing}").kernel.assign(places)
        colours = np.array([[20.0, -20]] * 4 + [[-20, 20]] * 4) * (2 - thing)  # white, blue
        generator.get_layer(f"generator_colours_{thing}").kernel.assign(colours)
    groups = latent_groups(generator)
    start = np.zeros((4, 8), np.float32)
    start[[0, 1, 2, 3], [2, 0, 2, 1]] = 1
    target = np.zeros((8, 8, 3), np.uint8)
    target[2], target[5] = palette[1:]
    start, random = start.reshape(-1), np.random.default_rng(0)

    def sweep_from(z, order):
        return sweep(generator, groups, z, target, distance, order, random)

    (course,) = descend(sweep_from, start[None], np.array([[2, 3, 0, 1]]), 400, lambda: False)
    drawn = draw(generator, course[-1:])[0].astype(int)
    assert np.abs(drawn - target).max() < 3  # the paper's logit leaves black at 1


def test_half_of_the_starts_go_on_until_nothing_improves():
    """Five starts, numbers that each sweep of two steps lowers by two; none goes below 0."""
    swept = []

    def sweep_from(z, order):
        swept.append(int(z[0]))
        for _ in order:
            z = np.maximum(z - 1, 0)
            yield type("Step", (), {"z": z, "loss": z[0], "images": 1})

    starts = np.array([[9.0], [3], [7], [5], [6]])
    courses = descend(sweep_from, starts, np.zeros((5, 2), int), 100, lambda: False)
    # Three are left after the first sweep, two after the second, one after the third.
    assert swept == [9, 3, 7, 5, 6, 1, 3, 4, 0, 1] + [0] * (PATIENCE - 1)
    assert [course[:, 0].tolist() for course in courses] == [[3, 2, 1, 0]]
    swept.clear()
    (course,) = descend(sweep_from, starts[:1], np.zeros((1, 2), int), 3, lambda: False)
    assert course[:, 0].tolist() == [9, 8, 7, 6] and swept == [9, 7]


def test_where_latents_are_gaussian_too_both_are_found():
    generator, random = graph_generator(), np.random.default_rng(0)
    for name in ("rows", "columns", "generator_palette"):
        kernel = generator.get_layer(name).kernel
        values = random.uniform(-1, 1, kernel.shape)
        values[8:] /= 4  # of rows and columns: latents as they are change less than variants do
        kernel.assign(values)
    groups, z = latent_groups(generator), seed_latents([1, 2, 3], 8)
    wanted = draw(generator, z)
    found = project(generator, wanted, starts=4, steps=60)
    assert np.array_equal(found.images, draw(generator, found.latents))
    assert np.array_equal(groups.chosen(found.latents), groups.chosen(z))
    nearest = np.abs(draw(generator, found.history[0]).astype(int) - wanted).mean((1, 2, 3))
    assert (found.errors < nearest / 2).all()
    assert found.times.tolist() == sorted({*range(0, 61, 10), 15, 45})


def test_the_command_says_when_nothing_improves(lines, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_network(lines, tmp_path / "g.h5")
    save_picture(tmp_path / "mine.png", line_picture([2, 3, 6]))
    line = "generate.py project mine.png --generator g.h5 --starts 4 --out found"
    assert run_here(line.split(), monkeypatch) == 0
    assert "Mean absolute error 0.00 of 255 (ended after " in capsys.readouterr().out
    assert {file.name for file in (tmp_path / "found").iterdir()} == {
        "comparison.png",
        "found.png",
        "latents.npz",
        "search.gif",
    }
