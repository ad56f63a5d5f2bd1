"""The critic's choice among the variants of a generator's groups, by the scores of their images.

Some variants get stuck: they draw a dashed line, or two lines. While a training runs, the worst
begin anew; when a generator is saved, it may leave out those that are still the worst.
"""

import keras
import numpy as np
from keras import layers, ops

from utils.messages import count

_IMAGES = 64  # per variant, about, for a choice that is saved
_FEWER_IMAGES = 32  # for one that the training corrects
_BATCH = 256
_RENEWED = 0.05  # share of each group's variants; at least one
_NEVER = -1e9  # added to a logit: its variant is not chosen


def choice_layer(generator: keras.Model) -> layers.Rescaling | None:
    """The layer that scales the latents of every group before their softmax; None without groups.

    Its inputs are (B, groups, variants).
    """
    found = (layer for layer in generator.layers if isinstance(layer, layers.Rescaling))
    return next((layer for layer in found if len(layer.output.shape) == 3), None)


def variant_scores(
    critic: keras.Model, generator: keras.Model, images: int = _IMAGES
) -> np.ndarray:
    """The mean score of the images that each variant takes part in.

    Args:
        critic: images (B, H, W, C) to scores (B, 1).
        generator: with groups of variants, see `choice_layer`; without a mask.
        images: random ones per variant, about; always the same latents.

    Returns:
        float64 (groups, variants).
    """
    _, groups, variants = choice_layer(generator).output.shape
    rng = np.random.default_rng(0)
    sums, counts = np.zeros((2, groups, variants))
    rows = np.arange(groups)
    for _ in range(-(-images * variants // _BATCH)):
        z = rng.standard_normal((_BATCH, generator.input_shape[1]), np.float32)
        scores = critic.predict_on_batch(generator.predict_on_batch(z))[:, 0]
        chosen = z[:, : groups * variants].reshape(-1, groups, variants).argmax(2)
        for choice, score in zip(chosen, scores, strict=True):
            sums[rows, choice] += score
            counts[rows, choice] += 1
    return sums / np.maximum(counts, 1)


def renew_variants(critic: keras.Model, generator: keras.Model, rng: np.random.Generator) -> None:
    """Draws the entries of the twentieth with the lowest scores anew, as at the beginning.

    Args:
        critic: images (B, H, W, C) to scores (B, 1).
        generator: a table, see `models.tables`; it is changed.
        rng: of the new entries.
    """
    scores = variant_scores(critic, generator, _FEWER_IMAGES)
    worst = np.argsort(scores, axis=1, kind="stable")[
        :, : max(1, round(_RENEWED * scores.shape[1]))
    ]
    rows = (worst + np.arange(len(scores))[:, None] * scores.shape[1]).ravel()
    for layer in generator.layers:
        if isinstance(layer, layers.Dense):
            entries = np.array(ops.convert_to_numpy(layer.kernel))
            new = rng.standard_normal((len(rows), entries.shape[1]), np.float32)
            entries[rows] = new * np.float32(layer.kernel_initializer.stddev)
            layer.kernel.assign(entries)


def keep_variants(generator: keras.Model, scores: np.ndarray, share: float) -> keras.Model:
    """A copy of a generator that never chooses the variants with the lowest scores.

    Args:
        generator: with groups of variants, see `choice_layer`.
        scores: from `variant_scores`.
        share: of each group's variants that stay, in (0, 1]; at least one does.
    """
    kept = max(1, round(share * scores.shape[1]))
    order = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    chosen = keras.models.clone_model(generator)
    chosen.set_weights(generator.get_weights())
    choice_layer(chosen).offset = np.where(order < kept, 0.0, _NEVER).tolist()
    return chosen


def describe_selection(groups: int, variants: int, share: float) -> str:
    """What keeping a share of the variants means, and what it costs in variety: a sentence."""
    kept = max(1, round(share * variants))
    return (
        f"generator.h5 draws with {kept} of {count(variants, 'variant')} in each of "
        f"{count(groups, 'group')}, those whose images the critic scores highest: "
        f"{(kept / variants) ** groups:.0%} of the combinations."
    )
