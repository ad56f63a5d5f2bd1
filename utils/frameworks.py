"""Loads Keras and its framework: without noise, and with one line where the framework is missing.

This file imports nothing of the project: it is also a program of its own, see `_quietly`.
"""

import contextlib
import importlib.abc
import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

# TensorFlow reads these when it is imported. Its banner of processor features helps nobody here;
# real errors still show. oneDNN is off on some processors and trains 1.25 times as fast.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

FRAMEWORKS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
"""Packages of the frameworks that train, by their value of `KERAS_BACKEND`: their names."""

_NOISE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|To enable the following instructions: "
    rb"|I\d{4} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:\d\d:[\d.]+: I "  # information
    rb"|.*\balready (been )?registered"
)
"""Lines that TensorFlow prints whenever it is loaded, before a program can choose what to see."""

_FINE, _FAILED = b"\0fine\n", b"\0failed\n"  # the last line for the program that holds lines back


def watch_imports() -> None:
    """From now on, loads Keras and TensorFlow as this module says, once something imports them."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds packages as Python does, and puts something around the loading of two of them."""

    def find_spec(self, name, path=None, target=None):
        around = {"keras": _named_framework, "tensorflow": _quietly}.get(name)
        if around is None:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next(filter(None, specs), None)
        if spec and spec.loader:
            spec.loader.exec_module = _inside(around, spec.loader.exec_module)
        return spec


def _inside(around: Callable, function: Callable) -> Callable:
    def call(*arguments):
        with around():
            return function(*arguments)

    return call


@contextlib.contextmanager
def _named_framework() -> Iterator[None]:
    """Turns what Keras raises where its framework is missing or unknown into one line."""
    chosen = os.environ.get("KERAS_BACKEND")
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in FRAMEWORKS:
            raise
        here = [name for name in FRAMEWORKS if importlib.util.find_spec(name)]
        instead = f", or set KERAS_BACKEND={here[0]}, which is installed" if here else ""
        why = "KERAS_BACKEND asks for" if chosen else "Keras is set to use"
        raise ValueError(
            f"{why} {FRAMEWORKS[error.name]}, which is not installed: python -m pip install "
            f"{error.name}{instead}"
        ) from error
    except ValueError as error:
        if "Unable to import backend" not in str(error):
            raise
        found = f"KERAS_BACKEND={chosen!r}" if chosen else f"keras.json ({error})"
        raise ValueError(f"{found}: expected tensorflow, jax or torch") from error


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, and shows all of it but `_NOISE` at the end.

    All of it, where the block fails. It is held back by another process, which shows it even where
    this one is aborted: TensorFlow does that on processors that lack what it was built for.
    """
    command = [sys.executable, "-I", "-S", __file__]
    with contextlib.ExitStack() as stack:
        try:
            before = os.dup(2)
            stack.callback(os.close, before)
            holding = subprocess.Popen(command, stdin=subprocess.PIPE)
        except OSError:  # no such descriptor, or no further process: then noise it is
            yield
            return
        os.dup2(holding.stdin.fileno(), 2)
        verdict = _FAILED
        try:
            yield
            verdict = _FINE
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            with contextlib.suppress(OSError):  # somebody ended it
                holding.stdin.write(verdict)
                holding.stdin.close()
            holding.wait()


def _hold_back() -> None:
    """The program of `_quietly`: holds back its input until it ends or a verdict comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the other program
    lines = []
    while (line := sys.stdin.buffer.readline()) and not line.endswith((_FINE, _FAILED)):
        lines.append(line)
    if line.endswith(_FINE):
        lines = [line for line in lines if not _NOISE.match(line)]
    lines.append(line.removesuffix(_FINE).removesuffix(_FAILED))
    sys.stderr.buffer.writelines(lines)


if __name__ == "__main__":
    _hold_back()
