"""The state of a run from its files, complete or damaged."""

import os
import time

import numpy as np
import pytest

from lines.judge import LineJudge
from tests.helpers.small import replanned
from utils import runs
from utils.quality import ImageJudge
from utils.watch import snapshot


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


def test_a_run_is_running_while_it_holds_its_lock_or_wrote_an_epoch_just_now(folder):
    replanned(folder, 105)
    assert snapshot(folder)["state"] == "stopped"
    with runs.locked(folder):
        state = snapshot(folder)
        assert state["state"] == "running" and state["seconds_left"] == pytest.approx(200)
    (folder / ".lock").unlink()
    os.utime(folder / "losses.csv")
    assert snapshot(folder)["state"] == "stopped"  # the last epoch is saved
    (folder / "weights" / "checkpoint_5.h5").unlink()
    assert snapshot(folder)["state"] == "running" and not (folder / ".lock").exists()


def test_the_speed_leaves_out_the_break_between_two_sessions(folder):
    replanned(folder, 105)
    began = time.time() - 100
    os.utime(folder / "weights" / "checkpoint_5.h5", (began - 500,) * 2)
    os.utime(folder / "params.json", (began,) * 2)
    assert runs.seconds_per_epoch(folder) is None
    with open(folder / "losses.csv", "a") as file:
        file.write("".join(f"{epoch},1,1,1,1,1\n" for epoch in range(5, 15)) + "15,1")
    os.utime(folder / "losses.csv", (began + 30,) * 2)
    assert runs.epochs_done(folder) == 15  # half a line does not count
    assert runs.seconds_per_epoch(folder) == pytest.approx(3)


def test_the_state_before_the_first_epoch_and_of_damaged_files(tmp_path):
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


def test_samples_are_found_in_the_order_of_their_epochs(folder, tmp_path):
    images = folder / "images"
    (images / "sample_10.png").touch()
    (images / "sample_x.png").touch()
    expected = [(epoch, images / f"sample_{epoch}.png") for epoch in (0, 2, 4, 10)]
    assert runs.find_samples(folder) == expected
    assert runs.find_samples(tmp_path) == []


def test_only_whole_numbers_from_1_count_in_params():
    section = {"a": 3, "zero": 0, "text": "3", "true": True, "float": 3.0, "huge": 1 << 60}
    assert {name: runs.positive_int(section, name) for name in section} == {
        name: 3 if name == "a" else None for name in section
    }
    assert runs.positive_int(section, "missing") is None


def test_the_known_judges_are_ranked_by_their_measures():
    """A checkpoint stores these tuples, so they must stay the same."""
    judge = LineJudge(16, 1)
    lines = judge.measure(judge.fresh(8))
    assert runs.rank(lines) == (1, 1, 0)
    lines |= {"epoch": 7, "validity": 0.5, "structure": 0.25, "residual_median": 3.0}
    assert runs.rank(lines) == (0.5, 0.25, -3)
    assert runs.rank(lines | {"swd": 1.0}) == (0.5, 0.25, -3)
    noise = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), np.uint8)
    images = ImageJudge(noise).measure(255 - noise)
    assert runs.rank(images) == (-images["swd"],)
    assert runs.rank({"swd": 7.0, "duplicates": 0.0}) == (-7,)


def test_any_other_judge_is_ranked_by_its_first_measure():
    row = {"epoch": 4, "diversity_ratio": 0.9, "charm": 0.25, "weight": 8.0}
    assert runs.ranking(row) == {"charm": 1} and runs.rank(row) == (0.25,)
    assert runs.rank({"epoch": 4, "diversity_ratio": 0.9}) == ()


def test_the_scores_of_the_critic_are_not_ranked():
    critic = {"critic_training": 5.0, "critic_held_back": 4.0, "critic_generated": 3.0}
    assert runs.rank({"epoch": 4} | critic) == ()
    assert runs.rank({"epoch": 4} | critic | {"charm": 0.25}) == (0.25,)
    assert runs.rank({"epoch": 4, "swd": 7.0} | critic) == (-7,)


def test_the_best_scores_are_the_first_of_the_highest_rank():
    rows = [{"epoch": e, "swd": swd} for e, swd in enumerate((5, 2, 2, 3))]
    assert runs.best_scores(rows) == rows[1]  # whose training was saved, and not that of epoch 2
    own = [{"epoch": e, "own": value} for e, value in enumerate((1.0, 3.0, 2.0))]
    assert runs.best_scores(own) == own[1]
    assert runs.best_scores([]) is None and runs.best_scores([{"epoch": 0}]) is None
