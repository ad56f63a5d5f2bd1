"""What a generator learned from, known by the fingerprint in its run's `params.json` alone."""

import os
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from utils.messages import tell
from utils.runs import Origin
from utils.sources import ImageFiles, rules_of

_USUAL = Path("output.zip")  # of train.py, in the folder where a person works
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.zip")


class LearnedFrom(NamedTuple):
    """The data set of a generator.

    Attributes:
        data: a zip of the images; None for what `python -m lines` draws.
        weight: of its lines in pixels; None where `data` must tell.
    """

    data: Path | None
    weight: int | None


def learned_from(
    generator: str | os.PathLike,
    origin: Origin,
    size: int,
    weights: Iterable[int],
    write_sketch: Callable,
) -> LearnedFrom:
    """Finds the data set of a generator by its fingerprint.

    It is `output.zip`, if that has the fingerprint; or it is the sketch's, if what `python -m
    lines` draws with the usual seed and number has it. This is drawn to a temporary folder, which
    takes seconds. No path that the run names is opened.

    Args:
        generator: its path, for messages.
        origin: see `utils.runs.find_origin`.
        size: of its images, in pixels.
        weights: of lines that are tried, in pixels.
        write_sketch: `lines.dataset.write_zip`.

    Raises:
        ValueError: it learned from other images, or nothing says from which.
    """
    if not origin.fingerprint:
        raise ValueError(
            f"{generator}: nothing in its folder says what it learned from: name those images with "
            "--data, or if they are the sketch's the --weight of its lines"
        )
    if _USUAL.is_file() and _has(_USUAL, origin.fingerprint):
        return LearnedFrom(_USUAL, None)
    if _NAME.fullmatch(origin.data):
        tell("Comparing what the generator learned from with what the sketch draws")
        with tempfile.TemporaryDirectory() as folder:
            drawn = Path(folder) / origin.data  # the fingerprint is of names, too
            for weight in dict.fromkeys(weights):
                write_sketch(drawn, size=size, weight=weight)
                if _has(drawn, origin.fingerprint):
                    return LearnedFrom(None, weight)
    raise ValueError(
        f"{generator} learned from {origin.data or 'other images'}, which is neither {_USUAL} here "
        f"nor what python -m lines draws at {size} pixels: name those images with --data"
    )


def _has(path, fingerprint):
    try:
        return ImageFiles(path, rules=rules_of(fingerprint)).fingerprint == fingerprint
    except ValueError:  # a person's output.zip may be anything
        return False
