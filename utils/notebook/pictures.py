"""One's own pictures in a notebook: uploaded or found, made a data set, and the report shown."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from utils.loaders import read_images
from utils.notebook.colab import MOUNT, upload
from utils.notebook.views import show_report
from utils.prepare import Settings, prepare, report_path, summary
from utils.runs import run_folder


def own_pictures(
    pictures: str | os.PathLike, run_id: str, image_size: int, root: str | os.PathLike
) -> Path:
    """Makes a data set of one's own pictures, as `python -m utils.prepare` does.

    Prints a summary and shows the report. The data set stays beside the runs: a session that
    continues takes it as it is, and asks for nothing.

    Args:
        pictures: a folder, a zip, a film or a picture; `"upload"` makes Colab ask the user for
            pictures, or for one zip of them.
        run_id: of the run that trains on them. Each has a data set of its own.
        image_size: width and height of the squares in pixels.
        root: of the runs, from `find_root`.

    Returns:
        the zip, `run/data/<run_id>/<name of the pictures>.zip`.

    Raises:
        FileNotFoundError, OSError: as `find_generator`.
        ValueError: the data set that is there has another size; or no pictures, or none that can
            be read.
    """
    name = "mine" if pictures == "upload" else _name(Path(pictures))
    run_folder(run_id, name)  # refuses an id that is not one name
    out = Path(root).parent / "data" / run_id / f"{name}.zip"
    if out.exists():
        _check_size(out, image_size)
        print(f"{out}: prepared earlier. For other pictures, choose another RUN_ID.")
    else:
        with _source(pictures) as source:
            print(summary(prepare(source, out, Settings(image_size))))
    if report_path(out).exists():
        show_report(report_path(out))
    return out


def _name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _check_size(data: Path, image_size: int) -> None:
    (image,) = read_images(data, count=1)
    if len(image) != image_size:
        raise ValueError(
            f"{data}: was prepared for {len(image)} pixels; set IMAGE_SIZE = {len(image)}, or "
            "choose another RUN_ID"
        )


@contextlib.contextmanager
def _source(pictures: str | os.PathLike) -> Iterator[Path]:
    """Where the pictures are, for the block."""
    if pictures != "upload":
        path = Path(pictures)
        if path.is_relative_to(MOUNT) and not path.exists() and not any(MOUNT.glob("*")):
            raise OSError(f"{path}: Google Drive is not mounted: set USE_DRIVE = True")
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        files = upload("PICTURES", folder)
        zips = [file.name for file in files if file.suffix.lower() == ".zip"]
        if zips and len(files) > 1:
            raise ValueError(
                f"{zips[0]} was uploaded with other files: run this cell again with pictures "
                "alone, or with one zip of all"
            )
        yield files[0] if zips else Path(folder)
