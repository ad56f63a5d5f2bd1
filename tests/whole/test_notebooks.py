"""The notebooks, run from the first cell to the last: here, and with a stand-in for Colab."""

import copy
import csv
import itertools
import json
import os
import re
import shutil
import subprocess
import textwrap
from urllib.parse import quote

import keras
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from lines.dataset import write_zip
from tests.helpers import ROOT
from tests.helpers.preparing import drawing
from tests.helpers.scripts import run_here

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
TRAIN = """\
gan.train(x_train, batch_size=BATCH_SIZE, epochs=EPOCHS, run_folder=RUN_FOLDER,
          print_every_n_batches=PRINT_EVERY_N_BATCHES, n_critic=5, using_generator=True,
          rows=rows, columns=columns)"""
SMALL = {
    "EPOCHS = 1201": "EPOCHS = 2",
    "BATCH_SIZE = 16": "BATCH_SIZE = 2",
    "IMAGE_SIZE = 128": "IMAGE_SIZE = 16",
    "[128, 256, 512, 1024]": "[4, 4, 4, 4]",
    "(8, 8, 512)": "(1, 1, 4)",
    "[512, 256, 128, 3]": "[4, 4, 4, 3]",
    "SECONDS = 6": "SECONDS = 1",
    "STEPS = 400": "STEPS = 4",
}
if keras.config.backend() != "tensorflow":  # which writes ONNX
    SMALL["generator.onnx"] = "generator.keras"
LONGER = SMALL | {"EPOCHS = 1201": "EPOCHS = 4"}


def changed(name, changes):
    """A notebook, with other text in the place of some of its own."""
    notebook = nbformat.read(NOTEBOOKS / name, 4)
    for cell in notebook.cells:
        for old, new in changes.items():
            cell.source = cell.source.replace(old, new)
    return notebook


def run_cells(notebook, folder):
    """Runs a notebook from `folder`; the outputs of each of its cells."""
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def text_of(outputs):
    return "".join(output.get("text", "") for output in outputs)


def execute(name, folder, changes):
    """Runs a notebook in a copy of the project, from `folder` inside it; its text output."""
    outputs = [*itertools.chain(*run_cells(changed(name, changes), folder))]
    assert not [output for output in outputs if output.output_type == "error"]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    return text_of(outputs), pictures


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """An `output.zip` that is read in a moment."""
    path = tmp_path_factory.mktemp("data") / "output.zip"
    write_zip(path, count=100, size=16, weight=1)
    return path


@pytest.fixture
def project(tmp_path, images):
    """Makes the project as a user has it: the code by link, no `run`."""

    def make(name):
        folder = tmp_path / name
        (folder / "python notebooks").mkdir(parents=True)
        (folder / "output.zip").symlink_to(images)
        for linked in ("lines", "models", "utils", "requirements.txt"):
            (folder / linked).symlink_to(ROOT / linked)
        return folder

    return make


def test_both_notebooks_from_the_root_and_from_their_own_folder(project, monkeypatch, capsys):
    here = project("here")
    run = here / "run" / "gan" / "0001_output"
    name = run.relative_to(here)
    text, pictures = execute("Training 128.ipynb", here, SMALL)
    assert "Found 100 images belonging to 1 classes." in text
    assert f"New run: {name}" in text and "Continuing" not in text
    assert re.search(r"1 \(5, 1\) \[D loss: ", text) and str(run / "generator.h5") in text
    assert (run / "images" / "sample_0.png").exists() and pictures >= 4
    text, pictures = execute("Inference.ipynb", here / "python notebooks", SMALL)
    assert "100 latents to images of (16, 16, 3)" in text and pictures == 2
    new = here / "new"
    files = {str(file.relative_to(new)) for file in new.rglob("*") if file.is_file()}
    images = {f"seed_{seed}.png" for seed in range(25)} | {"grid.png", "latents.npz"}
    exported = SMALL.get("generator.onnx", "generator.onnx")
    search = {"found.png", "comparison.png", "search.gif", "latents.npz"}
    film = {"walk.mp4", "walk.npz"}
    assert files == images | film | {f"found/{name}" for name in search} | {"card.md", exported}
    assert "| data | `output.zip`, fingerprint " in (new / "card.md").read_text()
    monkeypatch.chdir(here)
    for name in ("seed_7", "grid", "found/found"):
        line = ["generate.py", "again", f"new/{name}.png", "--out", "again.png", "--overwrite"]
        assert run_here(line, monkeypatch) == 0
        pixels = [np.asarray(Image.open(file)).astype(int) for file in (line[2], "again.png")]
        assert np.abs(pixels[0] - pixels[1]).max() <= 1, capsys.readouterr().out


