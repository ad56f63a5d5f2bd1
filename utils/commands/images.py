"""Subcommands that make pictures: `images`, `mix`, `nearest`, `again`."""

from pathlib import Path

from utils import cli
from utils.commands import add_drawing, add_enlargement, add_generator, open_drawing, subcommand

_MOST_IN_A_GRID = 1000


def add(commands) -> None:
    """Adds the subcommands."""
    for add_one in (_add_images, _add_mix, _add_nearest, _add_again):
        add_one(commands)


def _add_images(commands):
    images = subcommand(
        commands,
        "images",
        "one PNG per seed and a grid of all",
        "--seeds 0-24 --columns 5 --labels\n"
        "--generator generator.h5 --seeds 7,100-103 --out new/\n"
        "--seeds 7 --scale 32 --resampling lanczos     for print: 64 pixels become 2,048\n"
        "--seeds 7 --transparent                       without the black paper",
        _images,
    )
    add_drawing(images, "0-24")
    images.add_argument("--columns", type=cli.whole(), default=5, help="of the grid")
    images.add_argument("--labels", action="store_true", help="write the seeds into the grid")
    add_enlargement(images, 1)
    images.add_argument(
        "--transparent",
        nargs="?",
        const="black",
        choices=("black", "white"),
        help="take the paper of this colour away (black, if none is named)",
    )
    images.add_argument("--out", default="new", help="folder for the images")


def _add_mix(commands):
    mixed = subcommand(
        commands,
        "mix",
        "the weighted sum of several seeds as one image",
        "--seeds 3,8                          halfway between two images\n"
        "--seeds 3,8,12 --weights 1 -1 0.5    3 without 8, and a little of 12",
        _mix,
    )
    add_drawing(mixed, "3,8")
    mixed.add_argument("--weights", type=float, nargs="+", help="one per seed; None: all the same")
    add_enlargement(mixed, 1)
    mixed.add_argument("--out", type=cli.png, default="new/mix.png", help="the picture to write")


def _add_nearest(commands):
    near = subcommand(
        commands,
        "nearest",
        "the training images nearest to those of given seeds, side by side",
        "--seeds 0-7 --data output.zip\n--generator generator.h5 --seeds 7 --data drawings/",
        _nearest,
    )
    add_drawing(near, "0-7")
    near.add_argument("--data", default="output.zip", help="the training images: a zip or a folder")
    near.add_argument("--out", type=cli.png, default="new/nearest.png", help="the picture to write")


def _add_again(commands):
    again = subcommand(
        commands,
        "again",
        "a picture made once more from what is written in it",
        "new/seed_7.png\nnew/seed_7.png --generator better.h5 --out better.png",
        _again,
    )
    again.add_argument("picture", help="a PNG by generate.py")
    add_generator(again)
    again.add_argument("--out", type=cli.png, help="None: the picture's name with _again added")


