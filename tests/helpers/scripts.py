"""Scripts and modules run as the main program."""

import runpy
import sys

import pytest

from tests.helpers import ROOT


def run_here(arguments, monkeypatch):
    """Runs a script or module as the main program, but in this process, where Keras is loaded."""
    monkeypatch.setattr(sys, "argv", list(arguments))
    with pytest.raises(SystemExit) as left:
        if arguments[0].endswith(".py"):
            runpy.run_path(str(ROOT / arguments[0]), run_name="__main__")
        else:
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    return left.value.code or 0
