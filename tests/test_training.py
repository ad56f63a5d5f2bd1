"""A whole run from the command line: the files it leaves, its log, interruption, continuation."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from models import checkpoint
from models.WGANGP import WGANGP
from tests.conftest import ROOT, TINY
from utils import runs
from utils.callbacks import log_line
from utils.latents import draw, latents, parse_seeds, walk
from utils.loaders import load_generator, load_images


def train(gan, data, folder, epochs, **options):
    stream = load_images(data, 16, 4)
    options = {"print_every_n_batches": 2, "n_critic": 2, "rows": 2, "columns": 3} | options
    gan.train(stream, batch_size=4, epochs=epochs, run_folder=folder, **options)


@pytest.fixture(scope="module")
def run(tiny_zip, tmp_path_factory):
    """A finished run of five epochs."""
    folder = tmp_path_factory.mktemp("run") / "0001_tiny"
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, folder, 5)
    return gan, folder


def state(gan):
    return {
        name: keras.ops.convert_to_numpy(variable)
        for name, variable in checkpoint.variables(gan).items()
    }


def test_files_that_a_run_leaves(run):
    _, folder = run
    left = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    diagrams = {file for file in left if file.startswith("viz")}
    assert left - diagrams == {
        "params.json",
        "losses.csv",
        "log.txt",
        "generator.h5",
        "critic.h5",
        "weights/checkpoint_5.h5",
        "images/real.png",
        "images/converge.png",
        *(f"images/sample_{epoch}.png" for epoch in (0, 2, 4)),
    }
    suffix = "png" if shutil.which("dot") else "txt"
    assert diagrams == {f"viz/critic.{suffix}", f"viz/generator.{suffix}"}


def test_contents_of_a_run(run):
    gan, folder = run
    with open(folder / "losses.csv") as file:
        header, *rows = csv.reader(file)
    assert header == ["epoch", "critic", "real", "fake", "penalty", "generator"]
    assert [int(row[0]) for row in rows] == [0, 1, 2, 3, 4]
    values = np.array(rows, float)
    assert np.array_equal(values[:, 1:5].astype("f4"), np.array(gan.d_losses, "f4"))
    assert np.array_equal(values[:, 5].astype("f4"), np.array(gan.g_losses, "f4"))
    assert np.allclose(values[:, 1], values[:, 2] + values[:, 3] + 10 * values[:, 4], atol=1e-4)
    pattern = r"\d+ \(2, 1\) \[D loss: \(-?[\d.]+\)\(R -?[\d.]+, F -?[\d.]+, G [\d.]+\)\] "
    lines = (folder / "log.txt").read_text().splitlines()
    assert len(lines) == 5
    assert all(re.fullmatch(pattern + r"\[G loss: -?[\d.]+\]", line) for line in lines)
    params = json.loads((folder / "params.json").read_text())
    assert params["model"]["generator_conv_filters"] == [4, 3] and params["model"]["seed"] == 0
    assert params["training"] == {"n_critic": 2, "epochs": 5, "data": "tiny.zip"}
    assert Image.open(folder / "images/real.png").size == (3 * 18 + 2, 2 * 18 + 2)
    assert Image.open(folder / "images/sample_4.png").size == (3 * 18 + 2, 2 * 18 + 2)


def test_log_line_to_the_letter():
    line = log_line(452, 5, [-92.2, -71.9, -58.8, 3.8], 41.4)
    assert line == "452 (5, 1) [D loss: (-92.2)(R -71.9, F -58.8, G 3.8)] [G loss: 41.4]"


def test_generator_h5_draws_what_the_training_saw(run):
    gan, folder = run
    generator = load_generator(folder / "generator.h5")
    z = latents(list(range(6)), 5)
    assert np.array_equal(draw(generator, z), draw(gan.generator, z))


def test_one_seed_one_image_whatever_the_batch(run):
    generator = run[0].generator
    all_at_once = draw(generator, latents(list(range(40)), 5))
    for seed in (0, 15, 16, 39):
        assert np.array_equal(draw(generator, latents([seed], 5))[0], all_at_once[seed])


def test_a_run_continues_where_it_stopped(tiny_zip, tmp_path, run):
    whole, folder = run
    train(WGANGP(**TINY), tiny_zip, tmp_path / "run", 3)
    second = WGANGP(**TINY)
    second.load_weights(tmp_path / "run" / "weights")
    assert second.epoch == 3 and second.batches_seen == 6
    train(second, tiny_zip, tmp_path / "run", 5)
    expected = state(whole)
    for name, value in state(second).items():
        assert np.array_equal(value, expected[name]), name
    for file in ("losses.csv", "log.txt", "images/sample_4.png"):
        assert (tmp_path / "run" / file).read_bytes() == (folder / file).read_bytes()


def test_an_existing_run_is_not_overwritten(tiny_zip, run):
    _, folder = run
    before = (folder / "losses.csv").read_bytes()
    with pytest.raises(ValueError, match="holds a training already"):
        train(WGANGP(**TINY), tiny_zip, folder, 5)
    other = WGANGP(**TINY | {"grad_weight": 9})
    other.load_weights(folder / "weights")
    with pytest.raises(ValueError, match="grad_weight was 10 and is now 9"):
        train(other, tiny_zip, folder, 7)
    assert (folder / "losses.csv").read_bytes() == before


def test_only_the_last_checkpoints_stay(tmp_path):
    gan = WGANGP(**TINY)
    for gan.epoch in (8, 9, 10, 11):
        gan.save_weights(tmp_path)
    names = [file.name for file in checkpoint.find(tmp_path / "weights")]
    assert names == ["checkpoint_9.h5", "checkpoint_10.h5", "checkpoint_11.h5"]


def test_checkpoints_are_read_strictly(tmp_path, run):
    gan, folder = run
    path = tmp_path / "checkpoint_5.h5"
    shutil.copy(folder / "weights" / "checkpoint_5.h5", path)
    with h5py.File(path, "r+") as file:
        del file["generator_dense/bias"]
        del file["critic_score/kernel"]
        file["critic_score/kernel"] = np.zeros((2, 1))
        file["stranger"] = 1
    before = state(gan)
    with pytest.raises(ValueError, match="missing generator_dense/bias") as caught:
        gan.load_weights(path)
    assert "unexpected stranger" in str(caught.value)
    assert "critic_score/kernel is (2, 1), expected (128, 1)" in str(caught.value)
    assert all(np.array_equal(value, before[name]) for name, value in state(gan).items())
    path.write_text("nonsense")
    with pytest.raises(ValueError, match="not an HDF5 file"):
        gan.load_weights(path)
    with pytest.raises(FileNotFoundError, match="expected a checkpoint"):
        gan.load_weights(tmp_path / "void")


def test_a_loss_that_is_no_number_stops_before_anything_is_saved(tiny_zip, tmp_path):
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, tmp_path, 2)
    saved = (tmp_path / "generator.h5").read_bytes()
    gan.critic.get_layer("critic_score").bias.assign([np.nan])
    with pytest.raises(FloatingPointError, match=r"epoch 2: .*'critic': nan"):
        train(gan, tiny_zip, tmp_path, 4)
    assert (tmp_path / "generator.h5").read_bytes() == saved
    assert [file.name for file in checkpoint.find(tmp_path / "weights")] == ["checkpoint_2.h5"]


def test_arrays_and_plain_iterators_train_too(tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (9, 16, 16, 3)).astype(np.float32)
    gan = WGANGP(**TINY)
    gan.train(images, 4, 2, tmp_path / "a", using_generator=False)
    endless = iter([(images[:4],)] * 10)
    WGANGP(**TINY).train(endless, 4, 2, tmp_path / "b")
    assert (tmp_path / "a" / "generator.h5").exists() and (tmp_path / "b" / "log.txt").exists()


def test_images_that_do_not_fit_are_refused(tiny_zip, tmp_path):
    gan = WGANGP(**TINY)
    with pytest.raises(ValueError, match=r"\(4, 8, 8, 3\), expected \(4, 16, 16, 3\)"):
        gan.train(load_images(tiny_zip, 8, 4), 4, 1, tmp_path / "x")
    with pytest.raises(ValueError, match="batch_size is 5 here, but the model was built for 4"):
        gan.train(load_images(tiny_zip, 16, 5), 5, 1, tmp_path / "x")
    with pytest.raises(ValueError, match="n_critic must be at least 1, received 0"):
        train(gan, tiny_zip, tmp_path / "x", 1, n_critic=0)
    assert not (tmp_path / "x").exists()


def command(*arguments, cwd=ROOT):
    line = [sys.executable, *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def lines64(tmp_path):
    path = tmp_path / "lines64.zip"
    arguments = ("--size", 64, "--weight", 3, "--count", 40, "--out", path)
    assert command("-m", "lines", *arguments).returncode == 0
    return path


def start(data, folder, *arguments):
    line = [ROOT / "train.py", "--data", data, "--preset", "lines64", "--batch-size", 2]
    line += ["--n-critic", 1, "--rows", 1, "--columns", 2, "--print-every", 2, *arguments]
    return [sys.executable, *map(str, line)], folder


def test_scripts_from_the_sketch_to_new_images(lines64, tmp_path):
    line, cwd = start(lines64, tmp_path, "--epochs", 2)
    dry = subprocess.run([*line, "--dry-run"], cwd=cwd, capture_output=True, text=True)
    assert dry.returncode == 0 and not (tmp_path / "run").exists()
    assert "critic: 392,513 parameters" in dry.stdout and "2 epochs: about" in dry.stdout
    done = subprocess.run(line, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Found 40 images belonging to 1 classes." in done.stdout
    again = subprocess.run(line, cwd=cwd, capture_output=True, text=True)
    assert "This training is finished" in again.stdout and again.returncode == 0
    generator = tmp_path / "run/gan/0001_lines64/generator.h5"
    arguments = ["--generator", generator, "--seeds", "0-1,7", "--columns", 2]
    made = command("generate.py", "images", *arguments, "--out", tmp_path / "new")
    assert made.returncode == 0, made.stderr
    names = sorted(file.name for file in (tmp_path / "new").iterdir())
    assert names == ["grid.png", "seed_0.png", "seed_1.png", "seed_7.png"]
    sample = np.asarray(Image.open(tmp_path / "run/gan/0001_lines64/images/sample_0.png"))
    assert sample.shape == (68, 134, 3)
    judged = command("evaluate.py", "--generator", generator, "--count", 20)
    assert "generated  0.000" in judged.stdout and "real       1.000" in judged.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_saves_and_says_how_to_continue(lines64, tmp_path, number):
    line, cwd = start(lines64, tmp_path, "--epochs", 100_000)
    process = subprocess.Popen(line, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log = tmp_path / "run/gan/0001_lines64/log.txt"
    deadline = time.monotonic() + 120
    while not (log.exists() and log.read_text().count("\n") >= 3):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    output = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 130
    assert "Continue with: python" in output and "--epochs 100000" in output
    epochs = log.read_text().count("\n")
    (saved,) = checkpoint.find(log.parent / "weights")
    assert saved.name == f"checkpoint_{epochs}.h5"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train.py", "--data", "nix.zip"], "train.py: error: nix.zip: no such file"),
        (["train.py", "--preset", "big"], "preset must be one of lines128, lines64"),
        (["train.py", "--image-size", "64", "--epochs", "1"], "but input_dim is (64, 64, 3)"),
        (["train.py", "--batch-size", "10001"], "the 10000 images there are, received 10001"),
        (["generate.py", "images", "--generator", "nix.h5"], "nix.h5: no such file"),
        (["generate.py", "images", "--generator", "README.md"], "README.md: not an HDF5 file"),
        (["generate.py", "images", "--seeds", "5-1"], "seeds must look like 0-24,100,7"),
        (["generate.py", "images", "--columns", "0"], "--columns must be at least 1"),
        (["evaluate.py", "--count", "0"], "--count must be at least 1"),
    ],
)
def test_bad_command_lines_get_one_line_and_exit_code_2(arguments, message):
    done = command(*arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr


def test_files_that_are_no_generator(tmp_path, run):
    _, folder = run
    with pytest.raises(ValueError, match=r"not a generator: it maps \(None, 16, 16, 3\)"):
        load_generator(folder / "critic.h5")
    with pytest.raises(ValueError, match="holds no Keras model"):
        load_generator(folder / "weights" / "checkpoint_5.h5")
    z = keras.Input((5,))
    runs.save_network(keras.Model(z, keras.layers.Lambda(lambda x: x)(z)), tmp_path / "lambda.h5")
    with pytest.raises(ValueError, match="refused: its layer 'Lambda'"):
        load_generator(tmp_path / "lambda.h5")


def rewrite(folder, target, change):
    """A copy of a run's generator.h5 whose description `change` has altered."""
    shutil.copy(folder / "generator.h5", target)
    with h5py.File(target, "r+") as file:
        description = json.loads(file.attrs["model_config"])
        change(description)
        file.attrs["model_config"] = json.dumps(description)
    return target


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: model.update(class_name="Lambda"), "is a 'Lambda'"),
        (lambda model: model.update(class_name="mine>Model"), "is a 'mine>Model'"),
        (
            lambda model: model["config"]["layers"][-1]["config"].update(
                activation={"class_name": "function", "config": "system", "module": "os"}
            ),
            "names os.function",
        ),
        (
            lambda model: model["config"]["layers"][1]["config"].update(
                kernel_initializer={"class_name": "Evil", "config": {}, "module": "evil"}
            ),
            "names evil.Evil",
        ),
        (lambda model: model["config"].update(layers="all"), "holds no Keras model"),
    ],
)
def test_a_generator_that_names_foreign_code_is_refused(run, tmp_path, change, message):
    path = rewrite(run[1], tmp_path / "g.h5", change)
    with pytest.raises(ValueError, match=message):
        load_generator(path)


