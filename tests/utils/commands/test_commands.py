"""`generate.py`: its list of commands, its help, and mistakes that need no framework."""

import subprocess
import sys

import pytest

from tests.helpers import ROOT

COMMANDS = (
    *("images", "mix", "nearest", "again", "walk", "orbit", "history", "project"),
    *("export", "web"),
)
ALONE = "tests/data/old_run/0001_tiny/generator.h5"
WITHOUT_FRAMEWORK = """
import runpy, sys
for line in sys.argv[1:]:
    sys.argv = ["generate.py", *line.split()]
    try:
        runpy.run_path("generate.py", run_name="__main__")
    except SystemExit as left:
        print("left with", left.code or 0)
print("loaded", [name for name in ("keras", "tensorflow", "jax", "torch") if name in sys.modules])
"""


def generate(*lines):
    """Runs `generate.py` with each line of arguments, in one new process."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FRAMEWORK, *lines],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr


def test_without_arguments_it_lists_its_commands():
    output, _ = generate("")
    assert "left with 0" in output
    listed = [line.split()[0] for line in output.splitlines() if line.startswith("    ")]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_help_loads_no_framework():
    output, _ = generate("--help", *(f"{name} --help" for name in COMMANDS))
    assert output.count("left with 0") == 1 + len(COMMANDS)
    assert output.splitlines()[-1] == "loaded []"
    for name in COMMANDS:
        assert f"usage: generate.py {name} " in output


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_in_words_what_happens_without_an_option(name):
    output, _ = generate(f"{name} --help")
    assert "None" not in output and "unless given" in " ".join(output.split())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("picture", "invalid choice: 'picture'"),
        ("images --resampling bicubic", "argument --resampling: invalid choice: 'bicubic'"),
        ("images --transparent grey", "argument --transparent: invalid choice: 'grey'"),
        ("images --seeds 5-1", "argument --seeds: seeds must look like 0-24,100,7"),
        ("images --out README.md", "README.md: is a file; expected a folder"),
        (
            "images --keep 0",
            "argument --keep: expected a number above 0 and at most 1, received '0'",
        ),
        ("images --keep 1.5", "argument --keep: expected a number above 0 and at most 1, received"),
        ("images --keep half", "argument --keep: expected a number above 0 and at most 1, receiv"),
        (f"images --keep 0.5 --generator {ALONE}", "generator.h5 has no critic.h5 beside it"),
        ("images --keep 0.5 --generator generator_best.h5", "generator_best.h5: no critic of the"),
        ("images --out new.zip --labels", "new.zip: a zip holds no grid; leave out --labels"),
        ("images --latents no.npz", "no.npz: no such file; expected a latents.npz by generate.py"),
        ("walk --latents README.md --seeds 3", "README.md: not read (File is not a zip file); exp"),
        (
            "walk --seeds 3",
            "a walk needs at least two images, received 1: add --seeds or",
        ),
        ("walk --path bent", "argument --path: invalid choice: 'bent'"),
        ("walk --easing none", "argument --easing: invalid choice: 'none'"),
        ("orbit --seeds 1,2", "argument --seeds: an orbit goes around one seed, received 1,2"),
        ("nearest --data README.md", "README.md: not a zip"),
        ("again README.md", "README.md: does not decode"),
        ("again no.png", "no.png: no such file; expected a PNG by generate.py"),
    ],
)
def test_a_mistake_is_answered_before_a_framework_is_loaded(line, message):
    output, errors = generate(line)
    assert output.splitlines() == ["left with 2", "loaded []"]
    assert message in errors and len(errors.splitlines()) == 1
