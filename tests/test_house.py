"""Who may import whom: the rules of the layout, read from the source code.

A room is a folder such as utils/runs; a file that lies beside rooms is a room of its own.
"""

import ast
import json
import subprocess
import sys

import pytest

from tests.helpers import ROOT

SCRIPTS = ("train", "generate", "evaluate")
BOTTOM = {f"utils.{name}" for name in ("frameworks", "messages", "files", "images", "hdf5", "cli")}
DATA = {"utils.sources", "utils.loaders"}
ROOMS = {
    f"utils.{name}"
    for name in ("prepare", "runs", "watch", "generator", "drawing", "quality", "notebook")
}
TOP = {"utils.callbacks", "utils.commands"}
FACES = ROOMS | {"utils.sources"}
FRAMEWORKS = {"tensorflow", "jax", "torch"}
HEAVY = ("keras", "tensorflow", "jax", "torch", "matplotlib", "onnx")

# What a module must not import, by the beginning of its name.
FORBIDDEN = {
    "lines": ("utils", "models"),
    "utils": ("models", "lines"),
    "models": ("lines", "utils.prepare", "utils.watch", "utils.notebook", "utils.commands"),
    "models.training": ("models.WGANGP",),
    "utils.drawing": ("utils.generator", "utils.quality"),
}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(*tops):
    """Modules of the project by name: their trees."""
    paths = [path for top in tops for path in (ROOT / top).rglob("*.py")]
    return {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


PROJECT = sources("lines", "models", "utils") | {
    name: ast.parse((ROOT / f"{name}.py").read_text(encoding="utf-8")) for name in SCRIPTS
}


def imported(tree, known):
    """Names of the modules that a tree imports anywhere, also within functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in known else node.module


EDGES = {name: {*imported(tree, PROJECT)} for name, tree in PROJECT.items()}


def within(name, package):
    return name == package or name.startswith(f"{package}.")


def room(name):
    """`utils.runs.state` lies in `utils.runs`; `utils.files` is a room of its own."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] in ("utils", "models") else name


def circles(graph):
    """Nodes that can be reached from themselves."""

    def reachable(start):
        seen, waiting = set(), [*graph[start]]
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting += graph.get(node, ())
        return seen

    return sorted(node for node in graph if node in reachable(node))


def test_no_file_imports_itself_in_a_circle():
    graph = {name: {n for n in names if n in PROJECT} - {name} for name, names in EDGES.items()}
    assert circles(graph) == []


def test_no_room_imports_itself_in_a_circle():
    graph = {}
    for name, names in EDGES.items():
        targets = {room(n) for n in names if n in PROJECT}
        graph.setdefault(room(name), set()).update(targets - {room(name), "utils", "models"})
    assert circles(graph) == []


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_what_a_package_must_not_import(package):
    wrong = [
        (name, n)
        for name, names in EDGES.items()
        if within(name, package)
        for n in names
        if any(within(n, other) for other in FORBIDDEN[package])
    ]
    assert wrong == []


def test_lines_needs_numpy_pillow_and_the_standard_library():
    allowed = {"lines", "numpy", "PIL", *sys.stdlib_module_names}
    used = {n.split(".")[0] for name in EDGES if within(name, "lines") for n in EDGES[name]}
    assert used <= allowed and "numpy" in used


def test_only_scripts_import_lines_and_only_generate_imports_commands():
    for name, names in EDGES.items():
        if not within(name, "lines") and name not in SCRIPTS:
            assert not [n for n in names if within(n, "lines")], name
        if not within(name, "utils.commands") and name != "generate":
            assert not [n for n in names if within(n, "utils.commands")], name


def test_frameworks_are_imported_by_engines_alone_and_engines_import_no_other_models():
    for name, names in EDGES.items():
        if within(name, "models.engines"):
            others = [n for n in names if within(n, "models") and not within(n, "models.engines")]
            assert others == [], name
        else:
            assert not {n.split(".")[0] for n in names} & FRAMEWORKS, name


def test_nobody_in_utils_imports_what_stands_above():
    """Bottom, data, rooms, top: nobody imports what stands above."""
    storeys = (BOTTOM, DATA, ROOMS, TOP)
    height = {name: i for i, storey in enumerate(storeys) for name in storey}
    for name, names in EDGES.items():
        if within(name, "utils") and name != "utils":
            assert room(name) in height, f"{name} stands nowhere"
            for n in names:
                if within(n, "utils") and n != "utils" and n in PROJECT:
                    assert height[room(n)] <= height[room(name)], f"{name} imports {n}"


def test_outsiders_import_the_face_of_a_room():
    for name, names in EDGES.items():
        for n in names:
            inside = any(within(n, r) and n != r for r in FACES)
            if inside and n in PROJECT:
                assert room(name) == room(n), f"{name} imports {n}, not the face of its room"


def test_names_of_a_face_are_no_names_of_its_modules_and_exist():
    for package in sorted(FACES):
        (call,) = [
            node
            for node in ast.walk(PROJECT[package])
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "exports"
        ]
        homes = ast.literal_eval(call.args[1])
        for module, names in homes.items():
            defined = {
                getattr(target, "id", "")
                for node in PROJECT[f"{package}.{module}"].body
                if isinstance(node, (ast.Assign, ast.AnnAssign))
                for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            } | {
                node.name
                for node in PROJECT[f"{package}.{module}"].body
                if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            }
            assert {*names} <= defined, f"{package}.{module}"
            assert not [name for name in names if f"{package}.{name}" in PROJECT], package


def test_faces_and_help_load_nothing_heavy():
    program = (
        "import sys, importlib\n"
        f"for name in {sorted(FACES)!r} + ['models.presets', 'utils.cli']:\n"
        "    importlib.import_module(name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


COMMANDS = ["train.py", "generate.py", "generate.py images", "generate.py walk", "evaluate.py"]
COMMANDS += ["generate.py export", "generate.py project", "generate.py web"]
COMMANDS += ["-m utils.runs", "-m utils.watch", "-m utils.prepare", "-m lines"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_there_without_a_framework(command):
    line = [sys.executable, "-X", "importtime", *command.split(), "--help"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    modules = {row.rsplit("|")[-1].strip().split(".")[0] for row in done.stderr.splitlines()}
    assert "argparse" in modules and not modules & {*HEAVY}
    assert done.stdout.startswith("usage: ") and "None" not in done.stdout


def test_no_test_module_imports_a_test_module():
    for name, tree in sources("tests").items():
        tests = [n for n in imported(tree, {}) if ".test_" in n or n.endswith("conftest")]
        assert tests == [], name


@pytest.mark.parametrize("name", ["Training 128.ipynb", "Inference.ipynb"])
def test_notebooks_have_few_imports_from_the_project(name):
    notebook = json.loads((ROOT / "python notebooks" / name).read_text(encoding="utf-8"))
    lines = [line for cell in notebook["cells"] for line in cell["source"]]
    ours = [
        line for line in lines if line.startswith(("from models", "from utils", "import utils"))
    ]
    assert 1 <= len(ours) <= 6
