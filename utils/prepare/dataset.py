"""Makes a data set of one's own pictures: squares of one size in a zip, and a report on them."""

import contextlib
import hashlib
import os
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm.auto import tqdm

from utils.files import check_free, replacing, zip_entry
from utils.images import Palette, find_palette
from utils.messages import count, one_line
from utils.prepare.findings import Findings
from utils.prepare.lookalikes import near_duplicates
from utils.prepare.page import report_html
from utils.prepare.reading import open_source, why_skipped
from utils.prepare.squares import Result, Settings, enlarges, make_squares
from utils.sources import ImageFiles, open_picture

_LONGEST = 60  # characters of a name in the zip that come from the source's name


def prepare(
    source: str | os.PathLike,
    out: str | os.PathLike,
    settings: Settings,
    keep_duplicates: bool = False,
    overwrite: bool = True,
) -> Findings:
    """Writes a zip of square PNGs, and a report in the same folder.

    The same arguments give the same bytes with the same version of Pillow (and of ffmpeg, for
    films). The zip and the report appear only when both are complete. Shows a progress bar.

    Args:
        source: a folder that may contain folders, a zip, a film or a picture; it is only read.
        out: the zip. Its pictures are in one folder of the same name (`mine/000000_cat.png` …), and
            the report has its name too (`mine.report.html`).
        settings: how squares are made.
        keep_duplicates: keep squares that equal an earlier one.
        overwrite: replace a zip and a report that are there already.

    Returns:
        what the report says.

    Raises:
        FileNotFoundError: there is no file or folder at `source`.
        ValueError: no pictures in `source`, none that can be read, or an `out` that is not a name
            for a zip, is in `source`, or is there already.
        OSError: the disk is full or read-only.
    """
    source, out = Path(source), Path(out)
    files = open_source(source)
    _check_out(source, out)
    check_free(out, report_path(out), overwrite=overwrite)
    findings = Findings(str(source), str(out), len(files.names), settings)
    findings.skipped += [(one_line(name), why_skipped(name)) for name in files.skipped]
    with replacing(report_path(out)) as partial_report, replacing(out) as partial_zip:
        with zipfile.ZipFile(partial_zip, "w") as archive:
            _write_squares(archive, _portable(out.stem), files, findings, keep_duplicates)
        _check_not_empty(findings)
        findings.grey_range, findings.links = files.grey_range, files.describe_links()
        findings.near_duplicates = near_duplicates(findings.signatures)
        with zipfile.ZipFile(partial_zip) as archive:
            findings.palette = _palette(archive, findings.names)
            text = report_html(findings, archive)
        partial_report.write_text(text, encoding="utf-8", newline="\n")
    return findings


def report_path(out: str | os.PathLike) -> Path:
    """The path of the report on a zip."""
    return Path(out).with_suffix(".report.html")


def _check_out(source: Path, out: Path) -> None:
    if out.suffix.lower() != ".zip":
        raise ValueError(f"{out}: expected the name of a zip to write, such as mine.zip")
    if out.is_dir():
        raise ValueError(f"{out}: is a folder; expected the name of a zip to write")
    if out.parent.is_file():
        raise ValueError(f"{out}: {out.parent} is a file; expected a folder for the zip")
    absolute_out, absolute_source = out.resolve(), source.resolve()
    if absolute_out == absolute_source:
        raise ValueError(f"{out}: is the source itself; choose another name for --out")
    if absolute_source in absolute_out.parents:
        raise ValueError(
            f"{out}: lies inside {source}, which is only read; choose another folder for --out"
        )


def _check_not_empty(findings: Findings) -> None:
    if not findings.names:
        name, why = findings.unreadable[0]
        raise ValueError(
            f"{findings.source}: no readable pictures among its {count(findings.files, 'file')}; "
            f"the first, {name}: {why}"
        )


def _write_squares(
    archive: zipfile.ZipFile,
    folder: str,
    files: ImageFiles,
    findings: Findings,
    keep_duplicates: bool,
) -> None:
    """Makes squares of all files, writes them into `folder` of the zip and fills `findings`."""
    labels = {}  # of the first square with each digest
    for result in _results(files, findings.settings, folder):
        source = files.names[result.file_index]
        _record(result, source, findings)
        for square in result.squares:
            label = _label(source, result.frame_id, square.tile_id)
            digest = hashlib.blake2b(square.png, digest_size=16).digest()
            if digest in labels:
                findings.duplicates.append((label, labels[digest]))
                if not keep_duplicates:
                    findings.dropped += 1
                    continue
            labels.setdefault(digest, label)
            stem = _stem(source, result.frame_id, square.tile_id)
            name = f"{folder}/{len(findings.names):06}_{stem}.png"
            archive.writestr(zip_entry(name), square.png)
            findings.add(name, label, square)


def _palette(archive: zipfile.ZipFile, names: list[str]) -> Palette | None:
    """The colours of the squares in the finished zip, if they are few."""

    def take(indices: np.ndarray) -> np.ndarray:
        return np.stack([_read_square(archive, names[i]) for i in indices])

    return find_palette(take, len(names))


def _read_square(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """The pixels of one square, uint8 (size, size, 1 or 3)."""
    with open_picture(archive.read(name)) as image:
        return np.asarray(image).reshape(image.height, image.width, -1)


def _results(files: ImageFiles, settings: Settings, title: str) -> Iterator[Result]:
    """The results of all files, with a progress bar that counts pictures."""
    with tqdm(total=len(files.names), unit=" images", desc=title, dynamic_ncols=True) as bar:

        def found(number: int) -> None:
            bar.total += number

        with contextlib.closing(make_squares(files, settings, found)) as lists:
            for results in lists:
                bar.update(len(results))
                yield from results


def _record(result: Result, source: str, findings: Findings) -> None:
    if result.error:
        findings.unreadable.append((_label(source, result.frame_id), result.error))
        return
    findings.pictures += 1
    findings.sizes[result.width, result.height] += 1
    findings.enlarged += enlarges(result.width, result.height, findings.settings)


def _label(source: str, *ids: str) -> str:
    """Such as "b/film.mp4 f00012 r0c2", for people."""
    return " ".join(filter(None, (one_line(source), *ids)))


def _stem(source: str, *ids: str) -> str:
    """Such as "b_film_f00012_r0c2", for the zip."""
    stem = _portable(str(PurePosixPath(source).with_suffix("")))[-_LONGEST:].strip("_")
    return "_".join(filter(None, (stem, *ids)))


def _portable(text: str) -> str:
    """`text` with "_" for all but letters and digits of any script: a name for every system."""
    text = unicodedata.normalize("NFC", text)
    return "".join(
        character if character.isalnum() or character in "-." else "_" for character in text
    )
