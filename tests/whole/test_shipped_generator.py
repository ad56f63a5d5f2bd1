"""The generators that come with the project, and an old one, draw what their cards say."""

import json

import pytest

from lines.judge import judge_for
from tests.helpers import DATA, ROOT
from utils import runs
from utils.drawing import draw_images
from utils.generator import load_generator

SHIPPED = [ROOT / "run" / "gan" / name for name in runs.SHIPPED]
FOLDERS = [*SHIPPED, DATA / "lines64_best"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_generator_draws_what_its_card_says(folder):
    assert (folder / "generator.h5").stat().st_size < 8 * 1024**2
    images = draw_images(load_generator(folder / "generator.h5"), 300)
    judge = judge_for(images.shape[1], weight={64: 3, 128: 5}[images.shape[1]])
    measured, claimed = judge.measure(images), json.loads((folder / "figures.json").read_text())
    card = (folder / "card.md").read_text()
    for name in ("structure", "validity"):
        spread = (claimed[name] * (1 - claimed[name]) / 300) ** 0.5
        assert abs(measured[name] - claimed[name]) < 4 * spread
        assert f"{claimed[name]:.3f}" in card


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_generators_that_come_with_the_project_are_those_of_lines(folder):
    params = json.loads((folder / "params.json").read_text())
    assert params["model"]["networks"] == "places"
    assert "rows and columns" in (folder / "card.md").read_text()
