"""What preparing a data set found: figures, advice for the training, and the next command."""

import collections
import dataclasses
import shlex

from utils.images import Palette, fitting_size
from utils.messages import count, one_line
from utils.prepare.lookalikes import COMPARED, Signature
from utils.prepare.squares import Settings, Square
from utils.sources import GreyRange

_VERY_FEW, _FEW, _MANY = 500, 3000, 10_000
_SHOWN = 20  # unreadable files on the screen; the report has them all
_BATCH_SIZE = 16  # of the recipe `fast`
# By image size: about 25,000 updates of `fast` on one core of a CPU (docs/experiments.md). Colours
# and simple shapes show after a third of them.
_MINUTES = {32: 20, 64: 30, 128: 60, 256: 150, 512: 480}
_SLOW = 256  # pixels


@dataclasses.dataclass
class Findings:
    """What was found in the source, what was made from it, and what was skipped.

    Attributes:
        source, out: as they were given.
        files: number of pictures and films in the source, by their names.
        settings: how squares were made.
        pictures: number of pictures that could be read; each frame and page counts.
        skipped: (name, why) of files that are not pictures.
        unreadable: (name, why) of pictures that could not be read.
        duplicates: (name, name of the earlier one) of squares that equal an earlier one.
        dropped: number of these that are not in the zip.
        sizes: number of pictures by (width, height) in pixels.
        enlarged: number of pictures with fewer pixels than their square.
        names: of the squares in the zip.
        labels: of the same squares: the file, frame and tile that each comes from.
        signatures: of the same squares.
        colours: of the same squares: the mean, RGB 0…255.
        greys: number of the same squares without colours.
        near_duplicates: see `utils.prepare.lookalikes.near_duplicates`.
        palette: the colours of the same squares; None if they are many.
        grey_range: of pictures of more than 8 bits; None where there was none.
        links: a sentence on links that were not followed; empty without one.
    """

    source: str
    out: str
    files: int
    settings: Settings
    pictures: int = 0
    skipped: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    unreadable: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    duplicates: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    dropped: int = 0
    sizes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    enlarged: int = 0
    names: list[str] = dataclasses.field(default_factory=list)
    labels: list[str] = dataclasses.field(default_factory=list)
    signatures: list[Signature] = dataclasses.field(default_factory=list)
    colours: list[tuple[int, int, int]] = dataclasses.field(default_factory=list)
    greys: int = 0
    near_duplicates: list[tuple[float, int, int]] = dataclasses.field(default_factory=list)
    palette: Palette | None = None
    grey_range: GreyRange | None = None
    links: str = ""

    def add(self, name: str, label: str, square: Square) -> None:
        """Records a square that is in the zip."""
        self.names.append(name)
        self.labels.append(label)
        self.signatures.append(square.signature)
        self.colours.append(square.colour)
        self.greys += square.grey


def summary(findings: Findings) -> str:
    """The findings for the screen: several lines."""
    f = findings
    lines = [f"{one_line(f.source)}: {source_counts(f)}"]
    lines.append(f"{one_line(f.out)}: {zip_contents(f)}")
    left_out = left_out_counts(f)
    if left_out:
        lines.append("Left out: " + ", ".join(left_out))
    lines += [f"  {name}: {why}" for name, why in f.unreadable[:_SHOWN]]
    if len(f.unreadable) > _SHOWN:
        lines.append(f"  and {len(f.unreadable) - _SHOWN:,} more, see the report")
    return "\n".join([*lines, *advice(f)])


def source_counts(findings: Findings) -> str:
    """Such as "36 files, 37 readable pictures"."""
    return f"{count(findings.files, 'file')}, {count(findings.pictures, 'readable picture')}"


def zip_contents(findings: Findings) -> str:
    """Such as "35 squares of 128×128 pixels, RGB"."""
    size, mode = findings.settings.size, "grey" if findings.settings.grey else "RGB"
    return f"{count(len(findings.names), 'square')} of {size}×{size} pixels, {mode}"


