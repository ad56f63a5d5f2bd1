"""Sliders that draw, for notebooks."""

import io

import ipywidgets
import keras
import numpy as np

from utils.drawing import draw, enlarge, latent_groups, seed_latents, truncate, walk
from utils.images import to_picture

_PIXELS = 384  # height of the picture, about
_LAST_SEED = 999


def explorer(generator: keras.Model) -> ipywidgets.Widget:
    """Sliders for a seed, the truncation, another seed and the position on the walk to it.

    Of categorical latents, a chooser for each group goes through the variants that are not masked.
    A change of the other sliders sets the choosers to the variants that are drawn then. Where all
    latents are categorical, there is no truncation.

    Args:
        generator: maps (B, z_dim) to (B, H, W, 1 or 3) in [-1, 1].

    Returns:
        a box of the sliders `seed`, `truncation`, `walk to`, `position`, `group 1` and so on, and
        the picture.
    """
    seed = ipywidgets.IntSlider(0, 0, _LAST_SEED, description="seed")
    truncation = ipywidgets.FloatSlider(1, min=0, max=2, step=0.05, description="truncation")
    other = ipywidgets.IntSlider(1, 0, _LAST_SEED, description="walk to")
    position = ipywidgets.FloatSlider(0, min=0, max=1, step=0.01, description="position")
    picture = ipywidgets.Image(format="png")
    z_dim, groups = generator.input_shape[1], latent_groups(generator)
    scale = max(1, _PIXELS // generator.output_shape[1])
    choosers = [
        ipywidgets.SelectionSlider(options=np.flatnonzero(variants), description=f"group {i}")
        for i, variants in enumerate(groups.allowed if groups else (), 1)
    ]

    def latents():
        ends = seed_latents([seed.value, other.value], z_dim)
        z = walk(ends, [position.value], easing="linear", groups=groups)
        return truncate(z, truncation.value, groups)

    def paint(z):
        file = io.BytesIO()
        to_picture(enlarge(draw(generator, z)[0], scale)).save(file, "png")
        picture.value = file.getvalue()

    def choose(_):
        paint(groups.choose(latents(), np.array([[chooser.value for chooser in choosers]])))

    def show(_):
        z = latents()
        for i, chooser in enumerate(choosers):
            chooser.unobserve_all("value")
            chooser.value = groups.chosen(z)[0, i]
            chooser.observe(choose, "value")
        paint(z)

    only_groups = groups and not groups.gaussian
    sliders = [seed, *([] if only_groups else [truncation]), other, position]
    for slider in sliders:
        slider.observe(show, "value")
    show(None)
    return ipywidgets.VBox([*sliders, *choosers, picture])
