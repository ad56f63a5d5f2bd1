"""A preset's networks become a `WGANGP`."""

import dataclasses

import numpy as np

from models.engines.processes import Processes
from models.networks.fast import build_fast_critic, build_fast_generator
from models.networks.shapes import Fast, FewColours, Tables
from models.networks.tables import build_strip_critic, build_table_generator, give_roles
from models.networks.weights import initialise
from models.recipe import Recipe
from models.WGANGP import WGANGP


def build_gan(
    networks: dict | Tables | Fast,
    batch_size: int,
    recipe: Recipe,
    palette: np.ndarray | None = None,
    processes: Processes = Processes(),  # noqa: B008, frozen
) -> WGANGP:
    """The GAN of a preset.

    Args:
        networks: `Preset.networks`; where there is a palette, `Fast` becomes `FewColours`, with
            the critic's rate of these.
        batch_size: images per update.
        recipe: the other hyperparameters.
        palette: the colours of the data, uint8 (K, C), where they are few; else None.
        processes: see `WGANGP`.

    Raises:
        ValueError: `Tables` and no palette, or what the networks refuse.
    """
    if isinstance(networks, dict):
        return WGANGP(**networks, batch_size=batch_size, recipe=recipe, processes=processes)
    shape = networks.image_size, networks.image_size, networks.channels
    if palette is not None and len(palette) < 2:  # nothing to choose
        palette = None
    if isinstance(networks, Fast):
        if palette is not None and type(networks) is Fast:
            shapes = "image_size", "channels", "width", "groups", "variants"
            networks = FewColours(**{name: getattr(networks, name) for name in shapes})
        kind = "few colours" if isinstance(networks, FewColours) else "fast"
        critic = build_fast_critic(networks)
        generator = build_fast_generator(networks, palette)
    elif palette is None:
        raise ValueError(
            "the recipe lines draws with the colours of its data, 2 to 32; these images have "
            "another number: train them with --recipe fast"
        )
    else:
        kind, critic = "places", build_strip_critic(shape)
        generator = build_table_generator(shape, networks.things, networks.variants, palette)
    description = dataclasses.asdict(networks) | {
        "networks": kind,
        "palette": None if palette is None else palette.tolist(),
        "batch_size": batch_size,
    }
    initialise((critic, generator), recipe.seed, recipe.initial_weights)
    if isinstance(networks, Tables):
        give_roles(generator, networks.things)
    return WGANGP.from_networks(critic, generator, description, recipe, processes)
