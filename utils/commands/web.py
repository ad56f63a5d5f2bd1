"""The subcommand `web`."""

from pathlib import Path

from utils.commands import add_generator, open_generator, subcommand


def add(commands) -> None:
    """Adds the subcommand."""
    web = subcommand(
        commands,
        "web",
        "a page that draws in the visitor's browser, for any server of static files; its sliders "
        "move along directions, or choose the variants of categorical latents",
        "--out site/\n--generator generator.h5 --title 'Lines, for Frieder' --out site/",
        _web,
    )
    add_generator(web)
    web.add_argument("--title", default="Drawn by a network", help="title of the page")
    web.add_argument(
        "--float16", action="store_true", help="a file of half the size, nearly the same images"
    )
    web.add_argument(
        "--runtime",
        metavar="TGZ",
        help="the package onnxruntime-web as a file; npm downloads it once unless given",
    )
    web.add_argument("--out", default="site", help="a new folder, or a site to replace")


def _web(arguments):
    from utils.drawing import latent_groups, principal_directions
    from utils.generator import megabytes, write_site

    out = Path(arguments.out)
    _, generator = open_generator(arguments)
    directions = principal_directions(generator)
    write_site(
        generator,
        out,
        arguments.title,
        directions,
        arguments.float16,
        arguments.runtime,
        latent_groups(generator),
    )
    print(f"{out}: {megabytes(out):.0f} MB. To look at it: python -m http.server --directory {out}")
    print("and open http://localhost:8000 in a browser; to publish it, copy the folder.")
