"""The search for a picture: what it finds, how it is measured, what the command leaves."""

import os
import signal
from functools import partial

import keras
import numpy as np
import pytest
from PIL import Image

from models.search.projection import distance, project
from models.WGANGP import WGANGP
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY
from utils.drawing.latents import draw, seed_latents
from utils.drawing.provenance import read_provenance
from utils.images import save_picture
from utils.quality import (
    Evaluation,
    add_coverage,
    draw_report,
    evaluate_generator,
    figures_table,
)


def made_by_hand(activation, scale, channels=3):
    """A generator of one layer: 3 latents to 16 × 16 pixels."""
    z = keras.Input((3,))
    kernel = np.random.default_rng(0).standard_normal((3, 256 * channels)) * scale
    layer = keras.layers.Dense(256 * channels, activation)
    generator = keras.Model(z, keras.layers.Reshape((16, 16, channels))(layer(z)))
    layer.kernel.assign(kernel)
    return generator


@pytest.fixture(scope="module")
def linear():
    """Its images tell their latents: pixels are their sums with known weights."""
    return made_by_hand(None, 0.1)


def off(drawn, wanted):
    return np.abs(drawn.astype(float) - wanted).mean((1, 2, 3))


def test_it_recovers_the_latents_that_images_were_drawn_from(linear):
    z = seed_latents(list(range(35)), 3)  # more than are searched for at once
    wanted = draw(linear, z)
    found = project(linear, wanted, starts=2, steps=80)
    assert np.abs(found.latents - z).max() < 0.05
    assert found.errors.max() < 1 and np.array_equal(found.errors, off(found.images, wanted))
    assert np.array_equal(found.images, draw(linear, found.latents))
    assert np.array_equal(found.history[-1], found.latents)
    assert found.times.tolist() == list(range(0, 81, 10)) and found.history.shape == (9, 35, 3)
    nearest = off(draw(linear, found.history[0]), wanted)  # of 2,000 random ones
    assert (nearest < off(draw(linear, np.roll(z, 1, 0)), wanted)).mean() > 0.9
    assert (found.errors < nearest).mean() > 0.9


def test_one_seed_one_result_and_another_another(linear):
    wanted = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    one, same = (project(linear, wanted, starts=3, steps=15, seed=4) for _ in range(2))
    other = project(linear, wanted, starts=3, steps=15, seed=5)
    assert np.array_equal(one.history, same.history) and np.array_equal(one.errors, same.errors)
    assert not np.array_equal(one.latents, other.latents)
    # Rounds of 3, 4, 4 and 4 steps, and every tenth.
    assert one.times.tolist() == [0, 3, 7, 10, 11, 15]


def test_a_search_that_is_stopped_gives_the_best_so_far(linear):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 6

    wanted = draw(linear, seed_latents([1], 3))
    found = project(linear, wanted, starts=4, steps=400, stop=stop)
    assert found.times.tolist() == [0, 10, 20, 30, 40, 50]
    assert np.array_equal(found.errors, off(draw(linear, found.latents), wanted))
    assert found.errors[0] < off(draw(linear, found.history[0]), wanted)[0]
    at_once = project(linear, wanted, stop=lambda: True)
    assert at_once.times.tolist() == [0] and np.array_equal(at_once.history[0], at_once.latents)


def test_distance_by_hand():
    wanted = np.zeros((1, 8, 8, 1), np.float32)
    near, far = np.zeros((2, 8, 8, 1), np.float32)
    near[0, :2, 0] = 1, -1  # in one square of 2 by 2, whose mean is right
    far[0, 0, 0], far[7, 7, 0] = 1, -1  # two means of 16 are off by 1/4, at a quarter of the weight
    values = keras.ops.convert_to_numpy(distance(np.stack([near, far]), wanted))
    assert values == pytest.approx([2 / 64, 2 / 64 + 2 / 4 / 16 / 4])


