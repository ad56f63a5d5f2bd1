"""The table of all runs, and the picture that compares two of them."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.helpers import ROOT
from tests.helpers.scripts import run_here
from utils import runs
from utils.runs import comparison
from utils.runs.comparison import common_epochs, compare, differences
from utils.runs.table import COLUMNS, table_row


@pytest.fixture
def root(run, tmp_path):
    """A folder with the run of five epochs, and a second one with other parameters and scores."""
    for name in ("0001_tiny", "0002_tiny"):
        shutil.copytree(run[1], tmp_path / name)
    other = tmp_path / "0002_tiny"
    content = json.loads((other / "params.json").read_text())
    content["model"]["grad_weight"] = 20
    content["training"] |= {"epochs": 9, "data": "a$b$.zip"}
    (other / "params.json").write_text(json.dumps(content))
    (other / "images" / "sample_4.png").rename(other / "images" / "sample_6.png")
    (other / "metrics.csv").write_text(
        "epoch,diversity_ratio,swd\n0,0.5,9.5\n2,0.25,3.5\n4,0.1,8\n"
    )
    return tmp_path


def test_a_row_says_the_same_as_the_model_of_the_run(run, root):
    gan, _ = run
    row = dict(zip(COLUMNS, table_row(root / "0002_tiny"), strict=True))
    counts = f"{gan.generator.count_params()}/{gan.critic.count_params()}"
    assert (row["run"], row["data"], row["parameters"]) == ("0002_tiny", "a$b$.zip", counts)
    assert (row["epochs"], row["state"]) == ("5 of 9", "stopped")
    assert row["best score"] == "swd 3.5 at 2"
    assert row["sampled"].endswith(" ago")
    with open(root / "0001_tiny" / "large", "wb") as file:
        file.truncate(7_000_000)  # sparse, but its size counts
    files = sum(f.stat().st_size for f in (root / "0001_tiny").rglob("*") if f.is_file())
    row = dict(zip(COLUMNS, table_row(root / "0001_tiny"), strict=True))
    assert row["disk"] == f"{files / 1e6:.1f} MB" and float(row["disk"][:-3]) >= 7
    assert (row["epochs"], row["state"], row["best score"]) == ("5 of 5", "finished", "–")


@pytest.mark.parametrize(
    ("seconds", "age"), [(0, "0 s"), (59, "59 s"), (3599, "59 min"), (7200, "2 h"), (2e5, "2 d")]
)
def test_the_age_of_the_last_sample(root, seconds, age):
    sample = root / "0001_tiny" / "images" / "sample_4.png"
    before = sample.stat().st_mtime_ns / 1e9
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: before + seconds + 0.5)
        cell = table_row(root / "0001_tiny")[COLUMNS.index("sampled")]
    assert cell == f"{age} ago"


def test_damaged_runs_are_listed_with_what_can_be_read(root, monkeypatch, capsys):
    runs.make_run_folder(root / "empty")
    (root / "no run").mkdir()
    (root / "text.txt").touch()
    for name in ("params.json", "losses.csv", "metrics.csv", "generator.h5"):
        path = root / "0001_tiny" / name
        path.write_bytes(path.read_bytes()[:60] if path.exists() else b"\xff\x00,\n")
    (root / "0001_tiny" / "log.txt").unlink()
    os.symlink(root / "nowhere", root / "0001_tiny" / "images" / "sample_99.png")
    monkeypatch.setenv("COLUMNS", "200")
    assert run_here(["utils.runs", "--root", str(root)], monkeypatch) == 0
    head, first, second, third = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0] == "run" and all(name in head for name in COLUMNS)
    assert first.startswith("0001_tiny  –")
    assert second.startswith("0002_tiny  a$b$.zip") and "5 of 9" in second
    assert third.startswith("empty") and "– of –" in third and "waiting" in third


def test_a_table_fits_a_terminal(root, monkeypatch, capsys):
    long = root / "0003_a_name_that_nobody_would_want_to_read_to_its_end"
    shutil.copytree(root / "0002_tiny", long)
    for width, columns in (
        (80, ["run", "epochs", "state", "best score"]),
        (105, ["run", "epochs", "state", "best score", "sampled", "disk"]),
        (200, [*COLUMNS]),
    ):
        monkeypatch.setenv("COLUMNS", str(width))
        assert run_here(["utils.runs", "--root", str(root)], monkeypatch) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width and len(lines) == 4
        assert re.split("  +", lines[0]) == columns
        assert ("…" in lines[3]) == (width == 80) and lines[3].startswith("0003_a_name_that")
    monkeypatch.setenv("COLUMNS", "20")  # a table of no width helps nobody
    assert run_here(["utils.runs", "--root", str(root)], monkeypatch) == 0
    assert 70 < max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_shipped_run_is_shown_as_such(tmp_path):
    shutil.copytree(ROOT / "run" / "gan" / "0000_lines64", tmp_path / "0000_lines64")
    row = dict(zip(COLUMNS, table_row(tmp_path / "0000_lines64"), strict=True))
    params = json.loads((tmp_path / "0000_lines64" / "params.json").read_text())
    epochs = str(params["training"]["epochs"])
    assert (row["state"], row["epochs"], row["data"]) == ("shipped", epochs, "lines64.zip")
    (tmp_path / "0000_lines64" / "losses.csv").touch()
    assert runs.run_status(tmp_path / "0000_lines64") != "shipped"


def test_parameters_that_differ_and_the_last_common_epoch(root):
    folders = (root / "0001_tiny", root / "0002_tiny")
    assert common_epochs(*folders) == (2, 2)
    assert common_epochs(folders[0], root) == (None, None)
    assert differences(*folders) == [
        ("grad_weight", "10", "20"),
        ("epochs", "5", "9"),
        ("data", "tiny.zip", "a$b$.zip"),
    ]
    missing = differences(root, folders[1])
    assert ("n_critic", "–", "2") in missing and ("z_dim", "–", "5") in missing


def test_two_runs_side_by_side(root, monkeypatch, capsys):
    for folder, epoch, colour in (
        ("0001_tiny", 2, "red"),
        ("0002_tiny", 2, "lime"),
        ("0001_tiny", 4, "blue"),
        ("0002_tiny", 6, "yellow"),
    ):
        Image.new("RGB", (60, 40), colour).save(root / folder / "images" / f"sample_{epoch}.png")
    charts = {}
    drawn = comparison._draw_chart
    monkeypatch.setattr(
        comparison, "_draw_chart", lambda *a: (charts.update({a[1]: a[2]}), drawn(*a))
    )
    out = root / "compare.png"
    line = ["utils.runs", "--root", root, "--compare", "0001_tiny", root / "0002_tiny"]
    assert run_here([*map(str, line), "--out", str(out)], monkeypatch) == 0
    assert capsys.readouterr().out == f"{out}\n"
    pixels = np.asarray(Image.open(out).convert("RGB")).astype(int)
    middle = pixels.shape[1] // 2
    tops = []
    for colour, left in (
        ((255, 0, 0), True),
        ((0, 255, 0), False),
        ((0, 0, 255), True),
        ((255, 255, 0), False),
    ):
        y, x = np.nonzero(np.abs(pixels - colour).max(axis=2) < 3)
        assert len(y) > 100_000 and ((x < middle) == left).all()
        tops.append(y.min())
    assert tops[0] == tops[1] < tops[2] == tops[3]  # the same epoch above, the last ones below
    assert list(charts)[2:] == ["swd", "diversity_ratio"]
    assert charts["swd"] == [None, ([0, 2, 4], [9.5, 3.5, 8])]
    losses = np.loadtxt(root / "0001_tiny" / "losses.csv", delimiter=",", skiprows=1)
    for epochs, values in charts["Critic's gap: real − generated, −(R + F)"]:
        assert np.array_equal(epochs, np.arange(5))
        assert np.allclose(values, -(losses[:, 2] + losses[:, 3]))


def test_the_picture_of_runs_without_files(root):
    runs.make_run_folder(root / "empty")
    (root / "0001_tiny" / "images" / "sample_4.png").write_text("no picture")
    for pair in (("empty", "empty"), ("0001_tiny", "empty")):
        compare(root / pair[0], root / pair[1], root / "compare.png")
        assert Image.open(root / "compare.png").width == 1440


def test_help_loads_neither_keras_nor_matplotlib():
    code = """if True:
        import runpy, sys
        sys.argv = ["runs", "--help"]
        try:
            runpy.run_module("utils.runs", run_name="__main__", alter_sys=True)
        except SystemExit:
            print(sorted({"keras", "matplotlib"} & sys.modules.keys()))
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("usage: python -m utils.runs [-h]"), done.stderr
    assert done.stdout.endswith("[]\n")
