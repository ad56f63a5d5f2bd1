"""The notebooks, run from the first cell to the last: here, and with a stand-in for Colab."""

import csv
import json
import re

import keras
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from lines.dataset import write_zip
from tests.helpers import ROOT
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
    text, _ = execute("Training 128.ipynb", here / "python notebooks", LONGER)
    assert f"Continuing {name} after 2 epochs." in text
    assert "3 (5, 1) [D loss: " in text and "1 (5, 1) [D loss: " not in text
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


def test_a_generator_is_uploaded_on_request(project, colab_session, run, monkeypatch):
    monkeypatch.setenv("COLAB_UPLOAD", str(run[1] / "generator.h5"))
    asking = {'GENERATOR = ""': 'GENERATOR = "upload"'}
    text, _ = execute("Inference.ipynb", project("here"), SMALL | asking)
    assert "generator.h5: 5 latents to images of (16, 16, 3)" in text
    uploaded = ["upload", str(run[1] / "generator.h5")]
    assert colab_session[1]() == [uploaded, ["download", "new.zip"]]


def test_other_networks_for_grey_images(project):
    """Networks for 32 pixels replace those of the block."""
    networks = '{"image_size": 32, "width": 1 / 32, "channels": 1}'
    changes = SMALL | {"NETWORKS = {}": f"NETWORKS = {networks}", '"none"': '"transpose"'}
    here = project("here")
    execute("Training 128.ipynb", here, changes)
    params = json.loads((here / "run/gan/0001_output/params.json").read_text())["model"]
    assert params["input_dim"] == [32, 32, 1] and params["augment"] == "transpose"
    assert params["critic_conv_filters"] == [4, 8, 16, 32]


def test_use_drive_outside_colab_stops_with_one_line(project):
    on_drive = {"USE_DRIVE = False": "USE_DRIVE = True"}
    with pytest.raises(CellExecutionError) as caught:
        execute("Training 128.ipynb", project("here"), on_drive)
    assert (caught.value.ename, caught.value.evalue) == (
        "OSError",
        "USE_DRIVE is True, but only Colab has Google Drive: set USE_DRIVE = False",
    )


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
    notebook = json.loads((NOTEBOOKS / "Training 128.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert REFERENCE in cells and TRAIN in cells
