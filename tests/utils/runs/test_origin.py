"""Where a generator comes from, as the files in its folder say."""

import json

import pytest

from tests.helpers import ROOT
from utils.runs import find_origin


def origin(folder, name="generator.h5", **training):
    (folder / "params.json").write_text(json.dumps({"training": training}))
    return find_origin(folder / name)


def test_the_shipped_generator_comes_from_lines64():
    folder = ROOT / "run" / "gan" / "0000_lines64"
    found = find_origin(folder / "generator.h5")
    epochs = json.loads((folder / "params.json").read_text())["training"]["epochs"]
    assert str(found) == f"run 0000_lines64 (lines64.zip, {epochs:,} epochs, as planned)"
    assert found.fingerprint == "2-87800427e98490a1"


def test_the_epochs_are_those_that_were_done(tmp_path):
    folder = tmp_path / "0001_mine"
    folder.mkdir()
    (folder / "losses.csv").write_text("epoch,critic\n0,1\n")
    assert str(origin(folder, data="mine.zip", epochs=9)) == "run 0001_mine (mine.zip, 1 epoch)"
    best = origin(folder, "generator_best.h5", data="mine.zip", epochs=9)
    assert str(best) == "run 0001_mine (mine.zip)"


def test_a_generator_alone_comes_from_nowhere_that_is_known(tmp_path):
    found = find_origin(tmp_path / "generator.h5")
    assert str(found) == "a run that is not known (no params.json in its folder)"
    assert found == ("", "", "", "")


@pytest.mark.parametrize("value", [7, None, ["a"], "", "a\x1b[2J\nb"])
def test_what_a_stranger_wrote_is_one_line_of_text(tmp_path, value):
    found = origin(tmp_path, data=value, data_fingerprint=value, epochs=value)
    assert found.fingerprint == "" and str(found).isprintable() and "\x1b" not in found.data
    assert found.data in ("", "a\N{REPLACEMENT CHARACTER}[2J b")
