"""The notebooks, run from first cell to last, and the rules of the house."""

import ast
import json
import re
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOKS = ROOT / "python notebooks"
REFERENCE = """\
gan = WGANGP(input_dim=(IMAGE_SIZE, IMAGE_SIZE, 3),
             critic_conv_filters=[128, 256, 512, 1024], critic_conv_kernel_size=[3,3,3,3],
             critic_conv_strides=[2, 2, 2, 2], critic_batch_norm_momentum=None,
             critic_activation='leaky_relu', critic_dropout_rate=None, critic_learning_rate=0.0002,
             generator_initial_dense_layer_size=(8, 8, 512), generator_upsample=[1, 1, 1, 1],
             generator_conv_filters=[512, 256, 128, 3], generator_conv_kernel_size=[6,6,6,6],
             generator_conv_strides=[2, 2, 2, 2], generator_batch_norm_momentum=0.9,
             generator_activation='leaky_relu', generator_dropout_rate=None,
             generator_learning_rate=0.0002, optimiser='adam', grad_weight=10, z_dim=100,
             batch_size=BATCH_SIZE)"""
SMALL = {
    "EPOCHS = 1201": "EPOCHS = 2",
    "BATCH_SIZE = 16": "BATCH_SIZE = 2",
    "IMAGE_SIZE = 128": "IMAGE_SIZE = 16",
    "[128, 256, 512, 1024]": "[4, 4, 4, 4]",
    "(8, 8, 512)": "(1, 1, 4)",
    "[512, 256, 128, 3]": "[4, 4, 4, 3]",
    "FRAMES = 48": "FRAMES = 5",
}


def execute(name, folder, changes):
    """Runs a notebook in a copy of the project, from `folder` inside it; its text output."""
    notebook = nbformat.read(NOTEBOOKS / name, 4)
    for cell in notebook.cells:
        for old, new in changes.items():
            cell.source = cell.source.replace(old, new)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    return "".join(output.get("text", "") for output in outputs), pictures


@pytest.fixture
def project(tmp_path):
    """The project as a user has it: the code by link, an empty `run`."""
    for name in ("lines", "models", "utils", "output.zip", "requirements.txt"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "python notebooks").mkdir()
    return tmp_path


def test_both_notebooks_from_the_root_and_from_their_own_folder(project):
    text, pictures = execute("Training 128.ipynb", project, SMALL)
    run = project / "run" / "gan" / "0001_output"
    assert "Found 10000 images belonging to 1 classes." in text
    assert re.search(r"1 \(5, 1\) \[D loss: ", text)
    assert (run / "images" / "sample_0.png").exists() and pictures >= 4
    longer = SMALL | {"EPOCHS = 1201": "EPOCHS = 4", '"build"': '"load"'}
    text, _ = execute("Training 128.ipynb", project / "python notebooks", longer)
    assert "Continuing after 2 epochs." in text and "3 (5, 1) [D loss: " in text
    for folder in (project, project / "python notebooks"):
        text, pictures = execute("Inference.ipynb", folder, SMALL)
        assert "100 latents to images of (16, 16, 3)" in text and pictures >= 3
    made = {file.name for file in (project / "new").iterdir()}
    assert {"grid.png", "seed_0.png", "seed_24.png", "walk_3_8.gif"} <= made


@pytest.mark.parametrize("name", ["Training 128.ipynb", "Inference.ipynb"])
def test_notebooks_hold_no_logic_and_no_outputs(name):
    notebook = json.loads((NOTEBOOKS / name).read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        assert cell["outputs"] == [] and cell["execution_count"] is None
        assert not re.search(r"^\s*(def|class) ", "".join(cell["source"]), re.MULTILINE)


def test_the_reference_block_stands_there_word_for_word():
    notebook = json.loads((NOTEBOOKS / "Training 128.ipynb").read_text())
    assert REFERENCE in ["".join(cell["source"]) for cell in notebook["cells"]]


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
