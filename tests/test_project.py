"""The rules of the house."""

import ast
import sys

from tests.conftest import ROOT


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
