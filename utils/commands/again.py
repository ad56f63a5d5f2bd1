"""The subcommand `again`: a picture once more, from the provenance in its file."""

from pathlib import Path

import numpy as np

from utils import cli
from utils.commands import open_named, subcommand
from utils.drawing import LoadedGenerator, find_original, read_provenance
from utils.files import check_free
from utils.runs import find_generators
from utils.sources import open_picture


def add(commands) -> None:
    """Adds the subcommand."""
    again = subcommand(
        commands,
        "again",
        "draw a picture again from the provenance in its file",
        "new/seed_7.png\nnew/seed_7.png --generator better.h5 --out better.png",
        _again,
    )
    again.add_argument("picture", help="a PNG by generate.py")
    again.add_argument(
        "--generator", help="to draw with (the one in run/gan that made it unless given)"
    )
    cli.add_range(again)
    again.add_argument(
        "--out", type=cli.png, help="the picture to write (<name>_again.png unless given)"
    )
    cli.add_overwrite(again)


def _again(arguments):
    """Prints how far the new picture is from the old one."""
    picture = Path(arguments.picture)
    out = arguments.out or picture.with_stem(f"{picture.stem}_again")
    check_free(out, overwrite=arguments.overwrite)
    original, difference = draw_again(out, picture, arguments.generator, arguments.range)
    if not original:
        print(f"{arguments.generator} is not the generator that made {picture}")
    if difference is None:
        print(f"{out}: of another size than {picture}")
    else:
        print(
            f"{out}: differs by up to {difference} of 255"
            if difference
            else f"{out}: the same pixels"
        )


def draw_again(
    out: str | Path,
    picture: str | Path,
    generator: str | None = None,
    value_range: str | None = None,
) -> tuple[bool, int | None]:
    """Draws a picture again from its provenance.

    Args:
        out: path of the new PNG.
        picture: a PNG with provenance.
        generator: path of the generator to draw with; None for the one that made the picture.
        value_range: see `load_generator`.

    Returns:
        whether this generator made the picture; the largest difference between the pixels of the
        two pictures, 0…255, or None if they differ in size.

    Raises:
        FileNotFoundError, ValueError: as `read_provenance`, `find_original`, `open_named` and
            `Provenance.draw`.
    """
    provenance = read_provenance(picture)
    path = generator or find_original(provenance, picture, find_generators())
    loaded = LoadedGenerator(*open_named(path, value_range))
    pixels = provenance.draw(loaded.network)
    with open_picture(picture, ("PNG",)) as image:
        before = np.asarray(image)
    loaded.provenance(provenance.latents, provenance.layout, provenance.seed).save(out, pixels)
    original = loaded.digest == provenance.digest
    if pixels.squeeze().shape != before.squeeze().shape:
        return original, None
    return original, int(np.abs(pixels.squeeze().astype(int) - before.squeeze()).max())
