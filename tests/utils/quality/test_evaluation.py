"""Evaluations with and without a law; their table, JSON and report; the command line."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lines.dataset import write_zip
from lines.judge import LineJudge, judge_for
from lines.judge.judge import MEASURES
from lines.judge.law import as_scene, sample_scenes
from lines.render import render_all
from tests.helpers import ROOT
from utils.loaders import read_images
from utils.quality.evaluation import evaluate, evaluate_images, with_law
from utils.quality.report import draw_report, figures_table, write_json
from utils.quality.similarity import nearest

BY_PIXELS = ("texture_32", "texture_mean", "nearest_median", "near_duplicates", "diversity")


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(1)
    return render_all([as_scene(row) for row in sample_scenes(400, 32, rng)], 32, 1)


@pytest.fixture(scope="module")
def lines(training):
    """60 images and their evaluation: fresh real ones, but the last one is noise."""
    judge = LineJudge(32, 1, training)
    images = judge.fresh(60, seed=9)
    images[-1] = np.random.default_rng(0).integers(0, 256, (32, 32, 3))
    return images, evaluate(images, training, judge)


def test_with_a_law(lines, training):
    images, found = lines
    assert found.count == 60 and found.measures["validity"] == pytest.approx(59 / 60)
    assert set(MEASURES) < set(found.measures)
    for field in (found.real, found.low, found.high, found.control, found.controls):
        assert field.keys() == found.measures.keys()
    assert not found.within("validity") and found.within("near_duplicates")
    captions = [caption for caption, _, _ in found.examples]
    assert captions[:6] == ["best 0.0%"] * 6 and captions[-1].startswith("worst")
    _, worst, explained = found.examples[-1]
    assert np.array_equal(worst, images[-1]) and not np.array_equal(worst, explained)
    for _, image, explained in found.examples[:-1]:
        assert np.array_equal(image, explained)
    labels, counts = found.histograms["colour, horizontal"]
    assert labels == ["white", "yellow", "red", "blue"] and counts.sum() == 120
    for image, neighbour, distance in found.neighbours:
        (index,), (expected,) = nearest(image[None], training)
        assert distance == expected and np.array_equal(neighbour, training[index])


def test_without_a_law(training):
    """Real images pass; blurred, repeated and copied ones are noticed, each by its measure."""
    real, rest = training[:100], training[100:]
    found = evaluate(real, rest)
    assert set(BY_PIXELS) <= set(found.measures) and not found.examples and not found.histograms
    for name in BY_PIXELS:
        assert found.measures[name] == pytest.approx(found.real[name], rel=0.25)
    assert found.control["texture_mean"] > 1.5 * found.high["texture_mean"]
    for name in (name for name in found.measures if name.startswith("texture")):
        assert found.control[name] > 1.2 * found.high[name]
    assert found.control["nearest_median"] == 0 < found.low["nearest_median"]
    assert found.control["near_duplicates"] > 0.9 and found.high["near_duplicates"] < 0.1
    assert found.control["diversity"] == 0 < found.low["diversity"]
    copied = evaluate(rest[:100], rest)
    assert [distance for _, _, distance in copied.neighbours] == [0] * 6
    assert copied.measures["nearest_median"] == 0 and not copied.within("nearest_median")


def test_grey_images(training):
    grey = training.mean(axis=-1, keepdims=True).astype(np.uint8)
    found = evaluate(grey[:50], grey[50:])
    assert found.measures["texture_mean"] < 2 * found.high["texture_mean"]


def test_too_few_images_and_images_of_another_shape(training):
    with pytest.raises(ValueError, match="expected at least 8 images to judge, received 7"):
        evaluate(training[:7], training)
    with pytest.raises(ValueError, match="expected at least 8 training images, received 3"):
        evaluate(training, training[:3])
    with pytest.raises(ValueError, match=r"are \(32, 16, 3\) and the training images \(32, 32, 3"):
        evaluate(training[:, :, :16], training)


def test_table_json_and_report(lines, tmp_path):
    _, found = lines
    rows = figures_table(found).splitlines()
    (validity,) = (row for row in rows if row.startswith("validity "))
    assert validity.split()[:6] == ["validity", "0.9833*", "1.0000", "1.0000", "…", "1.0000"]
    assert rows[-1].startswith("* outside the band of real images: ")
    assert rows[-1].endswith(f" of {len(found.measures)} measures")
    found.measures["crossings"] = math.nan
    write_json(tmp_path / "a.json", found, judged="x.zip")
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["validity"] == found.measures["validity"] and content["crossings"] is None
    assert list(content.items())[:3] == [("judged", "x.zip"), ("size", 32), ("count", 60)]
    assert content["low"].keys() == content["control"].keys() == found.measures.keys()
    assert "–" in next(
        row for row in figures_table(found).splitlines() if row.startswith("crossings")
    )
    draw_report(tmp_path / "report.png", found, "title")
    with Image.open(tmp_path / "report.png") as picture:
        assert picture.width == 1300 and picture.height > 1000
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 100


def test_one_call_evaluates_images_against_a_folder(tmp_path, training):
    (tmp_path / "noise").mkdir()
    for i, image in enumerate(np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)):
        Image.fromarray(image).save(tmp_path / "noise" / f"{i}.png")
    found = evaluate_images(training[:12], judge_for, tmp_path / "noise")
    assert (found.count, found.size) == (12, 32) and found.measures["nearest_median"] > 50
    assert "validity" not in found.measures  # noise is not by the law of the sketch


def test_the_law_of_a_file_is_found(tmp_path, training):
    write_zip(tmp_path / "lines.zip", count=20, size=32, weight=1)
    images, data, found = with_law(training[:9], judge_for, tmp_path / "lines.zip", None)
    assert images is not data and len(images) == 9 and len(data) == 20
    assert (found.size, found.weight) == (32, 1)


def test_without_data_grey_images_are_judged_as_the_sketchs_rgb(training):
    judge = LineJudge(32, 1, training)

    def sketch(size, weight, data):
        assert (size, weight, data) == (32, 1, None)
        return judge

    images, data, found = with_law(training[:9, :, :, :1], sketch, None, 1)
    assert images.shape == (9, 32, 32, 3) and data is training and found is judge


def test_help_loads_no_framework():
    code = """if True:
        import runpy, sys
        sys.argv = ["evaluate.py", "--help"]
        try:
            runpy.run_path("evaluate.py", run_name="__main__")
        except SystemExit:
            print(sorted({"keras", "matplotlib", "numpy"} & sys.modules.keys()))
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("usage: evaluate.py [-h]"), done.stderr
    assert done.stdout.endswith("[]\n") and "None" not in done.stdout


def test_images_are_read_in_the_order_of_their_names(tmp_path):
    write_zip(tmp_path / "x.zip", count=20, size=32, weight=1)
    images = read_images(tmp_path / "x.zip")
    assert images.shape == (20, 32, 32, 3) and images.dtype == np.uint8
    assert np.array_equal(read_images(tmp_path / "x.zip", count=3), images[:3])
    assert read_images(tmp_path / "x.zip", 16).shape == (20, 16, 16, 3)
    folder = tmp_path / "folder"
    folder.mkdir()
    for i in (2, 0, 1):
        Image.fromarray(images[i]).save(folder / f"{i}.png")
    assert np.array_equal(read_images(folder), images[:3])
    (folder / "!.png").write_text("no picture")  # the first by its name
    with pytest.raises(ValueError, match=r"!\.png does not decode"):
        read_images(folder)
