"""A Drive that is a folder; `COLAB_DRIVE` tells how it fails."""

import os
from pathlib import Path

from google.colab import record


def mount(mountpoint, force_remount=False, timeout_ms=120000, readonly=False):
    record("mount", mountpoint, force_remount)
    state = os.environ.get("COLAB_DRIVE", "")
    if state == "refused":
        raise RuntimeError("Error: credential propagation\nwas unsuccessful")
    if state == "broken" or (state == "stale" and not force_remount):
        return
    (Path(mountpoint) / "MyDrive").mkdir(parents=True, exist_ok=True)
