"""What came of preparing pictures: words for the screen and a page."""

import collections
import dataclasses
import zipfile

from utils.duplicates import Look
from utils.prepare_work import Settings, Square


@dataclasses.dataclass
class Findings:
    """What there was, what was made of it, and what was passed over.

    Attributes:
        source, out: as they were given.
        files: number of pictures and films in the source, by their names.
        settings: what the pictures were made into.
        pictures: that could be read, frames and pages counted each.
        passed_over: (name, why) of files that are no pictures.
        bad: (name, why) of what could not be read.
        duplicates: (name, name of the earlier one) of squares that equal another.
        sizes: how many pictures had a (width, height), in pixels.
        enlarged: number of pictures with fewer pixels than their square.
        names: in the zip; `labels`, `looks`, `colours` and `greys` are of the same squares.
        near: as `utils.duplicates.near_pairs` gives them.
    """

    source: str
    out: str
    files: int
    settings: Settings
    pictures: int = 0
    passed_over: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    bad: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    duplicates: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    sizes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    enlarged: int = 0
    names: list[str] = dataclasses.field(default_factory=list)
    labels: list[str] = dataclasses.field(default_factory=list)
    looks: list[Look] = dataclasses.field(default_factory=list)
    colours: list[tuple[int, int, int]] = dataclasses.field(default_factory=list)
    greys: int = 0
    near: list[tuple[float, int, int]] = dataclasses.field(default_factory=list)

    def keep(self, name: str, label: str, square: Square) -> None:
        """Notes a square that is in the zip."""
        self.names.append(name)
        self.labels.append(label)
        self.colours.append(square.colour)
        self.looks.append(square.look)
        self.greys += square.grey


def words(findings: Findings) -> str:
    return f"{len(findings.names)} {findings.bad} {len(findings.near)}"


def page(findings: Findings, archive: zipfile.ZipFile) -> str:
    return "x\n"
