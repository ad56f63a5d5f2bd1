"""Files and folders of the notebooks, here and in Colab: Google Drive, uploads, downloads."""

import importlib
import os
import shutil
import urllib.parse
from pathlib import Path
from types import ModuleType

import numpy as np

from utils.loaders import read_images, read_picture
from utils.runs import ROOT, newest_generator

MOUNT = Path("/content/drive")
FOLDER = Path("MyDrive") / "lines-wgan-gp"
"""The project's folder below `MOUNT`."""

_HEIGHT = 900  # pixels, of a page below a cell


def find_root(use_drive: bool) -> Path:
    """Finds the folder of all runs: `run/gan` here, or the same folder on the user's Google Drive.

    Drive is mounted if need be, and mounted again if it was mounted but does not answer.

    Raises:
        OSError: this is not Colab, the user refused, or Drive does not answer.
    """
    if not use_drive:
        return ROOT
    drive = _service("drive")
    if drive is None:
        raise OSError("USE_DRIVE is True, but only Colab has Google Drive: set USE_DRIVE = False")
    for force in (False, True):
        try:
            drive.mount(str(MOUNT), force_remount=force)
        except Exception as error:  # Colab's own classes, ValueError and others
            raise OSError(
                f"Google Drive was not mounted at {MOUNT} ({' '.join(str(error).split())}): run "
                "this cell again and allow access, or set USE_DRIVE = False"
            ) from error
        if _answers(MOUNT / FOLDER.parent):
            return MOUNT / FOLDER / ROOT
    raise OSError(
        f"{MOUNT / FOLDER.parent}: Google Drive is mounted but does not answer: restart the "
        "session and run all cells again, or set USE_DRIVE = False"
    )


def find_generator(path: str | os.PathLike, root: Path) -> Path:
    """Finds the generator to draw with.

    Args:
        path: of a `generator.h5`; empty for the newest one (`utils.runs.newest_generator`);
            `"upload"` makes Colab ask the user for one.
        root: from `find_root`.

    Raises:
        FileNotFoundError: nothing was found or uploaded.
        OSError: `"upload"` outside Colab.
    """
    return find_file(path, "GENERATOR") if path else newest_generator(root)


def find_picture(path: str | os.PathLike, image_size: int | tuple[int, int]) -> np.ndarray:
    """Reads a picture to search for: uint8 (H, W, 3).

    Args:
        path: of a picture; empty for the first image of `output.zip`; `"upload"` makes Colab ask
            the user for one.
        image_size: (height, width) in pixels, or the side of a square; the picture is cropped and
            resized.

    Raises:
        FileNotFoundError, OSError: as `find_generator`.
        ValueError: the picture does not decode.
    """
    if path:
        return read_picture(find_file(path, "PICTURE"), image_size)
    return read_images("output.zip", image_size, 1)[0]


def find_file(path: str | os.PathLike, setting: str) -> Path:
    """Returns `path`, or, where that is `"upload"`, the file that the user uploads to Colab.

    `setting` is the notebook's name for the path. Raises as `find_generator`.
    """
    return upload(setting)[-1] if path == "upload" else Path(path)


def upload(setting: str, folder: str | os.PathLike = ".") -> list[Path]:
    """Makes Colab ask the user for files, and returns them, in `folder`.

    `setting` is the notebook's name for them. Raises as `find_generator`.
    """
    files = _service("files")
    if files is None:
        raise OSError(f'{setting} is "upload", but only Colab uploads files: set it to a path')
    before = os.getcwd()
    os.chdir(folder)  # Colab writes them where the program is
    try:
        uploaded = list(files.upload())
    finally:
        os.chdir(before)
    if not uploaded:
        raise FileNotFoundError(f"nothing was uploaded: run this cell again, or set {setting} = ''")
    return [Path(folder) / name for name in uploaded]


def describe_device(kind: str, name: str) -> str:
    """What a training will run on, and how to get a GPU where there is none: one or two sentences.

    Args:
        kind, name: from `models.engines`: such as "GPU" and "Tesla T4", or "CPU" and "".
    """
    if kind != "CPU":
        return f"{kind}: {name}." if name else f"There is a {kind}."
    if _service("files"):
        return (
            "No GPU: a training takes many times as long. Choose Runtime → Change runtime type → "
            "T4 GPU, then Runtime → Run all. Where Colab has none left, your own pictures train "
            "without one, too: set IMAGE_SIZE = 64."
        )
    return (
        "No GPU was found: the CPU trains, which takes many times as long. docs/training.md says "
        "how to use a GPU; Colab lends one."
    )


def take_home(*paths: Path) -> None:
    """Downloads files, and folders as zips, in Colab; elsewhere prints their paths.

    Raises:
        FileNotFoundError: one of them is missing; then nothing is downloaded.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file; run the cells above first")
    files = _service("files")
    for path in paths:
        if files is None:
            print(path.resolve())
        elif path.is_dir():
            files.download(shutil.make_archive(path.name, "zip", path))
        else:
            files.download(str(path))


def show_page(address: str) -> None:
    """Shows a page that this process serves below the cell; see `utils.watch.watch`.

    Colab forwards the page to the browser. Elsewhere the browser must run on the same machine as
    the notebook.
    """
    output = _service("output")
    if output:
        port = urllib.parse.urlsplit(address).port
        output.serve_kernel_port_as_iframe(port, height=str(_HEIGHT))
    else:
        from IPython.display import IFrame, display

        display(IFrame(address, "100%", _HEIGHT))


def _service(name: str) -> ModuleType | None:
    """Returns the module `google.colab.<name>`, or None outside Colab."""
    try:
        return importlib.import_module(f"google.colab.{name}")
    except ImportError:
        return None


def _answers(folder: Path) -> bool:
    try:
        os.listdir(folder)  # a broken mount still exists, but cannot be listed
    except OSError:
        return False
    return True
