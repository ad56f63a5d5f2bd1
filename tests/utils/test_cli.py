"""How a command ends: what an interruption leads to, whatever cleaning up does."""

import signal
import subprocess
import sys

import pytest

from tests.helpers import ROOT

PROGRAM = """
import time
from utils import cli

def main(arguments):
    try:
        print("working", flush=True)
        time.sleep(60)
    finally:
        print("cleaning", flush=True)
        {cleaning}

parser = cli.parser("A test.", "")
cli.run(main, parser.parse_args([]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("cleaning", "signals"),
    [("pass", 1), ("raise ValueError('a handle is open')", 1), ("time.sleep(60)", 2)],
)
def test_an_interrupted_command_ends_with_130(number, cleaning, signals):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(cleaning=cleaning)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in ("working\n", "cleaning\n")[:signals]:
        assert process.stdout.readline() == line
        process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "\nstopped; files that were not finished are not there\n"