def test_what_is_no_image_of_the_generator_is_refused(linear):
    for images in (
        np.zeros((1, 16, 16, 1), np.uint8),
        np.zeros((1, 16, 16, 3), np.float32),
        np.zeros((0, 16, 16, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match=r"expected images uint8 \(n, 16, 16, 3\), received"):
            project(linear, images)
    with pytest.raises(ValueError, match="expected at least 1 start and 1 step, received 0 and 9"):
        project(linear, np.zeros((1, 16, 16, 3), np.uint8), starts=0, steps=9)


def test_coverage_notices_what_a_generator_cannot_draw(tmp_path):
    search = partial(project, starts=4, steps=80)
    generator = made_by_hand("tanh", 2)  # nearly black and white, so it draws no mean of two images
    own = draw(generator, seed_latents(list(range(100, 124)), 3))
    for training, covered in ((own, True), (own[:, ::-1], False)):
        others = {"texture_mean": 1.0, "nearest_median": 1.0}
        names = dict.fromkeys(others, "blurred")
        found = Evaluation(24, 16, *(others.copy() for _ in range(5)), names, {}, [], [], 0, 24)
        add_coverage(found, generator, training, None, 8, search)
        errors = np.sort(found.projected["real images"])
        assert len(errors) == 8 and found.measures["projection_median"] == np.median(errors)
        for name in ("projection_median", "projection_p95"):
            ours, control = found.measures[name], found.control[name]
            assert found.low[name] <= found.real[name] <= found.high[name] < control / 4
            assert (ours < control / 4) == covered and (covered or not found.within(name))
    captions = [caption for caption, _, _ in found.projections]
    assert captions[::5] == [f"{errors[0]:.1f} of 255", f"{errors[-1]:.1f} of 255"]
    assert "projection_p95" in figures_table(found) and "two in one" in figures_table(found)
    draw_report(tmp_path / "report.png", found, "title")
    # The sentences, neighbours, projections, their curves, and two lines for each measure.
    inches = 1.2 + 1.5 + 1.5 + 2.4 + 0.165 * (2 * len(found.measures) + 4) + 0.5
    with Image.open(tmp_path / "report.png") as report:
        assert report.height == pytest.approx(100 * inches, abs=1)


def test_one_call_evaluates_a_generator_and_its_coverage(tiny_zip, capsys):
    """The coverage is measured only where a search is handed in, for as many images as asked."""
    generator = made_by_hand("tanh", 2)

    def no_law(size, weight, training):
        assert (size, weight, training.shape) == (16, None, (30, 16, 16, 3))

    found = evaluate_generator(generator, no_law, tiny_zip, count=10)
    assert (found.count, found.size) == (10, 16) and "texture_16" in found.measures
    assert not found.projected and "projection_median" not in found.measures
    search = partial(project, starts=1, steps=1)
    found = evaluate_generator(generator, no_law, tiny_zip, count=10, project=search, searched=9)
    assert [len(errors) for errors in found.projected.values()] == [9, 9, 9]
    assert found.measures["projection_median"] > found.real["projection_median"]
    assert "Searching the generator for 9 images: real images" in capsys.readouterr().err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to stand in, with a generator of lively images and one of them, twice as large."""
    monkeypatch.chdir(tmp_path)
    gan = WGANGP(**TINY, initial_weights="he")
    gan.save_model(tmp_path)
    drawn = draw(gan.generator, seed_latents([7], 5))[0]
    save_picture("mine.png", drawn.repeat(2, 0).repeat(2, 1))
    return tmp_path


def test_the_command_finds_a_picture(folder, monkeypatch, capsys):
    line = "generate.py project mine.png --generator generator.h5 --starts 4 --steps 40 --out found"
    assert run_here(line.split(), monkeypatch) == 0
    names = sorted(file.name for file in (folder / "found").iterdir())
    assert names == ["comparison.png", "found.png", "latents.npz", "search.gif"]
    with np.load("found/latents.npz") as kept:
        assert kept["latents"].shape == (1, 5) and int(kept["steps"]) == 40
        assert f"Mean absolute error {kept['error']:.2f} of 255\n" in capsys.readouterr().out
        assert np.array_equal(read_provenance("found/found.png").latents, kept["latents"])
        error = float(kept["error"])
    with Image.open("mine.png") as mine, Image.open("found/found.png") as found:
        wanted = mine.resize((16, 16), Image.Resampling.LANCZOS)
        pixels = np.asarray(found)[None, ::32, ::32]  # of 512
        assert off(pixels, np.asarray(wanted)) == pytest.approx([error])
    with Image.open("found/search.gif") as film:
        assert film.n_frames == 5 + 10 and film.size == (2 * 256 + 6, 256 + 14 + 4)
    with Image.open("found/comparison.png") as comparison:
        assert comparison.size == (3 * 256 + 8, 256 + 14 + 4)


def test_ctrl_c_keeps_what_is_found_so_far(folder, monkeypatch, capsys):
    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return project(*arguments)

    monkeypatch.setattr("models.search.project", interrupted)
    line = "generate.py project mine.png --generator generator.h5 --out found"
    assert run_here(line.split(), monkeypatch) == 0
    assert "of 255 (ended after 0 steps)" in capsys.readouterr().out
    assert (folder / "found" / "found.png").exists()


def test_a_colour_picture_and_a_grey_generator(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    grey = TINY | {"input_dim": (16, 16, 1), "generator_conv_filters": [4, 1]}
    WGANGP(**grey).save_model(tmp_path)
    Image.new("RGBA", (40, 30), (255, 0, 0, 0)).save("clear.png")
    line = "generate.py project clear.png --generator generator.h5 --starts 1 --steps 1 --out found"
    assert run_here(line.split(), monkeypatch) == 0
    with Image.open("found/comparison.png") as comparison:
        assert comparison.mode == "L" and comparison.getpixel((10, 10)) == 255  # white paper