def _images(arguments):
    """One PNG per seed (`seed_<n>.png`), `grid.png` and `latents.npz`."""
    import dataclasses

    import numpy as np
    from tqdm.auto import tqdm

    from utils.drawing import Look, Recipe, digest, draw_in_batches, save_latents

    out = Path(arguments.out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; expected a folder for the images (--out)")
    path, generator, seeds, z = open_drawing(arguments)
    shape = generator.output_shape[1:]
    look = Look(arguments.scale, arguments.resampling, arguments.transparent)
    look.check((1, *shape))
    labels = tuple(map(str, seeds)) if arguments.labels else ()
    sheet = dataclasses.replace(look, columns=arguments.columns, labels=labels)
    with_grid = len(seeds) <= _MOST_IN_A_GRID
    if with_grid:
        sheet.check((len(seeds), *shape))
    out.mkdir(parents=True, exist_ok=True)
    of, kept = (str(path), digest(path)), []
    drawn = (image for images in draw_in_batches(generator, z) for image in images)
    bar = tqdm(zip(seeds, z, drawn, strict=True), total=len(seeds), unit=" images")
    for seed, latent, image in bar:
        recipe = Recipe(latent[None], *of, look, str(seed))
        recipe.save(out / f"seed_{seed}.png", look.picture(image[None]))
        if with_grid:
            kept.append(image)
    save_latents(out / "latents.npz", [z], z.shape, seeds=seeds, truncation=arguments.truncation)
    if with_grid:
        Recipe(z, *of, sheet, arguments.seeds).save(out / "grid.png", sheet.picture(np.stack(kept)))
    made = "images, grid.png" if with_grid else "images, too many for a grid,"
    print(f"{len(seeds)} {made} and latents.npz are in {out}")


def _mix(arguments):
    """The images of the seeds and their mixture in a row, and the mixture alone."""
    import numpy as np

    from utils.drawing import Look, Recipe, digest, draw, mix, save_latents

    path, generator, seeds, z = open_drawing(arguments)
    weights = arguments.weights or [1.0] * len(seeds)
    mixture = mix(z, weights)
    look = Look(arguments.scale, arguments.resampling)
    row = Look(
        arguments.scale,
        arguments.resampling,
        columns=len(seeds) + 1,
        labels=(*(f"{w:g} × {seed}" for w, seed in zip(weights, seeds, strict=True)), "mix"),
    )
    latents = np.concatenate([z, mixture[None]])
    row.check((len(latents), *generator.output_shape[1:]))
    images = draw(generator, latents)
    of, out = (str(path), digest(path)), Path(arguments.out)
    beside = out.with_stem(f"{out.stem}_row")
    Recipe(mixture[None], *of, look).save(out, look.picture(images[-1:]))
    Recipe(latents, *of, row).save(beside, row.picture(images))
    numbers = out.with_suffix(".npz")
    save_latents(numbers, [latents], latents.shape, seeds=seeds, weights=weights)
    print(f"{out}; beside its parts in {beside}; all their latents in {numbers}")


def _nearest(arguments):
    """Pairs of a generated and its nearest training image, and a line of text for each."""
    import numpy as np

    from utils.drawing import Look, draw
    from utils.images import as_rgb, save_picture
    from utils.loaders import read_images
    from utils.quality import nearest
    from utils.sources import ImageFiles

    names = ImageFiles(arguments.data).names
    _, generator, seeds, z = open_drawing(arguments)
    size = generator.output_shape[1]
    scale = max(1, 128 // size)  # room for the names
    pairs = 2 * len(seeds), size, size, 3
    Look(scale).check(pairs)
    images = as_rgb(draw(generator, z))
    training = read_images(arguments.data, size)
    indices, distances = nearest(images, training)
    labels = []
    for seed, index, distance in zip(seeds, indices, distances, strict=True):
        print(f"seed {seed}: {names[index]}, at {distance:.1f} of 255")
        labels += [f"seed {seed}", f"{distance:.0f}: {Path(names[index]).name}"]
    look = Look(scale, columns=2 * min(4, len(seeds)), labels=tuple(labels))
    together = np.stack([images, training[indices]], axis=1).reshape(pairs)
    save_picture(arguments.out, look.picture(together))
    print(f"Each beside its nearest of {len(training)} training images: {arguments.out}")


def _again(arguments):
    """The picture anew, and how far it is from the one there."""
    import numpy as np
    from PIL import Image

    from utils.drawing import find_generator, read
    from utils.generator import load_generator

    picture = Path(arguments.picture)
    recipe = read(picture)
    path = find_generator(recipe, picture, arguments.generator)
    made = recipe.draw(load_generator(path))
    out = arguments.out or picture.with_stem(f"{picture.stem}_again")
    recipe.by(path).save(out, made)
    with Image.open(picture) as image:
        before = np.asarray(image).reshape(made.shape)
    off = np.abs(made.astype(int) - before).max()
    print(f"{out}: " + (f"differs by up to {off} of 255" if off else "the same pixels"))
