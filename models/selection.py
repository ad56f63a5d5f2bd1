"""The choice among the variants of a generator's groups: by the critic, and by the mean picture.

Some variants get stuck: they draw a dashed line, or two lines. When a generator is saved, it may
leave out those whose images the critic scores lowest. If that left fewer red lines than yellow
ones, then others take their place: what is drawn must look like the real images on average.
"""

import keras
import numpy as np
from keras import layers, ops
from tqdm.auto import tqdm

from models.networks.parts import PALETTE_NAME
from utils.drawing import latent_groups
from utils.images import to_float
from utils.messages import count

REAL_IMAGES = 5_000
"""How many real images a choice is compared with, at most."""

_IMAGES = 64  # generated ones per variant, about
_BATCH = 256  # larger than for drawing, which is slower; rounding does not matter here
_STRIPS = 8  # across an image and down
_WHOLE = 4  # times that all strips together count; a colour that is missing everywhere is worst
_PRICE = 0.1  # of one standard deviation of score, in mean squared standard errors
_ROUNDS = 5  # of least squares
_LEAST = 1e-6  # advantage of an exchange, more than rounding
_NEVER = -1e9  # added to a logit: its variant is not chosen


def check_choices(generator: keras.Model, keeps: bool) -> None:
    """Raises ValueError if a generator has no variants to keep."""
    if keeps and latent_groups(generator) is None:
        raise ValueError("variants_kept below 1 needs a generator with categorical latents")


def _count(variants, share):
    """How many variants of a group a share of them is: the nearest whole number, at least 1."""
    return max(1, round(share * variants))


def choose_variants(
    critic: keras.Model, generator: keras.Model, real: np.ndarray, share: float
) -> np.ndarray:
    """The variants that stay: those that the critic scores highest, in the right proportions.

    Draws thousands of images, which takes a minute or more; shows a progress bar.

    Args:
        critic: images (B, H, W, C) to scores (B, 1).
        generator: with categorical latents, without a mask.
        real: images, uint8 (N, H, W, C), a few thousand.
        share: of each group's variants that stay, in (0, 1]; at least one does.

    Returns:
        bool (groups, variants).
    """
    palette = _palette(generator)
    batches = (to_float(real[i : i + _BATCH]) for i in range(0, len(real), _BATCH))
    profiles = np.concatenate([_profiles(batch, palette) for batch in batches])
    scores, differences = _effects(critic, generator, palette, profiles)
    kept = _count(scores.shape[1], share)
    order = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    return _exchanged(order < kept, scores, differences)


def _palette(generator):
    """The colours that a generator mixes, float32 (K, C) in [-1, 1]; None for one without."""
    named = [layer for layer in generator.layers if layer.name == PALETTE_NAME]
    return ops.convert_to_numpy(named[0].kernel)[0, 0] if named else None


def _profiles(images, palette):
    """Means of rows and of columns and how much they vary, by strips: float32 (B, features).

    A line along a row changes that row's mean much, a line across changes all rows' means a little.
    """
    if palette is not None:  # which colour a pixel has, one-hot
        nearest = (2 * images @ palette.T - np.sum(palette**2, axis=1)).argmax(axis=-1)
        images = (nearest[..., None] == np.arange(len(palette))).astype(np.float32)
    features = []
    for axis in (1, 2):
        lines = images.mean(axis=3 - axis)  # (B, H or W, C)
        varied = (lines - lines.mean(axis=1, keepdims=True)) ** 2
        lines = np.concatenate([lines, varied], axis=-1)
        strips = np.array_split(lines, min(_STRIPS, lines.shape[1]), axis=1)
        features += [strip.mean(axis=1) for strip in strips] + [lines.mean(axis=1)] * _WHOLE
    return np.concatenate(features, axis=1)


