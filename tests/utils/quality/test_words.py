"""The sentences that begin a report, and the words for each measure."""

import numpy as np
import pytest

from lines.judge.judge import MEASURES
from utils.quality.evaluation import Evaluation
from utils.quality.words import excess, sentences, words

COLOURS = ["white", "yellow", "red", "blue"]


def evaluation(measures, copies=0, histograms=None):
    """Each measure is (value, real, low, high, control)."""
    fields = ({name: row[i] for name, row in measures.items()} for i in range(5))
    value, real, low, high, control = fields
    return Evaluation(
        count=500,
        size=64,
        measures=value,
        real=real,
        low=low,
        high=high,
        control=control,
        controls={},
        histograms=histograms or {},
        examples=[],
        neighbours=[],
        copies=copies,
        compared=256,
    )


LAW = {
    "validity": (0.312, 1, 1, 1, 0.1),
    "crossings": (1.0, 1, 1, 1, 0.0),
    "colour_tv_vertical": (0.03, 0.02, 0.01, 0.05, 0.25),
    "novelty": (1.0, 0.998, 0.996, 1, 0),
}
OWN = {
    "texture_64": (18.0, 20, 15, 25, 90),
    "texture_mean": (75.0, 25.0, 20, 30, 130),
    "nearest_median": (40.0, 41, 39, 42, 0),
    "diversity": (60.0, 80, 75, 85, 0),
}


def changed(measures, **values):
    """Measures with other values."""
    return {name: (values.get(name, row[0]), *row[1:]) for name, row in measures.items()}


def test_the_sentences_of_drawings_of_lines():
    histograms = {"colour, vertical": (COLOURS, np.array([100, 275, 100, 25]))}
    colours = changed(LAW, colour_tv_vertical=0.3, validity=1.0)
    assert sentences(evaluation(LAW)) == [
        "156 of 500 drawings have the right three lines.",
        "Shapes are the largest fault: 31.2% of the drawings are three lines, and 100.0% of real "
        "ones.",
        "No image copies the training set.",
    ]
    assert sentences(evaluation(colours, histograms=histograms))[:2] == [
        "All 500 drawings have the right three lines.",
        "Colours are the largest fault: 55% of the vertical lines are yellow, instead of 25%.",
    ]


@pytest.mark.parametrize(
    ("values", "number", "expected"),
    [
        ({"validity": 0.0}, 0, "None of 500 drawings has the right three lines."),
        ({"validity": 0.002}, 0, "1 of 500 drawings has the right three lines."),
        ({"novelty": 0.998}, 2, "1 of 500 images is in the training set, no more than by chance."),
        ({"novelty": 0.9}, 2, "50 of 500 images are in the training set."),
        (
            {"validity": 1.0, "crossings": 0.5},
            1,
            "Shapes are the largest fault: the horizontal line is on top at 50.0% of crossings, "
            "and at 100.0% of real ones.",
        ),
        (
            {"validity": 1.0},
            1,
            "No fault is larger than the differences between sets of real images.",
        ),
    ],
)
def test_other_sentences_of_drawings(values, number, expected):
    assert sentences(evaluation(changed(LAW, **values)))[number] == expected


def test_the_sentences_of_ones_own_images():
    """The textures' mean is 45 above the band, of 100 to the control; the diversity 15 of 75."""
    found = evaluation(OWN, copies=3)
    assert excess(found, "texture_mean") == pytest.approx(0.45)
    assert excess(found, "diversity") == pytest.approx(0.2)
    assert excess(found, "texture_64") == 0
    times = "3.0 times as far from the training images' as those of other real images."
    assert sentences(found) == [
        f"The textures are {times}",
        f"Textures are the largest fault: they are {times}",
        "3 of 256 images are in the training set.",
    ]
    closer = evaluation(changed(OWN, texture_mean=22.0, nearest_median=20.0))
    assert sentences(closer) == [
        "The textures are as close to the training images' as those of other real images.",
        "Copying is the largest fault: the nearest training image is 20 of 255 away, and 41 from "
        "real images.",
        "No image copies the training set, but images are closer to it than real ones.",
    ]


def test_a_measure_beyond_its_control_or_without_one():
    beyond = evaluation({"diversity": (0.0, 80, 75, 85, 70), "novelty": (0.5, 1, 1, 1, 1)})
    assert excess(beyond, "diversity") == 1  # at most
    other_side = evaluation({"nearest_median": (90.0, 41, 39, 42, 0)})
    assert 0 < excess(other_side, "nearest_median") < 1e-6
    assert excess(evaluation({"crossings": (np.nan, 1, 1, 1, 0)}), "crossings") == 0


def test_every_measure_has_words():
    of_pixels = ["texture_64", "texture_mean", "nearest_median", "near_duplicates", "diversity"]
    texts = {name: words(name) for name in (*MEASURES, *of_pixels, "projection_p95")}
    assert [name for name, text in texts.items() if not text or "{" in text] == []
    assert len({*texts.values()}) == len(texts) and words("another_judges") == ""
    assert all(len(text) < 75 for text in texts.values())
