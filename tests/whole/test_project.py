"""The rules of the house."""

import ast
import json
import sys

from lines.judge.pixels import structure
from tests.helpers import ROOT
from utils.drawing.latents import draw_images
from utils.generator.load import load_generator


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_who_may_import_what():
    for path in (ROOT / "lines").glob("*.py"):
        assert set(imports(path)) - sys.stdlib_module_names <= {"lines", "numpy", "PIL"}, path
    for path in [*(ROOT / "utils").rglob("*.py"), *(ROOT / "models").rglob("*.py")]:
        assert "lines" not in set(imports(path)), path
        if path.parent.name != "engines":
            assert not {"tensorflow", "jax", "torch"} & set(imports(path)), path


def test_scripts_are_short():
    for name in ("train.py", "generate.py", "evaluate.py"):
        assert len((ROOT / name).read_text().splitlines()) < 100


def test_the_generator_that_comes_along_draws_lines():
    folder = ROOT / "run" / "gan" / "0000_lines64"
    assert (folder / "generator.h5").stat().st_size < 8 * 1024**2
    images = draw_images(load_generator(folder / "generator.h5"), 300)
    claimed = json.loads((folder / "figures.json").read_text())["structure"]
    spread = (claimed * (1 - claimed) / 300) ** 0.5
    assert abs(structure(images, 3) - claimed) < 4 * spread
    assert f"{claimed:.3f}" in (folder / "card.md").read_text()
