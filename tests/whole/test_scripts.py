"""The scripts as a person runs them: their files, interruption, and one line for bad input."""

import contextlib
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.training import checkpoint
from models.WGANGP import WGANGP
from tests.helpers import DATA, ROOT
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY, no_curves
from utils import runs


def command(*arguments, cwd=ROOT):
    line = [sys.executable, *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def lines64(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "lines64.zip"
    arguments = ("--size", 64, "--weight", 3, "--count", 40, "--out", path)
    assert command("-m", "lines", *arguments).returncode == 0
    return path


def start(data, folder, *arguments):
    line = [ROOT / "train.py", "--data", data, "--image-size", 64, "--batch-size", 2]
    line += ["--width", 1 / 32]
    line += ["--n-critic", 1, "--rows", 1, "--columns", 2, "--evaluate-every", 0, *arguments]
    return [sys.executable, *map(str, line)], folder


def test_scripts_from_the_sketch_to_new_images(lines64, tmp_path):
    line, cwd = start(lines64, tmp_path, "--epochs", 2)
    dry = subprocess.run([*line, "--dry-run"], cwd=cwd, capture_output=True, text=True)
    assert dry.returncode == 0 and not (tmp_path / "run").exists()
    where, sizes, memory, speed, length = dry.stdout.splitlines()[-5:]
    assert where.startswith("Training on ") and "critic 6,729 parameters, generator " in sizes
    assert memory.startswith("memory: about ") and speed.startswith("one epoch: ")
    assert re.fullmatch(r"time: about \d+ seconds? for 2 epochs", length)
    assert '"n_critic": 1' not in dry.stdout and "Compiling and measuring" in dry.stderr
    done = subprocess.run(line, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = r"Found 40 images belonging to 1 classes\.\n5 colours cover 99\.\d % of the pixels\.\n"
    assert re.search(found, done.stdout)
    again = subprocess.run(line, cwd=cwd, capture_output=True, text=True)
    assert "This training is finished" in again.stdout and again.returncode == 0
    assert "Samples, losses and generator.h5 are in run/gan/0001_lines64" in again.stdout
    generator = tmp_path / "run/gan/0001_lines64/generator.h5"
    arguments = ["--generator", generator, "--seeds", "0-1,7", "--columns", 2]
    made = command("generate.py", "images", *arguments, "--out", tmp_path / "new")
    assert made.returncode == 0, made.stderr
    names = sorted(file.name for file in (tmp_path / "new").iterdir())
    assert names == ["grid.png", "latents.npz", "seed_0.png", "seed_1.png", "seed_7.png"]
    sample = np.asarray(Image.open(tmp_path / "run/gan/0001_lines64/images/sample_0.png"))
    assert sample.shape == (68, 134, 3)


@pytest.fixture
def train_here(tiny_zip, tmp_path, monkeypatch, capsys):
    """Runs train.py with options in this process: the exit code, and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("utils.callbacks.plot_convergence", no_curves)

    def train(line):
        left = run_here(["train.py", "--data", str(tiny_zip), *line.split()], monkeypatch)
        return left, "".join(capsys.readouterr())

    return train


def test_an_existing_run_continues_with_its_own_options(train_here):
    options = "--image-size 32 --width 0.03125 --batch-size 2 --n-critic 1 --evaluate-every 0"
    assert train_here(f"{options} --log-every 2 --epochs 3")[0] == 0
    folder = Path("run/gan/0001_tiny")
    kept = json.loads((folder / "params.json").read_text())["command"]
    assert kept["width"] == 0.03125 and kept["log_every"] == 2 and kept["epochs"] == 3
    assert not kept.keys() & {"data", "run_id", "config", "minutes", "checkpoint", "debug"}

    code, said = train_here("")
    assert code == 0 and "finished: more than 3 epochs (--epochs) extend it." in said
    own = "--epochs 3 --batch-size 2 --log-every 2 --n-critic 1 --image-size 32 --width 0.03125"
    assert f"With the options of {folder}: {own} --evaluate-every 0\n" in said
    code, said = train_here("--n-critic 2 --epochs 5")
    assert code == 2 and "n_critic was 1 and is now 2" in said

    code, said = train_here("--epochs 4")
    assert code == 0 and f"Continuing {folder} after 3 epochs." in said
    assert [line.split(" ")[0] for line in (folder / "log.txt").open()] == ["0", "2", "3"]

    # From its file alone, a run of the same networks; and from its checkpoint, one without an end.
    line = f"--run-id 0002 --config {folder}/params.json --epochs 2"
    code, said = train_here(f"{line} --checkpoint {folder}/weights/checkpoint_4.h5")
    assert code == 0 and "Nothing was trained, so there is no run/gan/0002_tiny" in said
    assert not Path("run/gan/0002_tiny").exists()
    code, said = train_here(f"{line} --dry-run --verbose")
    shown = json.loads(said[said.index("{\n") : said.index("\n}\n") + 2])
    assert code == 0 and shown["model"] == json.loads((folder / "params.json").read_text())["model"]
    assert (shown["n_critic"], shown["epochs"], shown["log_every"]) == (1, 2, 2)


def test_a_file_of_options_that_is_wrong_is_one_line(train_here):
    content = {"command": {"recipe": "best", "data": "/etc/passwd"}, "model": {}}
    Path("config.json").write_text(json.dumps(content))
    code, said = train_here("--config config.json")
    assert code == 2 and said.count("\n") == 1
    assert "recipe: expected one of reference, fast, lines, " in said
    assert "data: no option that a file may set" in said
    Path("config.json").write_text('{"model": {"z_dim": 100}}')
    code, said = train_here("--config config.json")
    assert code == 2 and "config.json: holds no options; expected the params.json of a run" in said
    code, said = train_here("--config nix.json")
    assert code == 2 and "nix.json: no such file; expected the params.json of a run" in said


def test_a_length_that_is_named_replaces_the_one_in_a_file(train_here, monkeypatch):
    Path("config.json").write_text('{"command": {"epochs": 9, "recipe": "fast"}}')
    program = runpy.run_path(str(ROOT / "train.py"))
    settled = {}
    for line in ("", "--minutes 5", "--epochs 7 --recipe reference", "--minutes 5 --recipe lines"):
        arguments = ["--data", "x.zip", "--config", "config.json", *line.split()]
        monkeypatch.setattr("sys.argv", ["train.py", *arguments])
        a = program["settled"](program["parser"].parse_args())
        settled[line] = a.epochs, a.minutes, a.recipe
    assert [*settled.values()] == [
        (9, None, "fast"),
        (None, 5, "fast"),
        (7, None, "reference"),
        (9, 5, "lines"),  # whose learning rates follow the planned epochs
    ]
    kept = program["kept"](a, 64)
    assert kept["epochs"] == 9 and kept["image_size"] == 64  # that of the data
    a.recipe = "reference"
    assert "image_size" not in program["kept"](a, 128)


def test_a_generator_that_learned_from_output_zip_is_judged_by_the_law(
    run, tiny_zip, tmp_path, monkeypatch, capsys
):
    """Known by the fingerprint in its params.json; sentences come first, then the table."""
    for name in ("generator.h5", "params.json"):
        shutil.copy(run[1] / name, tmp_path)
    generator = tmp_path / "generator.h5"
    shutil.copy(tiny_zip, tmp_path / "output.zip")
    figures = tmp_path / "figures.json"
    judging = ("--generator", generator, "--count", 20, "--json", figures)
    monkeypatch.chdir(tmp_path)
    assert run_here(["evaluate.py", *map(str, judging)], monkeypatch) == 0
    out = capsys.readouterr().out
    said = out.splitlines()
    assert said[0] == "None of 20 drawings has the right three lines."
    assert " the largest fault: " in said[1] and said[2].endswith("training set.")
    assert said[3] == f"The pictures are in {tmp_path / 'report.png'}"
    assert re.search(r"^validity +0\.0000\* +1\.0000 ", out, re.MULTILINE)
    assert json.loads(figures.read_text())["real"]["structure"] == 1
    assert (tmp_path / "report.png").exists()


def test_images_of_an_unknown_kind_are_not_judged_as_lines(
    run, tiny_zip, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lines.dataset.write_zip", lambda path, **_: shutil.copy(noise, path))
    noise = tmp_path / "noise.zip"
    with zipfile.ZipFile(noise, "w") as archive:
        archive.writestr("a.png", b"")
    generator = str(run[1] / "generator.h5")
    assert run_here(["evaluate.py", "--generator", generator], monkeypatch) == 2
    assert "generator.h5 learned from tiny.zip, which is neither" in capsys.readouterr().err
    assert run_here(["evaluate.py", "--images", str(tiny_zip)], monkeypatch) == 2
    assert "tiny.zip: name the real images with --data, or if" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["noise.zip"]


def test_own_images_are_judged_without_a_law(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("data", "new"):
        (tmp_path / name).mkdir()
        for i in range(20):
            pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    line = ("--images", "new", "--data", "data", "--report", "r.png")
    judged = command(ROOT / "evaluate.py", *line, cwd=tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert "nearest_median" in judged.stdout and "validity" not in judged.stdout
    assert (tmp_path / "r.png").exists()


def test_an_interrupted_training_saves_and_says_how_to_continue(lines64, tmp_path):
    line, cwd = start(lines64, tmp_path, "--epochs", 100_000, "--new")
    process = subprocess.Popen(line, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log = tmp_path / "run/gan/0001_lines64/log.txt"
    wait_for(log, process, 3)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 130
    assert "Continue with: python" in output and "--epochs 100000" in output
    assert "--new" not in output  # it would begin again
    epochs = log.read_text().count("\n")
    (saved,) = checkpoint.find(log.parent / "weights")
    assert saved.name == f"checkpoint_{epochs}.h5"


def test_the_lock_of_a_run_is_taken_before_its_checkpoint_is_read(
    tiny_zip, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "run" / "gan" / "0001_tiny"
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "checkpoint_9.h5").write_text("no checkpoint")
    monkeypatch.chdir(tmp_path)
    line = ["train.py", "--data", str(tiny_zip), "--image-size", "32", "--width", "0.03125"]
    held, done = threading.Event(), threading.Event()

    def train_elsewhere():
        with runs.locked(folder):
            held.set()
            done.wait()

    other = threading.Thread(target=train_elsewhere)
    other.start()
    held.wait()
    try:
        assert run_here(line, monkeypatch) == 2
    finally:
        done.set()
        other.join()
    assert "0001_tiny is in use by another training; wait for it" in capsys.readouterr().err
    assert run_here(line, monkeypatch) == 2
    assert "checkpoint_9.h5: not an HDF5 file" in capsys.readouterr().err


def wait_for(log, process, lines):
    deadline = time.monotonic() + 120
    while not (log.exists() and log.read_text().count("\n") >= lines):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no such signals on Windows")
@pytest.mark.parametrize("ignored", [False, True], ids=["closed", "nohup"])
def test_a_training_whose_terminal_is_closed_is_saved_and_one_with_nohup_goes_on(
    lines64, tmp_path, ignored
):
    line, cwd = start(lines64, tmp_path, "--epochs", 100_000)
    if ignored:
        line = ["nohup", *map(str, line)]
    ours, terminal = os.openpty()
    process = subprocess.Popen(
        line,
        cwd=cwd,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        # The tests may have been started by `nohup`, which a child inherits.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    os.close(terminal)
    reader = threading.Thread(target=read_to_the_end, args=(ours,), daemon=True)
    reader.start()
    log = tmp_path / "run/gan/0001_lines64/log.txt"
    wait_for(log, process, 3)
    os.close(ours)  # from now on its output raises an error
    process.send_signal(signal.SIGHUP)
    if ignored:
        wait_for(log, process, log.read_text().count("\n") + 5)
        process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    (saved,) = checkpoint.find(log.parent / "weights")
    assert saved.name == f"checkpoint_{log.read_text().count(chr(10))}.h5"


def read_to_the_end(stream):
    with contextlib.suppress(OSError):
        while os.read(stream, 65536):
            pass


def test_a_bad_command_line_in_a_process_of_its_own():
    done = command("generate.py", "images", "--generator", "nix.h5")
    assert done.returncode == 2 and done.stdout == ""
    assert "nix.h5: no such file" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.fixture
def odd_files(tmp_path, monkeypatch):
    """A folder to stand in with a file of each odd kind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("hello")
    for name, entries in {"void.zip": {}, "words.zip": {"a.txt": b"x"}}.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for entry, content in entries.items():
                archive.writestr(entry, content)
    (tmp_path / "empty.h5").touch()
    shutil.copy(DATA / "keras2_functional.h5", tmp_path / "generator.h5")
    (tmp_path / "half.h5").write_bytes((tmp_path / "generator.h5").read_bytes()[:9999])
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("a.png", b"no picture")


WHOLE = "expected a whole number from"
BAD = {
    "train.py --data text.txt": "text.txt: not a zip (File is not a zip file); expected a zip or a",
    "train.py --data folder": "folder: no images among its 0 files; expected .png",
    "train.py --data void.zip": "void.zip: no images among its 0 files; expected .png",
    "train.py --data words.zip": "words.zip: no images among its 1 file; expected .png",
    "train.py --data one.zip": "one.zip: batch_size must be from 1 to the number of images, 1;",
    "train.py --data one.zip --batch-size 1 --preset lines64": "a.png does not decode (image 1 of",
    "train.py --preset big": "argument --recipe/--preset: invalid choice: 'big' (choose from",
    "train.py --held-back 0.6": "argument --held-back: expected a number from 0 to 0.5, received",
    "train.py --preset": "argument --recipe/--preset: expected one argument; --help lists",
    "train.py --epochs 0": f"argument --epochs: {WHOLE} 1 to 2147483648, received '0'",
    "train.py --epochs ten": f"argument --epochs: {WHOLE} 1 to 2147483648, received 'ten'",
    "train.py --batch-size -4": "argument --batch-size: expected a whole number from 1",
    "train.py --batch-size 1.5": "--batch-size: expected a whole number from 1 to 2147483648, rec",
    "train.py --print-every 0": f"argument --print-every: {WHOLE} 1",
    "train.py --rows 0": f"argument --rows: {WHOLE} 1 to 100, received '0'",
    "train.py --columns 1000": f"argument --columns: {WHOLE} 1 to 100, received '1000'",
    "train.py --n-critic -1": f"argument --n-critic: {WHOLE} 1",
    "train.py --seed -1": f"argument --seed: {WHOLE} 0 to 2147483648, received '-1'",
    f"train.py --seed {10**30}": f"argument --seed: {WHOLE} 0",
    f"train.py --seed {'9' * 5000}": f"argument --seed: {WHOLE} 0",
    "train.py --image-size 100000": "argument --image-size: invalid choice: 100000 (choose from",
    "train.py --augment flop": "argument --augment: invalid choice: 'flop' (choose from",
    "train.py --precision int8": "argument --precision: invalid choice: 'int8' (choose from",
    "train.py --log-every 0": f"argument --log-every: {WHOLE} 1",
    "train.py --on-nan go": "argument --on-nan: invalid choice: 'go' (choose from",
    "train.py --save-minutes nan": "argument --save-minutes: expected a number from 0, received",
    "train.py --save-minutes -1": "argument --save-minutes: expected a number from 0, received",
    "train.py --devices 0": "expected a whole number from 1 to 2147483648 or all, received '0'",
    "train.py --what": "unrecognized arguments: --what; --help lists the options",
    "generate.py pictures": "argument command: invalid choice: 'pictures'",
    "generate.py images --generator folder": "folder: is a folder; expected an HDF5 file",
    "generate.py images --generator text.txt": "text.txt: not an HDF5 file",
    "generate.py images --generator empty.h5": "empty.h5: not an HDF5 file",
    "generate.py images --generator half.h5": "half.h5: not an HDF5 file, or a damaged one (",
    "generate.py images --seeds 5-1": "seeds must look like 0-24,100,7, of at most 18 digits, rec",
    "generate.py images --seeds=-3": "seeds must look like 0-24,100,7",
    f"generate.py images --seeds {10**18}": "seeds must look like 0-24,100,7, of at most 18 digits",
    "generate.py images --seeds 0-999999": "expected at most 100000 seeds, received 0-999999",
    "generate.py images --columns 0": f"argument --columns: {WHOLE} 1",
    "generate.py images --out text.txt": "text.txt: is a file; expected a folder",
    "generate.py images --generator generator.h5 --out text.txt/new": "text.txt",
    "generate.py images --truncation x": "argument --truncation: expected a number from 0 to 100, ",
    "generate.py images --scale 0": f"argument --scale: {WHOLE} 1 to 1024, received '0'",
    "generate.py images --transparent grey": "argument --transparent: invalid choice: 'grey'",
    "generate.py images --generator generator.h5 --scale 1024 --out n": "pixels is too large; expe",
    "generate.py mix --generator generator.h5 --weights 1": "2 images need as many weights, receiv",
    "generate.py mix --out mix.gif": "--out: expected a file name that ends in .png, received 'mix",
    "generate.py nearest --data void.zip": "void.zip: no images among its 0 files; expected .png",
    "generate.py walk --generator generator.h5 --seeds 1": "a walk needs at least two images, rece",
    "generate.py walk --generator generator.h5 --out w.avi": "w.avi: expected a film that ends in ",
    "generate.py walk --generator generator.h5 --out .": "is there already; expected the name of",
    "generate.py walk --seconds 0": "argument --seconds: expected a number from 0.04 to 86400, rec",
    "generate.py walk --path bent": "argument --path: invalid choice: 'bent'",
    "generate.py orbit --generator generator.h5 --seeds 1,2": "goes around one seed, received 1,2",
    "generate.py orbit --radius 2": "argument --radius: expected a number from 0 to 1, received '2",
    "generate.py history --run folder": "no sample_0.png and so on; expected a run folder",
    "generate.py web --generator generator.h5 --runtime text.txt": "text.txt: not onnxruntime-web@",
    "generate.py web --generator generator.h5 --runtime n.tgz": "n.tgz: no such file; expected",
    "generate.py web --generator generator.h5 --out folder/..": "is there already; expected",
    "generate.py export --out g.txt": "g.txt: expected a name that ends in .keras, .npz, .onnx, .",
    "generate.py export --generator generator.h5 --out folder.onnx --format npz": "ends in .npz f",
    "generate.py export --format pdf": "argument --format: invalid choice: 'pdf'",
    "generate.py export --generator text.txt": "text.txt: not an HDF5 file",
    "generate.py again": "the following arguments are required: picture",
    "generate.py again nix.png": "nix.png: no such file; expected a PNG by generate.py",
    "generate.py again text.txt": "text.txt: does not decode: not a picture in a format that is",
    "generate.py project": "the following arguments are required: picture; --help lists the",
    "generate.py project nix.png --generator generator.h5": "nix.png: no such file; expected a pic",
    "generate.py project text.txt --generator generator.h5": "text.txt: does not decode: not a pic",
    "generate.py project folder --generator generator.h5": "folder: does not decode: not a file",
    "generate.py project a.png --generator text.txt": "text.txt: not an HDF5 file",
    "generate.py project a.png --out text.txt": "text.txt: is a file; expected a folder",
    "generate.py project a.png --starts 0": f"argument --starts: {WHOLE} 1 to 2000, received '0'",
    "generate.py project a.png --steps many": f"argument --steps: {WHOLE} 1 to 1000000, received",
    "evaluate.py --project 7": f"argument --project: {WHOLE} 8 to 100000, received '7'",
    "evaluate.py --images one.zip --project 8": "--project searches a generator: name one instead",
    "evaluate.py --count 7": f"argument --count: {WHOLE} 8 to 1000000, received '7'",
    "evaluate.py --weight 39": f"argument --weight: {WHOLE} 1 to 37, received '39'",
    "evaluate.py --images folder": "folder: no images among its 0 files; expected .png",
    "evaluate.py --images one.zip --generator g.h5": "--generator: not allowed with argument --im",
    "evaluate.py --images one.zip": "one.zip: a.png does not decode",
    "train.py --evaluate-every -1": f"argument --evaluate-every: {WHOLE} 0",
    "evaluate.py --generator nix.h5": "nix.h5: no such file",
    "utils.watch": "the following arguments are required: run; --help lists the options",
    "utils.watch nix": "nix: no run there; expected a run folder such as run/gan/0001_output",
    "utils.watch folder": "folder: no run there; expected a run folder",
    "utils.watch nix --port 65536": f"argument --port: {WHOLE} 0 to 65535, received '65536'",
    "utils.runs --root nix": "nix: no such folder; expected one that holds run folders",
    "utils.runs --root folder": "folder: holds no run; expected folders such as 0001_output",
    "utils.runs --compare a": "argument --compare: expected 2 arguments; --help lists the opti",
    "utils.runs --compare a b": "a: no run of that name in run/gan, nor a run folder by that path",
    "utils.runs --compare a b --out c.jpg": "argument --out: expected a file name that ends in .",
    "lines --count 0": "count must be at least 1, received 0",
    "lines --count many": "argument --count: invalid int value: 'many'; --help lists the options",
    "lines --size 7": "size must be at least 8 pixels, received 7",
    "lines --size 100000": "size must be at most 4096 pixels, received 100000",
    "lines --size 8 --count 99999": "the sketch has too few pictures of 8 pixels for 99999",
    "lines --weight 39": "weight must be a whole number of pixels from 1 to 38, received 39",
    "lines --out folder": "folder: is a folder; expected the name of the zip to write",
    "lines --out text.txt/a.zip": "text.txt",
    "lines --out é.zip": "é.zip: the name of the zip must be ASCII",
    "lines --seed x": "argument --seed: invalid int value: 'x'",
}


@pytest.mark.parametrize("line", BAD, ids=lambda line: line[:60])
def test_bad_command_lines_get_one_line_and_exit_code_2(line, odd_files, monkeypatch, capsys):
    name, *arguments = line.split()
    assert run_here([name, *arguments], monkeypatch) == 2
    (said,) = capsys.readouterr().err.splitlines()
    program = name if name.endswith(".py") else f"python -m {name}"
    assert said.startswith(program) and ": error: " in said
    assert BAD[line] in said and len(said) < 600


def test_debug_shows_where_an_error_came_from(odd_files, monkeypatch):
    for line in (
        "train.py --debug --data void.zip",
        "generate.py --debug images --generator text.txt",
        "generate.py images --debug --generator text.txt",
        "evaluate.py --debug --generator text.txt",
        "lines --debug --count 0",
    ):
        with pytest.raises(ValueError):
            run_here(line.split(), monkeypatch)


def test_what_is_there_already_is_not_replaced_unless_asked(
    run, tiny_zip, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    shutil.copy(run[1] / "generator.h5", tmp_path)
    WGANGP(**TINY, seed=9).save_model(tmp_path / "other")
    halves = Image.new("RGB", (40, 40), "red")
    halves.save("drawing.png")
    generator = ["--generator", "generator.h5"]
    nearest = ["generate.py", "nearest", *generator]
    lines = {
        "new/grid.png": ["generate.py", "images", *generator, "--seeds", "0-3"],
        "mix.png": ["generate.py", "mix", *generator, "--out", "mix.png"],
        "near.png": [*nearest, "--data", str(tiny_zip), "--out", "near.png"],
        "w.gif": ["generate.py", "walk", *generator, "--seconds", "0.2", "--out", "w.gif"],
        "g.npz": ["generate.py", "export", *generator, "--out", "g.npz"],
        "mine.zip": ["utils.prepare", "drawing.png", "--out", "mine.zip", "--size", "16"],
    }
    for path, line in lines.items():
        assert run_here(line, monkeypatch) == 0
        files = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
        if path == "new/grid.png":  # of the same generator
            assert run_here([*line[:-1], "2-5"], monkeypatch) == 0
            assert len(list((tmp_path / "new").glob("seed_*.png"))) == 6
            line = [*line, "--scale", "2"]
            path = "new/seed_0.png"
            files = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
        capsys.readouterr()
        assert run_here(line, monkeypatch) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.endswith(
            f"{path}: is there already; choose another --out, or replace it with --overwrite"
        )
        assert files == {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}
        assert run_here([*line, "--overwrite"], monkeypatch) == 0
    other = ["generate.py", "images", "--generator", "other/generator.h5", "--seeds", "7"]
    assert run_here(other, monkeypatch) == 2
    assert "new holds pictures by another generator (grid.png)" in capsys.readouterr().err
    Path("mix.npz").rename("kept.npz")
    Path("mix.png").unlink()
    Path("w.gif").unlink()  # its latents are still there
    assert run_here(lines["w.gif"], monkeypatch) == 2
    assert "w.npz: is there already" in capsys.readouterr().err
