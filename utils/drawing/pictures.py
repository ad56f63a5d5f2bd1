"""Pictures with their provenance: one by one, as a grid, mixed; and many, plain, in a zip."""

import dataclasses
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from utils.drawing.chosen import Chosen, chosen
from utils.drawing.latents import draw, draw_in_batches
from utils.drawing.layout import Layout
from utils.drawing.provenance import LoadedGenerator, save_latents
from utils.drawing.selection import Selection
from utils.drawing.walks import mix
from utils.files import replacing, zip_entry
from utils.images import to_picture

_MOST_IN_A_GRID = 1000


def save_images(
    out: str | os.PathLike,
    loaded: LoadedGenerator,
    seeds: str | Chosen,
    layout: Layout | None = None,
    columns: int = 5,
    labels: bool = False,
    truncation: float = 1,
    selection: Selection | None = None,
) -> Path | None:
    """Writes a PNG for each image, `grid.png` of up to 1,000 images, and `latents.npz`.

    The PNGs are `seed_<n>.png` of seeds, and `latents_<i>.png` of latents from files.

    With a `selection`, all images are drawn, but only those that it keeps are written, in the order
    of `seeds`. Their files are the same as without it; `latents.npz` also has their `scores`.

    Args:
        out: folder, which is made if need be.
        loaded: the generator.
        seeds: text for `parse_seeds`, such as `"0-24,100"`, or what `Chosen.of` returns.
        layout: of each image; `columns` and `labels` are for the grid alone. None for images of
            about 512 pixels and a grid of about 1,024.
        columns: of the grid.
        labels: whether the grid shows the seeds.
        truncation: see `truncate`.
        selection: which of the images are written; None for all.

    Returns:
        path of `grid.png`, or None if there are too many images for one.

    Raises:
        ValueError: as `parse_seeds`, `Chosen.latents` and `Selection.scores`, or too large a
            picture.
        OSError: a file cannot be written.
    """
    out, images = Path(out), chosen(seeds)
    written = selection.count(len(images)) if selection else len(images)
    single = dataclasses.replace(layout or Layout(scale=None), columns=None, labels=())
    grid = dataclasses.replace(single, columns=columns)
    single.check((1, *loaded.image_shape))
    has_grid = written <= _MOST_IN_A_GRID
    if has_grid:
        grid.check((written, *loaded.image_shape))
    z = images.latents(loaded, truncation)
    about = {}
    if selection:
        scores = selection.scores(loaded, z)
        kept = selection.best(scores)
        images, z = images.take(kept), z[kept]
        about = {"scores": scores[kept]}
    out.mkdir(parents=True, exist_ok=True)
    drawn = (image for batch in draw_in_batches(loaded.network, z) for image in batch)
    grid_images = []
    each = zip(images.names, images.seed_texts, z, drawn, strict=True)
    for name, seed, latents, image in tqdm(each, total=len(images), unit=" images"):
        provenance = loaded.provenance(latents[None], single, seed)
        provenance.save(out / f"{name}.png", single.picture(image[None]))
        if has_grid:
            grid_images.append(image)
    save_latents(out / "latents.npz", z, truncation=truncation, **images.about(), **about)
    if not has_grid:
        return None
    grid = dataclasses.replace(grid, labels=tuple(images.labels) if labels else ())
    picture = grid.picture(np.stack(grid_images))
    loaded.provenance(z, grid, images.seed_text).save(out / "grid.png", picture)
    return out / "grid.png"


def save_zip(
    out: str | os.PathLike,
    loaded: LoadedGenerator,
    seeds: str | Chosen,
    layout: Layout | None = None,
    truncation: float = 1,
    selection: Selection | None = None,
) -> int:
    """Writes a zip of PNGs for programs that compute FID or KID: `00000.png`, `00001.png` …

    The PNGs are in the order of `seeds`, and hold nothing but pixels. The same arguments give the
    same bytes with the same versions of Pillow and of the framework. Memory holds 1,024 latents and
    16 images at a time, without a `selection`. Shows a progress bar.

    Args:
        out: path of the zip; it appears when it is complete.
        loaded, seeds, truncation, selection: as for `save_images`.
        layout: of each image; None for its own pixels.

    Returns:
        the number of images.

    Raises:
        ValueError, OSError: as `save_images`.
    """
    out, images, layout = Path(out), chosen(seeds), layout or Layout()
    layout.check((1, *loaded.image_shape))
    if selection:
        scores = selection.scores(loaded, images.latents(loaded, truncation))
        images = images.take(selection.best(scores))
    digits = max(5, len(str(len(images) - 1)))
    drawn = _drawn(loaded, images, truncation)
    progress = tqdm(drawn, total=len(images), unit=" images", desc=out.name, dynamic_ncols=True)
    with replacing(out) as partial, zipfile.ZipFile(partial, "w") as archive:
        for i, image in enumerate(progress):
            file = io.BytesIO()
            to_picture(layout.picture(image[None])).save(file, "PNG")
            archive.writestr(zip_entry(f"{i:0{digits}}.png"), file.getvalue())
    return len(images)


def _drawn(loaded: LoadedGenerator, images: Chosen, truncation: float) -> Iterator[np.ndarray]:
    """Yields the images one by one, uint8 (H, W, C)."""
    for z in images.in_parts(loaded, truncation):
        for batch in draw_in_batches(loaded.network, z):
            yield from batch


def save_mix(
    out: str | os.PathLike,
    loaded: LoadedGenerator,
    seeds: str | Chosen,
    weights: list[float] | None = None,
    layout: Layout | None = None,
    truncation: float = 1,
) -> tuple[Path, Path]:
    """Writes the weighted sum of several images' latents as one image; see `mix`.

    Args:
        out: path of the PNG. `<name>_row.png` shows the images and the mixture in a row;
            `<name>.npz` has the latents of that row, the seeds and the weights.
        loaded: the generator.
        seeds: text for `parse_seeds`, or what `Chosen.of` returns.
        weights: one for each image; None for equal weights.
        layout: of each image; None for one of about 512 pixels and a row of about 1,024.
        truncation: see `truncate`.

    Returns:
        paths of the row and of the latents.

    Raises:
        ValueError: as `parse_seeds`, `Chosen.latents` and `mix`, or too large a picture.
        OSError: a file cannot be written.
    """
    out, parts = Path(out), chosen(seeds)
    weights = weights or [1.0] * len(parts)
    z = parts.latents(loaded, truncation)
    mixture = mix(z, weights, loaded.groups)
    latents = np.concatenate([z, mixture[None]])
    texts = [f"{weight:g} × {label}" for weight, label in zip(weights, parts.labels, strict=True)]
    single = dataclasses.replace(layout or Layout(scale=None), columns=None, labels=())
    row = dataclasses.replace(single, columns=len(latents), labels=(*texts, "mix"))
    row.check((len(latents), *loaded.image_shape))
    images = draw(loaded.network, latents)
    row_file, latents_file = out.with_stem(f"{out.stem}_row"), out.with_suffix(".npz")
    loaded.provenance(mixture[None], single).save(out, single.picture(images[-1:]))
    loaded.provenance(latents, row).save(row_file, row.picture(images))
    save_latents(latents_file, latents, weights=weights, **parts.about())
    return row_file, latents_file
