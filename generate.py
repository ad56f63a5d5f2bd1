"""Makes new images with a trained generator.h5."""

from pathlib import Path

from utils import cli

parser = cli.parser(
    __doc__,
    "  python generate.py images --generator run/gan/0001_output/generator.h5 --seeds 0-24\n"
    "  python generate.py images --generator generator.h5 --seeds 7,100-103 --columns 5 --out new/",
)
commands = parser.add_subparsers(dest="command", required=True)
images = commands.add_parser(
    "images", help="one PNG per seed and a grid of all", formatter_class=parser.formatter_class
)
images.add_argument("--generator", help="a generator.h5; None: the newest under run/gan")
images.add_argument("--seeds", default="0-24", help="whole numbers and ranges, as in 0-24,100,7")
images.add_argument("--columns", type=cli.whole(), default=5, help="of the grid")
images.add_argument("--out", default="new", help="folder for the images")


def main(arguments):
    """One PNG per seed (`seed_<n>.png`) and `grid.png`."""
    from utils.images import grid, save_picture
    from utils.latents import draw, latents, parse_seeds
    from utils.loaders import load_generator
    from utils.runs import newest_generator

    seeds = parse_seeds(arguments.seeds)
    out = Path(arguments.out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; expected a folder for the images (--out)")
    generator = load_generator(arguments.generator or newest_generator())
    pictures = draw(generator, latents(seeds, generator.input_shape[1]))
    for seed, picture in zip(seeds, pictures, strict=True):
        save_picture(out / f"seed_{seed}.png", picture)
    rows = -(-len(seeds) // arguments.columns)
    save_picture(out / "grid.png", grid(pictures, rows, min(arguments.columns, len(seeds))))
    print(f"{len(seeds)} images and grid.png are in {out}")


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
