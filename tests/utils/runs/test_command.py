"""Options of a command line in `params.json`: read back, and refused where they are wrong."""

import argparse
import json

import pytest

from utils import cli
from utils.runs import as_typed, named_options, read_command


@pytest.fixture
def parser():
    made = cli.parser("A test.", "")
    made.add_argument("--epochs", type=cli.whole())
    made.add_argument("--width", type=cli.number(0.5, 8), default=1)
    made.add_argument("--size", type=int, choices=(64, 128))
    made.add_argument("--recipe", choices=("fast", "lines"), default="fast")
    made.add_argument("--board", action=argparse.BooleanOptionalAction)
    made.add_argument("--data", default="output.zip")
    return made


@pytest.fixture
def read(parser, tmp_path):
    def write_and_read(content):
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "params.json").write_text(text)
        return read_command(tmp_path / "params.json", parser, ("data", "help", "debug"))

    return write_and_read


def test_options_that_were_named_are_told_from_defaults(parser, monkeypatch):
    line = ["train.py", "--width", "1", "--no-board", "--data", "a.zip"]
    monkeypatch.setattr("sys.argv", line)
    assert named_options(parser) == {"width": 1, "board": False, "data": "a.zip"}
    monkeypatch.setattr("sys.argv", line[:1])
    assert named_options(parser) == {}


def test_options_are_read_as_if_they_had_been_typed(read, parser):
    section = {"epochs": 7, "width": 0.5, "size": 64, "recipe": "lines", "board": True}
    found = read({"model": {}, "command": section})
    assert found == section and type(found["epochs"]) is int
    assert as_typed(parser, found) == "--epochs 7 --width 0.5 --size 64 --recipe lines --board"
    assert as_typed(parser, {"width": 1, "board": False}) == "--no-board"
    assert read({"command": {}}) == {}
    assert as_typed(parser, {}) == ""


@pytest.mark.parametrize("content", [{}, {"command": [1]}, [], "3", {"model": {}}])
def test_a_file_without_options(content, read):
    assert read(content) is None


FAULTS = {
    "epochs": {
        0: "epochs: expected a whole number from 1 to 2147483648, received '0'",
        1.5: "epochs: expected a whole number from 1",
        True: "epochs: expected text or a number, received True",
        None: "epochs: expected text or a number, received None",
        "x\n\x1b[31m": "epochs: expected a whole number from 1 to 2147483648, received 'x",
        "9" * 5000: "epochs: expected a whole number",
        (1,): "epochs: expected text or a number, received a list",
    },
    "width": {float("nan"): "width: expected a number from 0.5 to 8, received 'nan'"},
    "size": {
        32: "size: expected one of 64, 128, received 32",
        "a": "size: expected int, received 'a'",
        64.0: "size: expected int, received 64.0",
    },
    "recipe": {"best": "recipe: expected one of fast, lines, received 'best'"},
    "board": {1: "board: expected true or false, received 1"},
    "data": {"/etc/passwd": "data: no option that a file may set"},
    "debug": {True: "debug: no option that a file may set"},
    "y\n\x1b" * 3: {1: "y �y �y �: no option that a file may set"},
}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [(name, value, text) for name, faults in FAULTS.items() for value, text in faults.items()],
    ids=lambda part: str(part)[:20],
)
def test_wrong_options_are_one_line(name, value, message, read):
    with pytest.raises(ValueError) as caught:
        read({"command": {name: value}})
    text = str(caught.value)
    assert f"params.json: section command: {message}" in text
    assert text.isprintable() and len(text) < 500


def test_the_first_five_of_many_faults_are_named(read):
    with pytest.raises(ValueError, match=r"n4: no option that a file may set and 95 more$"):
        read({"command": {f"n{i}": i for i in range(100)}})


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff", '{"command": ' + "9" * 5000])
def test_a_file_that_is_no_json_is_one_line(text, read, tmp_path, parser):
    (tmp_path / "params.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=r"params\.json: not readable as JSON \("):
        read_command(tmp_path / "params.json", parser, ())


def test_a_file_that_is_not_there_or_no_file(tmp_path, parser):
    with pytest.raises(FileNotFoundError, match=r"nix\.json: no such file; expected the params"):
        read_command(tmp_path / "nix.json", parser, ())
    with pytest.raises(ValueError, match="a folder; expected a file"):
        read_command(tmp_path, parser, ())