def test_a_session_in_colab_ends_and_another_continues_on_drive(project, colab_session):
    """Each session has a machine of its own, with nothing on it but the project; Drive stays."""
    mount, asked = colab_session
    on_drive = {
        "USE_DRIVE = False": "USE_DRIVE = True\nfrom utils.notebook import colab\n"
        f"colab.MOUNT = type(colab.MOUNT)('{mount}')"
    }
    first, second, third = map(project, ("first", "second", "third"))
    text, _ = execute("Training 128.ipynb", first, SMALL | on_drive)
    run = mount / "MyDrive" / "lines-wgan-gp" / "run" / "gan" / "0001_output"
    assert f"New run: {run}" in text
    text, _ = execute("Training 128.ipynb", second, LONGER | on_drive)
    assert f"Continuing {run} after 2 epochs." in text
    assert "3 (5, 1) [D loss: " in text and "1 (5, 1) [D loss: " not in text
    with open(run / "losses.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1", "2", "3"]
    assert not (first / "run").exists() and not (second / "run").exists()
    session = [["mount", str(mount), False], ["download", "images.zip"]]
    session.append(["download", "generator.h5"])
    followed = [request for request in asked() if request[0] == "iframe"]  # the page of the run
    assert len(followed) == 2
    assert [request for request in asked() if request not in followed] == 2 * session
    text, _ = execute("Inference.ipynb", third, SMALL | on_drive)
    assert f"{run / 'generator.h5'}: 100 latents to images of (16, 16, 3)" in text
    assert asked()[8:] == [["mount", str(mount), False], ["download", "new.zip"]]


@pytest.fixture
def repository(project):
    """The project in a git repository, without the packages that it needs."""
    if not shutil.which("git"):
        pytest.skip("needs git")
    folder = project("repository")
    (folder / "requirements.txt").unlink()
    (folder / "requirements.txt").touch()
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for line in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "All"]):
        subprocess.run(["git", "-C", folder, *line], check=True)
    return folder


def test_an_evening_in_colab_from_a_failed_clone_to_a_generator_of_uploaded_pictures(
    repository, colab_session, tmp_path, monkeypatch
):
    mount, asked = colab_session
    for seed in range(24):
        drawing(seed, 40).save(tmp_path / f"drawing {seed}.png")
    files = [str(tmp_path / f"drawing {seed}.png") for seed in range(24)]
    monkeypatch.setenv("COLAB_UPLOAD", os.pathsep.join(files))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    changes = {
        "/content/lines-wgan-gp": str(tmp_path / "content"),
        "https://github.com/lines-wgan-gp/lines-wgan-gp": str(repository),
        'PICTURES = ""': 'PICTURES = "upload"',
        "MINUTES = 60": "MINUTES = 0.01",
        "IMAGE_SIZE = 128": "IMAGE_SIZE = 32",
        "BATCH_SIZE = 16": "BATCH_SIZE = 2",
        "NETWORKS = {}": 'NETWORKS = {"width": 1 / 32}',
        "USE_DRIVE = False": "USE_DRIVE = True\nfrom utils.notebook import colab\n"
        f"colab.MOUNT = type(colab.MOUNT)('{mount}')",
    }
    notebook = changed("Training 128.ipynb", changes)
    set_up = next(cell for cell in notebook.cells if cell.cell_type == "code")
    failing = copy.deepcopy(set_up)
    failing.source = failing.source.replace(str(repository), str(tmp_path / "nowhere"))
    failing.id, failing.metadata["tags"] = "failing", ["raises-exception"]
    notebook.cells.insert(0, failing)
    empty = tmp_path / "empty"
    empty.mkdir()
    failed, *others = run_cells(notebook, empty)
    (error,) = [output for output in failed if output.output_type == "error"]
    assert (error.ename, error.evalue) == (
        "SystemExit",
        f"{tmp_path / 'nowhere'} could not be cloned, for the reason above: set REPOSITORY in this "
        "cell to the address that you opened this notebook from, and run the cell again",
    )
    assert "fatal: " in text_of(failed)
    outputs = [*itertools.chain(*others)]
    text = text_of(outputs)
    assert "No GPU: a training takes many times as long. Choose Runtime → Change runtime" in text
    assert "24 squares of 32×32 pixels, RGB" in text and "Next: python train.py" not in text
    pages = [output["data"].get("text/html", "") for output in outputs if "data" in output]
    assert [page for page in pages if "srcdoc=" in page and "Before you train" in page]
    drive = mount / "MyDrive" / "lines-wgan-gp" / "run"
    assert f"Recipe fast. Everything of this run goes to {drive / 'gan' / '0001_mine'}" in text
    assert (drive / "data" / "0001" / "mine.zip").exists() and not (
        tmp_path / "content/run"
    ).exists()
    params = json.loads((drive / "gan/0001_mine/params.json").read_text())
    assert params["model"]["networks"] == "fast" and params["model"]["image_size"] == 32
    assert params["training"]["n_critic"] == 1 and params["training"]["data"] == "mine.zip"
    assert [request[0] for request in asked()] == [
        *("mount", "upload", "iframe", "download", "download")
    ]


