"""What the notebooks ask of Colab: Google Drive, an upload, downloads, a page in a cell."""

import importlib
import os
import shutil
import urllib.parse
from pathlib import Path
from types import ModuleType

from utils.runs import ROOT, newest_generator

MOUNT = Path("/content/drive")
FOLDER = Path("MyDrive") / "lines-wgan-gp"
"""The project's own folder below `MOUNT`."""

_HEIGHT = 900  # pixels of a page below a cell


def find_root(use_drive: bool) -> Path:
    """The folder of all runs: `run/gan` here, or the same on the person's Google Drive.

    Drive is mounted where it is not, and once more where it was and does not answer any longer.

    Raises:
        OSError: there is no Colab, the person refused, or Drive does not answer.
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
    """The generator to draw with.

    Args:
        path: of a `generator.h5`; empty for that of `utils.runs.folder.newest_generator`; `"upload"`
            lets Colab ask for one.
        root: from `find_root`.

    Raises:
        FileNotFoundError: nothing was found or uploaded.
        OSError: an upload is asked for outside Colab.
    """
    return find_file(path, "GENERATOR") if path else newest_generator(root)


def find_file(path: str | os.PathLike, setting: str) -> Path:
    """A file by its path, or, where that is `"upload"`, the one that Colab asks for.

    `setting` names what the notebook calls the path. Raises as `find_generator`.
    """
    if path != "upload":
        return Path(path)
    files = _service("files")
    if files is None:
        raise OSError(f"only Colab uploads files: set {setting} to the path of one")
    uploaded = list(files.upload())
    if not uploaded:
        raise FileNotFoundError(f"nothing was uploaded: run this cell again, or set {setting} = ''")
    return Path(uploaded[-1])


def take_home(*paths: Path) -> None:
    """Downloads files, and folders as zips, in Colab; elsewhere prints where they are.

    Raises:
        FileNotFoundError: one of them is not there; then nothing is downloaded.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: not there; run the cells above first")
    files = _service("files")
    for path in paths:
        if files is None:
            print(path.resolve())
        elif path.is_dir():
            files.download(shutil.make_archive(path.name, "zip", path))
        else:
            files.download(str(path))


def show_page(address: str) -> None:
    """Shows below the cell a page that this process serves, see `utils.watch.server.watch`.

    Colab passes it on from its machine to the browser. Elsewhere the browser asks itself, so it
    must run on the same machine as the notebook.
    """
    output = _service("output")
    if output:
        port = urllib.parse.urlsplit(address).port
        output.serve_kernel_port_as_iframe(port, height=str(_HEIGHT))
    else:
        from IPython.display import IFrame, display

        display(IFrame(address, "100%", _HEIGHT))


def _service(name: str) -> ModuleType | None:
    """`google.colab.<name>`; None outside Colab."""
    try:
        return importlib.import_module(f"google.colab.{name}")
    except ImportError:
        return None


def _answers(folder: Path) -> bool:
    try:
        os.listdir(folder)  # a mount that broke still exists, but cannot be listed
    except OSError:
        return False
    return True
