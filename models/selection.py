"""The critic's choice among the variants of a generator's groups, by the scores of their images.

Some variants get stuck: they draw a dashed line, or two lines. When a generator is saved, it may
leave them out.
"""

import keras
import numpy as np
from keras import layers

from utils.drawing import latent_groups
from utils.messages import count

_IMAGES = 64  # per variant, about
_BATCH = 256  # larger than for drawing, which is slower; rounding does not matter here
_NEVER = -1e9  # added to a logit: its variant is not chosen


def check_choices(generator: keras.Model, keeps: bool) -> None:
    """Raises ValueError if a generator has no variants to keep."""
    if keeps and latent_groups(generator) is None:
        raise ValueError("variants_kept below 1 needs a generator with categorical latents")


def _count(variants, share):
    """How many variants of a group a share of them is: the nearest whole number, at least 1."""
    return max(1, round(share * variants))


def variant_scores(critic: keras.Model, generator: keras.Model) -> np.ndarray:
    """The mean score of the images that each variant takes part in, always of the same latents.

    Args:
        critic: images (B, H, W, C) to scores (B, 1).
        generator: with categorical latents, without a mask.

    Returns:
        float64 (groups, variants).
    """
    groups = latent_groups(generator)
    rng = np.random.default_rng(0)
    sums, counts = np.zeros((2, *groups.shape))
    rows = np.arange(len(sums))
    for _ in range(-(-_IMAGES * groups.shape[1] // _BATCH)):
        z = rng.standard_normal((_BATCH, generator.input_shape[1]), np.float32)
        scores = critic.predict_on_batch(generator.predict_on_batch(z))[:, 0]
        places = rows, groups.chosen(z)
        np.add.at(sums, places, scores[:, None])
        np.add.at(counts, places, 1)
    return sums / np.maximum(counts, 1)


def keep_variants(generator: keras.Model, scores: np.ndarray, share: float) -> keras.Model:
    """A copy of a generator that never chooses the variants with the lowest scores.

    Args:
        generator: with categorical latents.
        scores: from `variant_scores`.
        share: of each group's variants that stay, in (0, 1]; at least one does.
    """
    kept = _count(scores.shape[1], share)
    order = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    chosen = keras.models.clone_model(generator)
    chosen.set_weights(generator.get_weights())
    (choice,) = (
        layer
        for layer in chosen.layers
        if isinstance(layer, layers.Rescaling) and layer.output.shape[1:] == scores.shape
    )
    choice.offset = np.where(order < kept, 0.0, _NEVER).tolist()
    return chosen


def describe_selection(groups: int, variants: int, share: float) -> str:
    """What keeping a share of the variants means, and what it costs in variety: a sentence."""
    kept = _count(variants, share)
    return (
        f"generator.h5 draws with {kept} of {count(variants, 'variant')} in each of "
        f"{count(groups, 'group')}, those whose images the critic scores highest: "
        f"{(kept / variants) ** groups:.0%} of the combinations."
    )