def _effects(critic, generator, palette, profiles):
    """What each variant changes: the score, (groups, variants), and the mean of the profiles.

    Returns:
        scores: in standard deviations.
        differences: of the profiles from real ones, (groups, variants, features), in standard
            errors of these; their sum over the groups is that of an image.
    """
    groups = latent_groups(generator)
    rng = np.random.default_rng(0)
    chosen, values = [], []
    batches = range(-(-_IMAGES * groups.shape[1] // _BATCH))
    for _ in tqdm(batches, "Choosing variants", unit_scale=_BATCH, unit=" images", leave=False):
        z = rng.standard_normal((_BATCH, generator.input_shape[1]), np.float32)
        images = generator.predict_on_batch(z)
        values.append(np.hstack([critic.predict_on_batch(images), _profiles(images, palette)]))
        chosen.append(groups.chosen(z))
    chosen, values = np.concatenate(chosen), np.concatenate(values).astype(float)
    mean, spread = profiles.mean(axis=0), profiles.std(axis=0)
    constant = spread == 0
    values[:, 1:] = (values[:, 1:] - mean) / np.where(constant, np.inf, spread)
    values[:, 1:] *= np.sqrt(len(profiles))
    effects = effects_of_variants(chosen, values, groups.shape)
    scores = effects[..., 0] / max(effects[..., 0].std(), 1e-9)
    return scores, effects[..., 1:]


def effects_of_variants(
    chosen: np.ndarray, values: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """What each variant adds to the values of the images that it takes part in: least squares.

    Args:
        chosen: the variants of each image, int (n, groups).
        values: (n, features).
        shape: (groups, variants).

    Returns:
        (groups, variants, features); the mean of all images is shared among the groups.
    """
    share = values.mean(axis=0) / shape[0]  # every group has its part of the mean
    effects = np.zeros((*shape, values.shape[1])) + share
    for _ in range(_ROUNDS):
        for group in range(shape[0]):
            others = [effects[g][chosen[:, g]] for g in range(shape[0]) if g != group]
            sums = np.zeros(effects.shape[1:])
            np.add.at(sums, chosen[:, group], values - sum(others))
            counts = np.bincount(chosen[:, group], minlength=shape[1])
            effects[group] = sums / np.maximum(counts, 1)[:, None]
    return effects


def _exchanged(keep, scores, differences):
    """Exchanges variants for left out ones, the best exchange first, until none is an advantage."""
    kept = keep[0].sum()
    while not keep.all():
        total = sum(differences[g][keep[g]].mean(axis=0) for g in range(len(keep)))
        exchanges = []
        for g in range(len(keep)):
            leaves, comes = np.flatnonzero(keep[g]), np.flatnonzero(~keep[g])
            a, b = differences[g][leaves] / kept, differences[g][comes] / kept
            # |total - a + b|² - |total|² of every pair
            cost = np.sum(a**2, 1)[:, None] + np.sum(b**2, 1) - 2 * a @ b.T
            cost += 2 * (b @ total - (a @ total)[:, None])
            cost = cost / len(total) - _PRICE * (scores[g][comes] - scores[g][leaves][:, None])
            i, j = np.unravel_index(cost.argmin(), cost.shape)
            exchanges.append((cost[i, j], g, leaves[i], comes[j]))
        cost, g, leaving, coming = min(exchanges)
        if cost > -_LEAST:
            break
        keep[g, leaving], keep[g, coming] = False, True
    return keep


def keep_variants(generator: keras.Model, keep: np.ndarray) -> keras.Model:
    """A copy of a generator that chooses among some of its variants only.

    Args:
        generator: with categorical latents.
        keep: the variants that stay, bool (groups, variants).
    """
    chosen = keras.models.clone_model(generator)
    chosen.set_weights(generator.get_weights())
    (choice,) = (
        layer
        for layer in chosen.layers
        if isinstance(layer, layers.Rescaling) and layer.output.shape[1:] == keep.shape
    )
    choice.offset = np.where(keep, 0.0, _NEVER).tolist()
    return chosen


def describe_selection(keep: np.ndarray) -> str:
    """What keeping some of the variants means, and what it costs in variety: a sentence."""
    groups, variants = keep.shape
    kept = int(keep[0].sum())
    return (
        f"generator.h5 draws with {kept} of {count(variants, 'variant')} in each of "
        f"{count(groups, 'group')}, those whose images the critic scores highest, in the "
        f"proportions of the real images: {(kept / variants) ** groups:.0%} of the combinations."
    )
