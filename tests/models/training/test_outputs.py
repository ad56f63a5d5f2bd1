"""Files of a run: diagrams with and without Graphviz, and how a run is resumed."""

import subprocess

import pytest

from models.training.outputs import plot_network, resume
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, train


@pytest.fixture
def graphviz(tmp_path, monkeypatch):
    """A stand-in for Graphviz on the path; what it does is set by `write`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    dot = folder / "dot"

    def write(script):
        dot.write_text(f"#!/bin/sh\n{script}\n")
        dot.chmod(0o755)

    return write


def test_without_graphviz_there_is_a_summary(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    plot_network(WGANGP(**TINY).critic, tmp_path)
    text = (tmp_path / "viz" / "critic.txt").read_text()
    assert "needs pydot and Graphviz" in text and "critic_conv_1" in text
    assert [file.name for file in (tmp_path / "viz").iterdir()] == ["critic.txt"]


def test_with_graphviz_there_is_a_diagram(tmp_path, graphviz):
    # Asked for its version or for a PNG, it prints one: pydot writes what `dot -Tpng` prints.
    graphviz("cat > /dev/null; printf 'a diagram'")
    plot_network(WGANGP(**TINY).critic, tmp_path)
    assert (tmp_path / "viz" / "critic.png").read_bytes() == b"a diagram"


def test_a_diagram_that_fails_is_one_line_and_the_training_goes_on(
    tiny_zip, tmp_path, graphviz, capsys
):
    graphviz("cat > /dev/null; echo broken >&2; exit 1")
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, tmp_path / "run", 1)
    printed = capsys.readouterr().out.splitlines()
    failed = [line for line in printed if line.startswith("No diagram of the ")]
    assert len(failed) == 2 and all(line.endswith("; the training goes on.") for line in failed)
    assert gan.epoch == 1 and not list((tmp_path / "run" / "viz").iterdir())


def test_a_diagram_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    (tmp_path / "viz").write_text("a file where the folder should be")
    plot_network(WGANGP(**TINY).generator, tmp_path)
    assert capsys.readouterr().out.startswith("No diagram of the generator: ")


def test_modes(tiny_zip, tmp_path):
    folder = tmp_path / "run"
    for mode in ("auto", "build"):
        assert resume(WGANGP(**TINY), folder, mode) == f"New run: {folder}"
    with pytest.raises(FileNotFoundError, match="run holds no checkpoint: begin with mode"):
        resume(WGANGP(**TINY), folder, "load")
    train(WGANGP(**TINY), tiny_zip, folder, 2, save_epochs=1)
    for mode in ("auto", "load"):
        gan = WGANGP(**TINY)
        assert resume(gan, folder, mode) == f"Continuing {folder} after 2 epochs."
        assert gan.epoch == 2
    gan = WGANGP(**TINY)
    resume(gan, folder, from_checkpoint=folder / "weights" / "checkpoint_1.h5")
    assert gan.epoch == 1
    with pytest.raises(ValueError, match="run holds a run already: continue it with mode"):
        resume(WGANGP(**TINY), folder, "build")
    with pytest.raises(ValueError, match=r"mode must be one of auto, .* received 'laod'"):
        resume(WGANGP(**TINY), folder, "laod")
    gan = WGANGP(**TINY)
    aside = f"The earlier run is now in {folder}.old1. New run: {folder}"
    assert resume(gan, folder, "new") == aside and gan.epoch == 0 and not folder.exists()


def test_the_stand_in_is_the_dot_that_is_called(graphviz):
    graphviz("echo stand-in")
    assert subprocess.run(["dot"], capture_output=True, text=True).stdout == "stand-in\n"
