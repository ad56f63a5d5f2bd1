"""Pictures of seeds, with their provenance: one by one, as a grid, mixed."""

import dataclasses
import os
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from utils.drawing.latents import draw, draw_in_batches, parse_seeds, seed_latents
from utils.drawing.layout import Layout
from utils.drawing.provenance import LoadedGenerator, save_latents
from utils.drawing.selection import Selection
from utils.drawing.walks import mix

_MOST_IN_A_GRID = 1000


def save_images(
    out: str | os.PathLike,
    loaded: LoadedGenerator,
    seeds: str,
    layout: Layout | None = None,
    columns: int = 5,
    labels: bool = False,
    truncation: float = 1,
    selection: Selection | None = None,
) -> Path | None:
    """Writes `seed_<n>.png` for each seed, `grid.png` of up to 1,000 seeds, and `latents.npz`.

    With a `selection`, all seeds are drawn, but only those that it keeps are written, in the order
    of `seeds`. Their files are the same as without it; `latents.npz` also has their `scores`.

    Args:
        out: folder, which is made if need be.
        loaded: the generator.
        seeds: text for `parse_seeds`, such as `"0-24,100"`.
        layout: of each image; `columns` and `labels` are for the grid alone.
        columns: of the grid.
        labels: whether the grid shows the seeds.
        truncation: see `seed_latents`.
        selection: which of the seeds are written; None for all.

    Returns:
        path of `grid.png`, or None if there are too many seeds for one.

    Raises:
        ValueError: as `parse_seeds` and `Selection.scores`, or too large a picture.
        OSError: a file cannot be written.
    """
    out = Path(out)
    numbers = parse_seeds(seeds)
    written = selection.count(len(numbers)) if selection else len(numbers)
    single = dataclasses.replace(layout or Layout(), columns=None, labels=())
    grid = dataclasses.replace(single, columns=columns)
    single.check((1, *loaded.image_shape))
    has_grid = written <= _MOST_IN_A_GRID
    if has_grid:
        grid.check((written, *loaded.image_shape))
    z = seed_latents(numbers, loaded.z_dim, truncation)
    about = {}
    if selection:
        scores = selection.scores(loaded, z)
        kept = selection.best(scores)
        numbers, z = [numbers[i] for i in kept], z[kept]
        about = {"scores": scores[kept]}
        seeds = ",".join(map(str, numbers))
    out.mkdir(parents=True, exist_ok=True)
    drawn = (image for batch in draw_in_batches(loaded.network, z) for image in batch)
    grid_images = []
    progress = tqdm(zip(numbers, z, drawn, strict=True), total=len(numbers), unit=" images")
    for seed, latents, image in progress:
        provenance = loaded.provenance(latents[None], single, str(seed))
        provenance.save(out / f"seed_{seed}.png", single.picture(image[None]))
        if has_grid:
            grid_images.append(image)
    save_latents(out / "latents.npz", z, seeds=numbers, truncation=truncation, **about)
    if not has_grid:
        return None
    grid = dataclasses.replace(grid, labels=tuple(map(str, numbers)) if labels else ())
    picture = grid.picture(np.stack(grid_images))
    loaded.provenance(z, grid, seeds).save(out / "grid.png", picture)
    return out / "grid.png"


def save_mix(
    out: str | os.PathLike,
    loaded: LoadedGenerator,
    seeds: str,
    weights: list[float] | None = None,
    layout: Layout | None = None,
    truncation: float = 1,
) -> tuple[Path, Path]:
    """Writes the weighted sum of several seeds as one image.

    Args:
        out: path of the PNG. `<name>_row.png` shows the seeds' images and the mixture in a row;
            `<name>.npz` has the latents of that row, the seeds and the weights.
        loaded: the generator.
        seeds: text for `parse_seeds`.
        weights: one for each seed; None for equal weights.
        layout: of each image.
        truncation: see `seed_latents`.

    Returns:
        paths of the row and of the latents.

    Raises:
        ValueError: as `parse_seeds` and `mix`, or too large a picture.
        OSError: a file cannot be written.
    """
    out = Path(out)
    numbers = parse_seeds(seeds)
    weights = weights or [1.0] * len(numbers)
    z = seed_latents(numbers, loaded.z_dim, truncation)
    mixture = mix(z, weights)
    latents = np.concatenate([z, mixture[None]])
    texts = [f"{weight:g} × {seed}" for weight, seed in zip(weights, numbers, strict=True)]
    single = dataclasses.replace(layout or Layout(), columns=None, labels=())
    row = dataclasses.replace(single, columns=len(latents), labels=(*texts, "mix"))
    row.check((len(latents), *loaded.image_shape))
    images = draw(loaded.network, latents)
    row_file, latents_file = out.with_stem(f"{out.stem}_row"), out.with_suffix(".npz")
    loaded.provenance(mixture[None], single).save(out, single.picture(images[-1:]))
    loaded.provenance(latents, row).save(row_file, row.picture(images))
    save_latents(latents_file, latents, seeds=numbers, weights=weights)
    return row_file, latents_file