def test_seeds():
    assert parse_seeds("0-2, 100,7") == [0, 1, 2, 100, 7]
    for wrong in ("", "a", "1-", "-1", "3-2", "1,,2"):
        with pytest.raises(ValueError, match="seeds must look like"):
            parse_seeds(wrong)


def test_latents_are_standard_normal_and_a_walk_stays_among_them():
    z = latents(list(range(2000)), 100)
    assert z.dtype == np.float32 and z.shape == (2000, 100)
    assert abs(z.mean()) < 0.01 and z.std() == pytest.approx(1, abs=0.01)
    path = walk(3, 8, 9, 100)
    assert np.allclose(path[[0, -1]], latents([3, 8], 100), atol=1e-5)
    lengths = np.linalg.norm(path, axis=1)
    assert lengths.min() > 0.9 * min(lengths[0], lengths[-1])
    assert np.allclose(walk(3, 3, 4, 100)[2], latents([3], 100)[0])


def test_run_folder_is_named_after_id_and_data():
    assert str(runs.run_folder("0001", "some/output.zip")) == "run/gan/0001_output"
    assert str(runs.run_folder("0002", "drawings/")) == "run/gan/0002_drawings"


def test_h5_files_say_nothing_that_an_older_keras_3_refuses(run):
    _, folder = run
    for name in ("generator", "critic"):
        with h5py.File(folder / f"{name}.h5") as file:
            config = json.loads(file.attrs["model_config"])["config"]
        # Keras 3.0 to 3.5 want lists of lists here; 3.14 and later add `renorm` and others.
        assert np.shape(config["input_layers"]) == np.shape(config["output_layers"]) == (1, 3)
        described = {entry for layer in config["layers"] for entry in layer["config"]}
        assert {"kernel_size", "negative_slope", "units"} <= described
        assert not described & {"renorm", "quantization_config", "optional", "ragged"}
        assert {layer["config"]["dtype"] for layer in config["layers"]} == {"float32"}
