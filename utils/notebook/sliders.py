"""Sliders that draw, for notebooks."""

import io

import ipywidgets
import keras
import numpy as np

from utils.drawing import draw, enlarge, seed_latents, walk
from utils.images import to_picture

_PIXELS = 384  # height of the picture, about
_LAST_SEED = 999


def explorer(generator: keras.Model) -> ipywidgets.Widget:
    """Sliders for a seed, the truncation, another seed and the position on the walk to it.

    Args:
        generator: maps (B, z_dim) to (B, H, W, 1 or 3) in [-1, 1].

    Returns:
        a box of the sliders `seed`, `truncation`, `walk to`, `position` and the picture.
    """
    seed = ipywidgets.IntSlider(0, 0, _LAST_SEED, description="seed")
    truncation = ipywidgets.FloatSlider(1, min=0, max=2, step=0.05, description="truncation")
    other = ipywidgets.IntSlider(1, 0, _LAST_SEED, description="walk to")
    position = ipywidgets.FloatSlider(0, min=0, max=1, step=0.01, description="position")
    picture = ipywidgets.Image(format="png")
    z_dim = generator.input_shape[1]
    scale = max(1, _PIXELS // generator.output_shape[1])

    def show(_):
        ends = seed_latents([seed.value, other.value], z_dim)
        z = walk(ends, [position.value], easing="linear") * np.float32(truncation.value)
        file = io.BytesIO()
        to_picture(enlarge(draw(generator, z)[0], scale)).save(file, "png")
        picture.value = file.getvalue()

    sliders = [seed, truncation, other, position]
    for slider in sliders:
        slider.observe(show, "value")
    show(None)
    return ipywidgets.VBox([*sliders, picture])
