"""The search for a picture among those of a generator: its files."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from utils.cli import stop_on_signals
from utils.drawing.films import write_film
from utils.drawing.latents import draw
from utils.drawing.layout import Layout
from utils.drawing.provenance import LoadedGenerator, save_latents
from utils.images import save_picture, to_channels

_FOUND, _COMPARISON, _COURSE, _LATENTS = "found.png", "comparison.png", "search.gif", "latents.npz"
SEARCH_FILES = _FOUND, _COMPARISON, _COURSE, _LATENTS
"""What `save_search` writes."""

_PIXELS = 256  # size of an image in the comparison and in the film, about
_FPS = 10


def save_search(
    out: str | os.PathLike,
    loaded: LoadedGenerator,
    wanted: np.ndarray,
    project: Callable[..., Any],
    name: str = "",
    starts: int = 16,
    steps: int = 400,
    seed: int = 0,
) -> Any:
    """Searches for the latents that draw a picture, and writes what is found.

    Ctrl-C and SIGTERM end the search early; the best so far is saved. The files: `found.png`;
    `comparison.png`, which shows the wanted picture, the found one and their difference;
    `search.gif`, the course of the best start; `latents.npz`.

    Args:
        out: folder, which is made if need be.
        loaded: the generator.
        wanted: the picture, uint8 (H, W, 1 or 3), of the size of the generator's images.
        project: the search, `models.search.project`: called with the network, images,
            `starts`, `steps`, `seed` and a function that says when to stop.
        name: of the picture, for `latents.npz`.
        starts: latents from which the search starts.
        steps: of the best start.
        seed: of the starts.

    Returns:
        what `project` returned: `latents`, `images`, `errors`, `history` and `times`.

    Raises:
        ValueError: as `project`.
        OSError: a file cannot be written.
    """
    out = Path(out)
    wanted = to_channels(wanted[None], loaded.image_shape[2])
    stop = threading.Event()
    with stop_on_signals(stop.set, "Stopping: the best so far is saved."):
        projection = project(loaded.network, wanted, starts, steps, seed, stop.is_set)
    image = projection.images[0]
    single = Layout(scale=None)
    loaded.provenance(projection.latents, single).save(out / _FOUND, single.picture(image[None]))
    save_picture(out / _COMPARISON, _compare(wanted[0], image, projection.errors[0]))
    save_latents(
        out / _LATENTS,
        projection.latents,
        error=projection.errors[0],
        picture=str(name),
        seed=seed,
        starts=starts,
        steps=projection.times[-1],
    )
    _save_course(out / _COURSE, loaded, wanted[0], projection)
    return projection


def _compare(wanted, found, error):
    """The wanted image, the found one and their difference in a row."""
    difference = np.abs(wanted.astype(np.int16) - found).astype(np.uint8)
    labels = ("given", f"found, {error:.1f} of 255 off", "difference")
    layout = Layout(max(1, _PIXELS // len(wanted)), columns=3, labels=labels)
    return layout.picture(np.stack([wanted, found, difference]))


def _save_course(path, loaded, wanted, projection):
    """A film of the wanted image beside the best start at each step; the end rests for a second."""
    images = draw(loaded.network, projection.history[:, 0])
    errors = np.abs(images.astype(np.int16) - wanted).mean((1, 2, 3))
    scale = max(1, _PIXELS // len(wanted))

    def frame(i):
        labels = ("given", f"step {projection.times[i]}, {errors[i]:.1f} of 255 off")
        return Layout(scale, columns=2, labels=labels).picture(np.stack([wanted, images[i]]))

    entries = [*range(len(images)), *[len(images) - 1] * _FPS]
    write_film(path, map(frame, entries), len(entries), _FPS)
