"""Where a generator comes from: what the files of the run in its folder say."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from utils.messages import count, one_line
from utils.runs.params import positive_int, read_params
from utils.runs.state import epochs_done

_FINGERPRINT = re.compile(r"(?:[0-9]-)?[0-9a-f]{16}")


class Origin(NamedTuple):
    """What is known of a generator's training; as text, such as "run 0001_output (output.zip)".

    Attributes:
        run: name of the run folder; empty where the folder is none.
        data: name of the data set, without its folders; empty where it is not known.
        fingerprint: of the data set, see `utils.sources.ImageFiles`; empty where not known.
        trained: how long, in words; empty where it is not known.
    """

    run: str
    data: str
    fingerprint: str
    trained: str

    def __str__(self) -> str:
        if not self.run:
            return "a run that is not known (no params.json in its folder)"
        known = ", ".join(filter(None, (self.data, self.trained)))
        return f"run {self.run}" + (f" ({known})" if known else "")


def find_origin(generator: str | os.PathLike) -> Origin:
    """Reads where a generator comes from. What the files name is never opened.

    Args:
        generator: path of a `generator.h5`, of which only the folder is looked at.
    """
    path = Path(generator)
    training = read_params(path.parent)["training"]
    if not training:
        return Origin("", "", "", "")
    data, fingerprint = training.get("data"), training.get("data_fingerprint")
    known = isinstance(fingerprint, str) and _FINGERPRINT.fullmatch(fingerprint)
    return Origin(
        one_line(path.absolute().parent.name),
        one_line(data) if isinstance(data, str) and data else "",
        fingerprint if known else "",
        _trained(path, training),
    )


def _trained(path, training):
    """Such as "1,201 epochs"; of a `generator_best.h5` the epoch is not known."""
    if path.name != "generator.h5":
        return ""
    if done := epochs_done(path.parent):
        return count(done, "epoch")
    planned = positive_int(training, "epochs")
    return f"{count(planned, 'epoch')}, as planned" if planned else ""
