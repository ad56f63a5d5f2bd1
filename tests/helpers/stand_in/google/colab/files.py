"""Uploads the file named by `COLAB_UPLOAD`, as Colab does: into the working folder."""

import os
import shutil
from pathlib import Path

from google.colab import record


def upload():
    chosen = os.environ.get("COLAB_UPLOAD")
    record("upload", chosen)
    return {} if chosen is None else {Path(shutil.copy(chosen, ".")).name: b""}


def download(filename):
    if not os.path.exists(filename):
        raise FileNotFoundError(f"Cannot find file: {filename}")
    record("download", os.path.basename(filename))