def left_out_counts(findings: Findings) -> list[str]:
    """What is not in the zip, each with its number: ["1 unreadable", "2 duplicates"]."""
    f = findings
    not_pictures = "not a picture" if len(f.skipped) == 1 else "not pictures"
    return [
        *([f"{len(f.unreadable):,} unreadable"] if f.unreadable else []),
        *([count(f.dropped, "duplicate")] if f.dropped else []),
        *([f"{len(f.skipped):,} {not_pictures}"] if f.skipped else []),
    ]


def advice(findings: Findings) -> list[str]:
    """What a person should know before training: each entry is one sentence or more."""
    f, size, squares = findings, findings.settings.size, len(findings.names)
    entries = [_advice_on_number(squares)] if squares < _MANY else []
    if f.enlarged:
        entries.append(
            f"{f.enlarged:,} of {count(f.pictures, 'picture')} had fewer pixels than a square of "
            f"{size}. Enlarging blurs: a smaller --size keeps them sharp."
        )
    if size >= _SLOW:
        entries.append(
            f"At {size} pixels a CPU trains for hours: begin with --size 64 or 128, or use a GPU."
        )
    cropped = _cropped_share(f)
    if f.settings.crop == "center" and cropped > 0.2:
        entries.append(
            f"The square in the middle leaves out {cropped:.0%} of the pictures' area: --crop fit "
            "keeps all of it, --crop tiles cuts it into squares."
        )
    if f.greys == squares and not f.settings.grey:
        entries.append(
            "No picture has colours: --mode grey draws the same with a third of the work."
        )
    if f.grey_range:
        entries.append(f"Grey of more than 8 bits: {f.grey_range} became black to white.")
    if f.links:
        entries.append(f.links)
    if f.palette:
        entries.append(f"{f.palette}: flat colours.")
    if f.near_duplicates:
        entries.append(_advice_on_near_duplicates(f))
    if squares > COMPARED:
        entries.append(f"Only the first {COMPARED:,} squares were compared for near duplicates.")
    return entries


def _advice_on_number(squares: int) -> str:
    flip = "--augment flip mirrors half of them: use it if a mirrored picture could be yours too."
    if squares < _VERY_FEW:
        return (
            f"{count(squares, 'picture')}: very few. The critic soon memorises them: expect "
            "near copies of them, and drawings that get worse after a while. Use the generator of "
            f"the best grid. {flip} More pictures help most: --crop tiles makes many from one "
            "large drawing, and a film gives one a frame."
        )
    if squares < _FEW:
        return (
            f"{squares:,} pictures: few. Expect drawings in their style, and sometimes a copy. "
            f"{flip}"
        )
    return (
        f"{squares:,} pictures: enough to begin with. From {_MANY:,} on, copies are rare and "
        "drawings more varied."
    )


def _advice_on_near_duplicates(findings: Findings) -> str:
    number = len(findings.near_duplicates)
    look, they, add = ("looks", "it stays", "adds") if number == 1 else ("look", "they stay", "add")
    text = (
        f"{count(number, 'picture')} {look} nearly like an earlier one (the report shows the most "
        f"alike): {they} in the zip and {add} little."
    )
    has_frames = findings.pictures > findings.files
    return f"{text} --every 5 or more uses frames that differ more." if has_frames else text


def _cropped_share(findings: Findings) -> float:
    """The share of a picture's area outside the largest square in its middle, on average."""
    shares = [(1 - min(size) / max(size)) * number for size, number in findings.sizes.items()]
    return sum(shares) / findings.pictures


def next_command(findings: Findings) -> str:
    """The command that starts a training; its networks take their size from the squares."""
    f, squares = findings, len(findings.names)
    command = ["python", "train.py", "--data", f.out, "--run-id", "0002", "--recipe", "fast"]
    command += ["--minutes", str(_MINUTES[fitting_size(f.settings.size)])]
    if f.settings.grey:
        command += ["--channels", "1"]
    if squares < _BATCH_SIZE:
        command += ["--batch-size", str(squares)]
    return shlex.join(command)


def training_time(findings: Findings) -> str:
    """A sentence on how many minutes are worth it."""
    size = fitting_size(findings.settings.size)
    minutes = _MINUTES[size]
    return (
        f"On one core of a CPU, {minutes // 3} minutes show colours and simple shapes at {size} "
        f"pixels, and {minutes} are worth it. A GPU needs fewer. The same command adds more."
    )
