"""Films that a generator draws: walks, orbits; and of its training: histories."""

import dataclasses
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils.drawing.chosen import Chosen, chosen
from utils.drawing.films import check_frame, open_film, playable_rate, progress, write_film
from utils.drawing.latents import draw
from utils.drawing.layout import Layout, enlarge, label, scale_for
from utils.drawing.provenance import LoadedGenerator, save_latents
from utils.drawing.walks import film_latents, orbit, walk
from utils.sources import open_picture


@dataclasses.dataclass(frozen=True)
class FilmOptions:
    """Length and size of a film.

    Attributes:
        seconds: in all; None for 2 seconds between two images of a walk, 6 seconds of an orbit, and
            longer where more than two or three groups of categorical latents change.
        fps: frames per second; a GIF's are rounded to hundredths of a second per frame, and at most
            50.
        scale: pixels of the film per pixel of an image; None for about 512 pixels in all.
        resampling: see `utils.drawing.layout.RESAMPLINGS`.

    Raises:
        ValueError: seconds or fps that are not positive and finite.
    """

    seconds: float | None = None
    fps: float = 25
    scale: int | None = None
    resampling: str = "nearest"

    def __post_init__(self):
        for name, value in (("seconds", self.seconds), ("fps", self.fps)):
            if value is not None and not 0 < value < np.inf:
                raise ValueError(f"{name}: expected a positive number, received {value!r}")


class SavedFilm(NamedTuple):
    """A film that was written: its number of frames, their seconds, the file of their latents."""

    frames: int
    seconds: float
    latents: Path


def save_walk(
    out: str | os.PathLike,
    loaded: LoadedGenerator,
    seeds: str | Chosen,
    options: FilmOptions | None = None,
    truncation: float = 1,
    path: str = "sphere",
    easing: str = "smooth",
    loop: bool = False,
) -> SavedFilm:
    """Writes a film that goes from image to image, and the latents of its frames.

    The latents are in `<name>.npz`, or in `latents.npz` in a folder of frames.

    Args:
        out: path of the film, as in `write_film`.
        loaded: the generator.
        seeds: text for `parse_seeds`, or what `Chosen.of` returns; two images or more.
        options: length and size.
        truncation: see `truncate`.
        path: see `walk`.
        easing: see `walk`.
        loop: whether the film returns to the first image.

    Raises:
        ValueError: as `parse_seeds`, `Chosen.latents`, `walk` and `write_film`, or too large a
            picture.
        OSError: a file cannot be written.
    """
    images = chosen(seeds)
    z = images.latents(loaded, truncation)
    options = options or FilmOptions()
    steps = len(images) if loop else len(images) - 1
    seconds = options.seconds or steps * _seconds_of_a_step(loaded)

    def path_at(t):
        return walk(z, t, path, easing, loop, loaded.groups)

    return _save_film(out, loaded, path_at, loop, seconds, options, images)


def save_orbit(
    out: str | os.PathLike,
    loaded: LoadedGenerator,
    seeds: str | Chosen,
    options: FilmOptions | None = None,
    truncation: float = 1,
    radius: float = 0.5,
) -> SavedFilm:
    """Writes a film that circles around one image, a loop, and the latents of its frames.

    Args:
        out: path of the film, as in `save_walk`.
        loaded: the generator.
        seeds: of the one image in the centre: text for `parse_seeds`, or what `Chosen.of` returns.
        options: length and size.
        truncation: see `truncate`.
        radius: see `orbit`.

    Raises:
        ValueError: as `Chosen.latents`, `orbit` and `write_film`, more than one image, or too large
            a picture.
        OSError: a file cannot be written.
    """
    centre = chosen(seeds)
    if len(centre) != 1:
        raise ValueError(f"an orbit goes around one image, received {len(centre):,}")
    (z,) = centre.latents(loaded, truncation)
    plane = centre.seeds[0] if centre.seeds else 0
    options = options or FilmOptions()

    def path_at(t):
        return orbit(z, t, radius, plane, loaded.groups)

    seconds = options.seconds or max(6, 2 * _seconds_of_a_step(loaded))  # there and back
    return _save_film(out, loaded, path_at, True, seconds, options, centre)


def _seconds_of_a_step(loaded):
    """2 s; with categorical latents at least 1 s for each group that changes."""
    return max(2, loaded.groups.shape[0]) if loaded.groups else 2


def _save_film(out, loaded, path_at, loop, seconds, options, images):
    """Draws each frame once: into the film, with its provenance, and into the file of latents."""
    out = Path(out)
    shape = (1, *loaded.image_shape)
    layout = Layout(options.scale, options.resampling).sized(shape)
    layout.check(shape)
    height, width, _ = loaded.image_shape
    check_frame(out, width * layout.scale, height * layout.scale)
    path_at(np.zeros(1))  # raises before the film begins
    fps = playable_rate(out, options.fps)
    count = max(2, round(fps * seconds))
    latents = np.empty((count, loaded.z_dim), np.float32)
    frames = draw_frames(loaded, film_latents(path_at, count, loop), layout)
    with open_film(out, fps) as add:
        for i, (z, picture) in enumerate(progress(frames, count, out)):
            latents[i] = z
            add(picture, loaded.provenance(z[None], layout))
    file = out.with_suffix(".npz") if out.suffix else out / "latents.npz"
    save_latents(file, latents, fps=fps, **images.about())
    return SavedFilm(count, count / fps, file)


def draw_frames(
    loaded: LoadedGenerator, chunks: Iterable[np.ndarray], layout: Layout
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields (latents (z_dim,), picture) of each frame, for chunks of latents (n, z_dim)."""
    for chunk in chunks:
        for z, image in zip(chunk, draw(loaded.network, chunk), strict=True):
            yield z, layout.picture(image[None])


def save_history(
    out: str | os.PathLike,
    samples: list[tuple[int, Path]],
    fps: float = 5,
    scale: int | None = None,
    resampling: str = "nearest",
) -> None:
    """Writes a film of a run's sample grids; the last one rests for two seconds.

    Args:
        out: path of the film, as in `write_film`.
        samples: (epoch, path of a PNG) in the order of epochs, at least one, all of one size.
        fps: samples per second.
        scale: pixels of the film per pixel of a grid; None for about 512 pixels in all.
        resampling: see `utils.drawing.layout.RESAMPLINGS`.

    Raises:
        ValueError: samples of different sizes, or as `write_film`.
        OSError: a file cannot be read or written.
    """
    with open_picture(samples[0][1], ("PNG",)) as image:
        size = image.size
    scale = scale or scale_for(max(size))
    check_frame(out, *(side * scale for side in size))

    def frame(epoch, path):
        with open_picture(path, ("PNG",)) as image:
            if image.size != size:
                raise ValueError(
                    f"{path}: expected {size[0]}×{size[1]} pixels as in the first sample, "
                    f"received {image.size[0]}×{image.size[1]}"
                )
            pixels = np.asarray(image.convert("RGB"))
        return label(enlarge(pixels, scale, resampling), f"epoch {epoch}")

    fps = playable_rate(out, fps)
    shown = samples + [samples[-1]] * round(2 * fps)
    write_film(out, (frame(*sample) for sample in shown), len(shown), fps)
