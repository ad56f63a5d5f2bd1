"""The rules of the house: who may import whom, and what the shipped generator draws."""

import ast
import graphlib
import json
import sys

import pytest

from lines.judge.pixels import structure
from tests.helpers import ROOT
from utils.drawing import draw_images
from utils.generator import load_generator

BOTTOM = {"utils.messages", "utils.files", "utils.images", "utils.hdf5", "utils.cli"}
DATA = {"utils.sources", "utils.loaders"}
ALLOWED = {
    "utils.drawing": BOTTOM | DATA,
    "utils.generator": BOTTOM | DATA | {"utils.drawing"},
    "utils.runs": BOTTOM | DATA,
    "utils.notebook": BOTTOM | DATA | {"utils.drawing", "utils.generator", "utils.runs"},
    "utils.commands": BOTTOM
    | DATA
    | {"utils.drawing", "utils.generator", "utils.quality", "utils.runs"},
}
"""What each room of `utils` may import, next to its own modules and `utils.exports`."""


def modules():
    """Every module of the project by its name, without the tests."""
    folders = [file for top in ("lines", "models", "utils") for file in (ROOT / top).rglob("*.py")]
    files = [*folders, *(ROOT / name for name in ("train.py", "generate.py", "evaluate.py"))]
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}
    return {name.removesuffix(".__init__"): file for name, file in names.items()}


def imports(path):
    """What a file imports: (module, name), or (module, None) for `import module`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((name.name, None) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, name.name) for name in node.names)


def imported_modules(path, known):
    """The modules of the project that a file imports."""
    for module, name in imports(path):
        if f"{module}.{name}" in known:
            yield f"{module}.{name}"
        elif module in known:
            yield module


def room(module, known):
    """The folder of a module, as a name; a file next to folders is its own room."""
    package = module if known[module].name == "__init__.py" else module.rpartition(".")[0]
    return package if "." in package else module


def test_who_may_import_a_framework_or_the_sketch():
    for path in (ROOT / "lines").rglob("*.py"):
        packages = {module.split(".")[0] for module, _ in imports(path)}
        assert packages - sys.stdlib_module_names <= {"lines", "numpy", "PIL"}, path
    for path in [*(ROOT / "utils").rglob("*.py"), *(ROOT / "models").rglob("*.py")]:
        packages = {module.split(".")[0] for module, _ in imports(path)}
        assert "lines" not in packages, path
        if path.parent.name != "engines":
            assert not {"tensorflow", "jax", "torch"} & packages, path


@pytest.mark.parametrize("name", ALLOWED)
def test_a_room_imports_only_rooms_below_and_only_their_faces(name):
    known = modules()
    for module, path in known.items():
        if room(module, known) == name:
            for imported in imported_modules(path, known):
                if imported.startswith(name) or imported == "utils":
                    continue
                assert imported in ALLOWED[name], f"{module} imports {imported}"


def test_only_generate_imports_commands():
    known = modules()
    for module, path in known.items():
        if any(name.startswith("utils.commands") for name in imported_modules(path, known)):
            assert module == "generate" or module.startswith("utils.commands")


def test_no_two_files_import_each_other_in_a_circle():
    known = modules()
    graph = {name: {*imported_modules(path, known)} - {name} for name, path in known.items()}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("top", ["lines", "utils"])
def test_no_two_rooms_import_each_other_in_a_circle(top):
    known = {name: path for name, path in modules().items() if name.split(".")[0] == top}
    graph = {}
    for module, path in known.items():
        rooms = {room(name, known) for name in imported_modules(path, known)}
        graph.setdefault(room(module, known), set()).update(rooms - {room(module, known)})
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_scripts_are_short():
    for name in ("train.py", "generate.py", "evaluate.py"):
        assert len((ROOT / name).read_text().splitlines()) < 100


def test_the_shipped_generator_draws_lines():
    folder = ROOT / "run" / "gan" / "0000_lines64"
    assert (folder / "generator.h5").stat().st_size < 8 * 1024**2
    images = draw_images(load_generator(folder / "generator.h5"), 300)
    claimed = json.loads((folder / "figures.json").read_text())["structure"]
    spread = (claimed * (1 - claimed) / 300) ** 0.5
    assert abs(structure(images, 3) - claimed) < 4 * spread
    assert f"{claimed:.3f}" in (folder / "card.md").read_text()
