"""Makes a data set of one's own pictures: squares of one size in a zip, and a report on them."""

import contextlib
import hashlib
import os
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tqdm.auto import tqdm

from utils.files import replacing
from utils.messages import one_line
from utils.prepare.findings import Findings
from utils.prepare.lookalikes import near_pairs
from utils.prepare.page import page
from utils.prepare.reading import OneFile, is_film, open_source, why_passed_over
from utils.prepare.squares import Done, Settings, enlarges, work
from utils.sources import ImageFiles

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold
_LONGEST = 60  # letters of a name in the zip that come from the source's


def prepare(
    source: str | os.PathLike,
    out: str | os.PathLike,
    settings: Settings,
    keep_duplicates: bool = False,
) -> Findings:
    """Writes a zip of PNGs and, beside it, a report.

    The same arguments give the same bytes where Pillow's version is the same (and ffmpeg's, for
    films). Both files appear under their names only when both are complete. Shows a progress bar.

    Args:
        source: a folder that may hold folders, a zip, a film or a picture; it is only read.
        out: the zip; its pictures lie in one folder named after it (`mine/000000_cat.png` …), the
            report is called after it too (`mine.report.html`).
        settings: what the pictures are made into.
        keep_duplicates: keep a picture that equals an earlier one once both are squares.

    Returns:
        what the report tells.

    Raises:
        FileNotFoundError: nothing stands at `source`.
        ValueError: no pictures in it, none that can be read, or an `out` that is no name for a zip
            or lies in `source`.
        OSError: the disk is full or read-only.
    """
    source, out = Path(source), Path(out)
    files = open_source(source)
    _check_out(source, out)
    findings = Findings(str(source), str(out), len(files.names), settings)
    findings.passed_over += [(one_line(name), why_passed_over(name)) for name in files.skipped]
    with replacing(report_path(out)) as report, replacing(out) as beside:
        with zipfile.ZipFile(beside, "w") as archive:
            _write(archive, _clean(out.stem), files, findings, keep_duplicates)
        _check_some(findings)
        findings.near = near_pairs(findings.looks)
        with zipfile.ZipFile(beside) as archive:
            report.write_text(page(findings, archive), encoding="utf-8", newline="\n")
    return findings


def report_path(out: str | os.PathLike) -> Path:
    """Where the report on a zip stands."""
    return Path(out).with_suffix(".report.html")


def _check_some(findings: Findings) -> None:
    if not findings.names:
        name, why = findings.bad[0]
        raise ValueError(
            f"{findings.source}: none of its {findings.files} pictures can be read; the first, "
            f"{name}: {why}"
        )


def _check_out(source: Path, out: Path) -> None:
    if out.suffix.lower() != ".zip":
        raise ValueError(f"{out}: expected the name of a zip to write, such as mine.zip")
    if out.is_dir():
        raise ValueError(f"{out}: is a folder; expected the name of a zip to write")
    if out.parent.is_file():
        raise ValueError(f"{out}: {out.parent} is a file; expected a folder for the zip")
    ours, theirs = out.resolve(), source.resolve()
    if ours == theirs:
        raise ValueError(f"{out}: is the source itself; choose another name for --out")
    if theirs in ours.parents:
        raise ValueError(f"{out}: lies inside {source}, where nothing is changed; choose another")


def _write(
    archive: zipfile.ZipFile,
    folder: str,
    files: ImageFiles | OneFile,
    findings: Findings,
    keep_duplicates: bool,
) -> None:
    seen = {}
    for done in _with_progress(files, findings.settings, folder):
        source = files.names[done.file]
        _note(done, source, findings)
        for square in done.squares:
            label = _label(source, done.mark, square.mark)
            digest = hashlib.blake2b(square.png, digest_size=16).digest()
            if digest in seen:
                findings.duplicates.append((label, seen[digest]))
                if not keep_duplicates:
                    findings.dropped += 1
                    continue
            seen.setdefault(digest, label)
            stem = _name(source, done.mark, square.mark)
            name = f"{folder}/{len(findings.names):06}_{stem}.png"
            archive.writestr(_entry(name), square.png)
            findings.keep(name, label, square)


def _with_progress(files: ImageFiles | OneFile, settings: Settings, title: str) -> Iterator[Done]:
    with tqdm(total=len(files.names), unit=" images", desc=title, dynamic_ncols=True) as bar:

        def expected(count: int) -> None:
            bar.total += max(0, count - 1)

        with contextlib.closing(work(files, settings, expected)) as results:
            for all_done in results:
                # Of an animation or of pages, which nobody counted before.
                if all_done and not is_film(files.names[all_done[0].file]):
                    bar.total += len(all_done) - 1
                bar.update(len(all_done))
                yield from all_done


def _note(done: Done, source: str, findings: Findings) -> None:
    if done.fault:
        findings.bad.append((_label(source, done.mark), done.fault))
        return
    s = findings.settings
    findings.pictures += 1
    findings.sizes[done.width, done.height] += 1
    findings.enlarged += enlarges(done.width, done.height, s.size, s.crop)


def _label(source: str, *marks: str) -> str:
    return " ".join(filter(None, (one_line(source), *marks)))


def _name(source: str, *marks: str) -> str:
    stem = _clean(str(PurePosixPath(source).with_suffix("")))[-_LONGEST:].strip("_")
    return "_".join(filter(None, (stem, *marks)))


def _clean(text: str) -> str:
    """Letters and digits of any script, as every system can unpack them."""
    text = unicodedata.normalize("NFC", text)
    return "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in text)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system = 3  # as on Linux, wherever it is written
    entry.external_attr = 0o100644 << 16
    return entry
