"""What came of preparing pictures, in figures and in words."""

import collections
import dataclasses
import shlex

from utils.images import SIZES
from utils.messages import one_line
from utils.prepare.lookalikes import COMPARED, Look
from utils.prepare.squares import Settings, Square

_FEW, _SOME, _ENOUGH = 500, 3000, 10_000
_SHOWN = 20  # names on the screen; the page has them all
_PRESET_SIZE = 128
_BATCH = 16  # of the presets


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
        dropped: how many of those are not in the zip.
        sizes: how many pictures had a (width, height), in pixels.
        enlarged: number of pictures with fewer pixels than their square.
        names: in the zip; `labels`, `looks`, `colours` and `greys` are of the same squares.
        near: as `utils.prepare.lookalikes.near_pairs` gives them.
    """

    source: str
    out: str
    files: int
    settings: Settings
    pictures: int = 0
    passed_over: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    bad: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    duplicates: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    dropped: int = 0
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
    """The findings for the screen, in lines."""
    f = findings
    lines = [f"{one_line(f.source)}: {f.files:,} files, {f.pictures:,} pictures could be read"]
    lines.append(f"{one_line(f.out)}: {made(f)}")
    passed = counted(f)
    if passed:
        lines.append("Passed over: " + ", ".join(passed))
    lines += [f"  {name}: {why}" for name, why in f.bad[:_SHOWN]]
    if len(f.bad) > _SHOWN:
        lines.append(f"  and {len(f.bad) - _SHOWN:,} more, which the report names")
    lines += advice(f)
    lines.append(f"Next: {next_command(f)}")
    return "\n".join(lines)


def made(findings: Findings) -> str:
    """What lies in the zip."""
    size, mode = findings.settings.size, "grey" if findings.settings.grey else "RGB"
    return f"{len(findings.names):,} squares of {size}×{size} pixels, {mode}"


def counted(findings: Findings) -> list[str]:
    """What was passed over, and how often."""
    f, dropped = findings, findings.dropped
    counts = ((len(f.bad), "not readable"), (dropped, "twice the same"))
    counts += ((len(f.passed_over), "no pictures"),)
    return [f"{count:,} {what}" for count, what in counts if count]


def advice(findings: Findings) -> list[str]:
    """What a person should know before training, one sentence or more each."""
    f, size, count = findings, findings.settings.size, len(findings.names)
    said = [_on_the_number(count)] if count < _ENOUGH else []
    if f.enlarged:
        said.append(
            f"{f.enlarged:,} of {f.pictures:,} pictures had fewer pixels than a square of {size} "
            "and were enlarged, which blurs them: a smaller --size draws what is there."
        )
    cut = _cut_off(f)
    if f.settings.crop == "center" and cut > 0.2:
        said.append(
            f"The centre leaves out {cut:.0%} of the pictures' area: --crop fit keeps all of it, "
            "--crop tiles cuts it up."
        )
    if f.greys == count and not f.settings.grey:
        said.append("All are without colours: --mode grey draws the same with a third of the work.")
    if f.near:
        films = "; --every 5 or more takes frames that differ" if f.pictures > f.files else ""
        said.append(
            f"{len(f.near):,} look nearly like an earlier one (the report shows the most alike): "
            f"they stay, and add little{films}."
        )
    if count > COMPARED:
        said.append(f"Only the first {COMPARED:,} were compared for looking nearly the same.")
    return said


def _on_the_number(count: int) -> str:
    if count < _FEW:
        return (
            f"{count:,} pictures are very few. The critic soon knows them by heart: expect near "
            "copies of them, and drawings that get worse after a while. --augment diffaugment "
            "shows it shifted, recoloured and partly covered pictures, real and drawn alike, which "
            "puts that off; keep the generator of the best grid. More pictures help most: --crop "
            "tiles makes many of one large drawing, a film one of each frame."
        )
    if count < _SOME:
        return (
            f"{count:,} pictures are few: expect the manner of them, and here and there a copy. "
            "--augment diffaugment is worth a trial: the critic learns them less by heart."
        )
    return (
        f"{count:,} pictures are enough to begin with; from {_ENOUGH:,} on, copies are rare and "
        "drawings more varied. --augment diffaugment may still help in a long training."
    )


def _cut_off(findings: Findings) -> float:
    """The share of the pictures' area that a square in their middle leaves out, on average."""
    shares = [(1 - min(s) / max(s)) * count for s, count in findings.sizes.items()]
    return sum(shares) / findings.pictures


def next_command(findings: Findings) -> str:
    """The training to start, at the largest size that there are networks for."""
    f, count = findings, len(findings.names)
    command = ["python", "train.py", "--data", f.out, "--run-id", "0002"]
    fitting = max((size for size in SIZES if size <= f.settings.size), default=SIZES[0])
    if fitting != _PRESET_SIZE:
        command += ["--image-size", str(fitting)]
    if f.settings.grey:
        command += ["--channels", "1"]
    if count < _SOME:
        command += ["--augment", "diffaugment"]
    if count < _BATCH:
        command += ["--batch-size", str(count)]
    return shlex.join(command)
