"""Processing's own renderer, from the wheel of py5."""

import shutil
import struct
import subprocess
import sys
import zipfile

import filelock
import numpy as np
import pytest

from lines.scene import COLOURS
from tests.helpers import CACHE, ROOT

PY5 = "py5==0.10.12a0"  # carries Processing's core.jar


def processing_command():
    """Command that runs a Java class of processing_sketch/ with Processing on its class path."""
    if not shutil.which("javac"):
        pytest.skip("Processing's own renderer needs a Java development kit (javac), 17 or later")
    CACHE.mkdir(exist_ok=True)
    with filelock.FileLock(CACHE / "lock"):  # tests may run in several processes
        return _prepared_processing()


def _prepared_processing():
    jar, classes = CACHE / "core.jar", CACHE / "classes"
    if not jar.exists():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", CACHE, PY5]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip(f"pip could not download {PY5}, which carries Processing's core.jar")
        with zipfile.ZipFile(next(CACHE.glob("py5-*.whl"))) as wheel:
            inside = next(name for name in wheel.namelist() if name.endswith("/core.jar"))
            jar.write_bytes(wheel.read(inside))
    sources = sorted((ROOT / "tests" / "helpers" / "processing_sketch").glob("*.java"))
    subprocess.run(["javac", "-cp", jar, "-d", classes, *sources], check=True)
    return ["java", "-Djava.awt.headless=true", "-cp", f"{jar}{_separator()}{classes}"]


def _separator():
    return ";" if sys.platform == "win32" else ":"


def draw_in_processing(command, scenes, size, weight):
    """Scenes of equal length drawn by Processing: uint8 (n, size, size, 3)."""
    request = struct.pack(">4i", size, weight, len(scenes), len(scenes[0]))
    for line in (line for scene in scenes for line in scene):
        horizontal = line.orientation == "horizontal"
        request += struct.pack(">if3i", horizontal, line.position, *COLOURS[line.colour])
    reply = subprocess.run([*command, "Reference"], input=request, capture_output=True, check=True)
    return np.frombuffer(reply.stdout, np.uint8).reshape(len(scenes), size, size, 3)