def test_other_networks_for_grey_images(project):
    """Networks for 32 pixels replace those of the block."""
    networks = '{"image_size": 32, "width": 1 / 32, "channels": 1}'
    changes = SMALL | {"NETWORKS = {}": f"NETWORKS = {networks}"}
    changes['AUGMENT = ""'] = 'AUGMENT = "transpose"'
    here = project("here")
    execute("Training 128.ipynb", here, changes)
    params = json.loads((here / "run/gan/0001_output/params.json").read_text())["model"]
    assert params["input_dim"] == [32, 32, 1] and params["augment"] == "transpose"
    assert params["critic_conv_filters"] == [4, 8, 16, 32]


def test_inference_imports_few_names_and_only_from_faces():
    notebook = json.loads((NOTEBOOKS / "Inference.ipynb").read_text())
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    lines = re.findall(r"^from (models|utils)(\S*) import (.*)$", "\n".join(code), re.MULTILINE)
    assert 0 < len(lines) <= 6
    for top, module, names in lines:
        assert (top, module) == ("models", ".projection") or (ROOT / top / module[1:]).is_dir()
        assert not any(
            (ROOT / top / module[1:] / f"{name}.py").exists() for name in names.split(", ")
        )


@pytest.mark.parametrize("name", ["Training 128.ipynb", "Inference.ipynb"])
def test_notebooks_hold_no_logic_and_no_outputs(name):
    notebook = json.loads((NOTEBOOKS / name).read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        assert cell["outputs"] == [] and cell["execution_count"] is None
        assert not re.search(r"^\s*(def|class) ", "".join(cell["source"]), re.MULTILINE)


def test_the_reference_block_and_the_call_stand_there_word_for_word():
    """Each below a condition, moved to the right as a whole."""
    notebook = json.loads((NOTEBOOKS / "Training 128.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    condition = 'if RECIPE == "reference"'
    for block, more in ((REFERENCE, " and not (NETWORKS or AUGMENT)"), (TRAIN, "")):
        expected = f"{condition}{more}:\n{textwrap.indent(block, '    ')}"
        assert [cell for cell in cells if cell.startswith(expected)]


def test_one_address_of_the_project():
    """Of badges and clones: that of `pyproject.toml`."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (address,) = re.findall('^Repository = "https://github.com/(.*)"$', project, re.MULTILINE)
    at_colab = f"https://colab.research.google.com/github/{address}/blob/main"
    set_ups = set()
    for name in ("Training 128.ipynb", "Inference.ipynb"):
        badge = f"colab-badge.svg)]({at_colab}/{quote(f'python notebooks/{name}')})"
        notebook = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))
        top, _, set_up, *_ = ("".join(cell["source"]) for cell in notebook["cells"])
        assert badge in top and f'REPOSITORY = "https://github.com/{address}"' in set_up
        set_ups.add(set_up)
        for page in ("README.md", "README.fr.md"):
            assert badge in (ROOT / page).read_text(encoding="utf-8"), page
    assert len(set_ups) == 1
