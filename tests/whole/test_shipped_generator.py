"""The generator that comes with the project draws what its card says."""

import json

from lines.judge.pixels import structure
from tests.helpers import ROOT
from utils.drawing import draw_images
from utils.generator import load_generator


def test_the_shipped_generator_draws_lines():
    folder = ROOT / "run" / "gan" / "0000_lines64"
    assert (folder / "generator.h5").stat().st_size < 8 * 1024**2
    images = draw_images(load_generator(folder / "generator.h5"), 300)
    claimed = json.loads((folder / "figures.json").read_text())["structure"]
    spread = (claimed * (1 - claimed) / 300) ** 0.5
    assert abs(structure(images, 3) - claimed) < 4 * spread
    assert f"{claimed:.3f}" in (folder / "card.md").read_text()
