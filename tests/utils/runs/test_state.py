"""What is told of a run by its files, whole or damaged."""

import os
import time

import pytest

from lines.judge.judge import LineJudge
from tests.helpers.small import replanned
from utils.quality.similarity import ImageJudge
from utils.runs import folder as runs
from utils.runs import state as run_state
from utils.watch.server import snapshot


def test_the_state_of_a_finished_run(folder):
    (folder / "metrics.csv").write_text("epoch,swd\n0,9.5\n2,3.5\n4,nan\n")
    state = snapshot(folder)
    assert (state["run"], state["data"], state["state"]) == ("0001_tiny", "tiny.zip", "finished")
    assert (state["epochs"], state["planned"], state["samples"]) == (5, 5, [0, 2, 4])
    # Epochs 1 to 5 took 8 seconds: 2 each, for 2 batches of 4.
    assert state["images_per_second"] == pytest.approx(4)
    assert state["seconds_left"] is None and state["age"] == pytest.approx(942, abs=60)
    assert state["scores"][1:] == [{"epoch": 2, "swd": 3.5}, {"epoch": 4, "swd": None}]
    assert state["best"] == 2
    log = (folder / "log.txt").read_text().splitlines()
    assert state["log"] == log and len(log) == 5


def test_a_run_that_goes_on_is_told_by_its_lock_or_a_new_epoch(folder):
    replanned(folder, 105)
    assert snapshot(folder)["state"] == "stopped"
    with runs.locked(folder):
        state = snapshot(folder)
        assert state["state"] == "running" and state["seconds_left"] == pytest.approx(200)
    (folder / ".lock").unlink()
    os.utime(folder / "losses.csv")
    assert snapshot(folder)["state"] == "stopped"  # epoch 5 was the last, and is saved
    (folder / "weights" / "checkpoint_5.h5").unlink()
    assert snapshot(folder)["state"] == "running" and not (folder / ".lock").exists()


def test_the_break_between_two_sessions_does_not_count(folder):
    replanned(folder, 105)
    began = time.time() - 100
    os.utime(folder / "weights" / "checkpoint_5.h5", (began - 500,) * 2)
    os.utime(folder / "params.json", (began,) * 2)
    assert run_state.seconds_per_epoch(folder) is None
    with open(folder / "losses.csv", "a") as file:
        file.write("".join(f"{epoch},1,1,1,1,1\n" for epoch in range(5, 15)) + "15,1")
    os.utime(folder / "losses.csv", (began + 30,) * 2)
    assert run_state.epochs_done(folder) == 15  # and half a line
    assert run_state.seconds_per_epoch(folder) == pytest.approx(3)


def test_before_the_first_epoch_and_where_all_is_damaged(tmp_path):
    empty = snapshot(tmp_path / "nothing")
    assert empty["state"] == "waiting" and empty["samples"] == empty["log"] == []
    folder = runs.make_run_folder(tmp_path / "run")
    (folder / "params.json").write_text('{"model": [], "training": {"epochs": "9", "data": 3}}')
    state = snapshot(folder)
    assert state["state"] == "running" and state["planned"] is None and state["epochs"] == 0
    for name in ("params.json", "losses.csv", "metrics.csv", "log.txt"):
        (folder / name).write_bytes(b"\xff\x00,{\n" * 3)
    (folder / "images" / "sample_x.png").touch()
    assert snapshot(folder)["samples"] == [] and snapshot(folder)["planned"] is None


def test_the_best_score_is_by_the_judges_own_rule():
    lines = {"validity": 0.5, "structure": 0.25, "residual_median": 3.0, "swd": 1.0}
    assert run_state.rank(lines) == LineJudge.rank(lines) == (0.5, 0.25, -3)
    images = {"swd": 7.0, "duplicates": 0.0}
    assert run_state.rank(images) == ImageJudge.rank(images) == (-7,)
    rows = [{"epoch": e, "swd": swd} for e, swd in enumerate((5, 2, 2, 3))]
    assert run_state.best(rows) == rows[1]  # of equals the first, which was kept
    assert run_state.best([]) is None and run_state.best([{"epoch": 0, "own": 1.0}]) is None
