"""Subcommands that make pictures: `images`."""

from pathlib import Path

from utils import cli
from utils.commands import add_generator, open_generator, subcommand


def add(commands) -> None:
    """Adds the subcommands."""
    images = subcommand(
        commands,
        "images",
        "one PNG per seed and a grid of all",
        "--seeds 0-24 --columns 5\n--generator generator.h5 --seeds 7,100-103 --out new/",
        _images,
    )
    add_generator(images)
    images.add_argument(
        "--seeds", default="0-24", help="whole numbers and ranges, as in 0-24,100,7"
    )
    images.add_argument("--columns", type=cli.whole(), default=5, help="of the grid")
    images.add_argument("--out", default="new", help="folder for the images")


def _images(arguments):
    """One PNG per seed (`seed_<n>.png`) and `grid.png`."""
    from utils.images import grid, save_picture
    from utils.latents import draw, latents, parse_seeds

    seeds = parse_seeds(arguments.seeds)
    out = Path(arguments.out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; expected a folder for the images (--out)")
    _, generator = open_generator(arguments)
    pictures = draw(generator, latents(seeds, generator.input_shape[1]))
    for seed, picture in zip(seeds, pictures, strict=True):
        save_picture(out / f"seed_{seed}.png", picture)
    rows = -(-len(seeds) // arguments.columns)
    save_picture(out / "grid.png", grid(pictures, rows, min(arguments.columns, len(seeds))))
    print(f"{len(seeds)} images and grid.png are in {out}")
