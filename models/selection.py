"""The choice among the variants of a generator's groups: by the critic, and by the mean picture.

Some variants get stuck: they draw a dashed line, or two lines, or none. When a generator is saved,
it may draw those more often whose images the critic scores high, and leave out the worst. If that
left fewer red lines than yellow ones, the images would be wrong on average; so each variant is
drawn as often as makes them like the real ones, as evenly as that allows.
"""

import keras
import numpy as np
from keras import layers, ops
from tqdm.auto import tqdm

from models.networks.parts import PALETTE_NAME
from utils.drawing import latent_groups
from utils.images import to_float
from utils.loaders import ImageStream
from utils.messages import count

_REAL_IMAGES = 10_000  # that a choice is compared with, at most
_IMAGES = 64  # generated ones per variant, about
_BATCH = 256  # larger than for drawing, which is slower; rounding does not matter here
_STRIPS = 8  # across an image and down
_BY_ROW = 4  # times that every row counts: the next ones could stand in for a line that is missing
_STRONGEST = 8  # times that the strongest row of each colour counts, as often as all strips
_ROUNDS = 5  # of least squares
_NEVER = -1e9  # added to a logit: its variant is not chosen
_EVENNESS = 1  # of mean squared deviations from even shares, in mean squared standard errors
_WORTH = 4  # of one standard deviation of mean score, in mean squared standard errors
_STEPS = 1000  # of a fit, at most; it takes seconds
_RARE = 0.1  # of an equal share: a variant that would be drawn less often is left out
_CLOSE = 1e-4  # of an equal share: how exactly shares are met


def check_choices(generator: keras.Model, chooses: bool) -> None:
    """Raises ValueError if variants are to be chosen and a generator has none."""
    if chooses and latent_groups(generator) is None:
        raise ValueError("choose_variants needs a generator with categorical latents")


def choose_variants(critic: keras.Model, generator: keras.Model, stream: ImageStream) -> np.ndarray:
    """In which shares to draw the variants: the critic's favourites, as real images have them.

    Draws thousands of images, which takes a minute or more; shows a progress bar.

    Args:
        critic: images (B, H, W, C) to scores (B, 1).
        generator: with categorical latents, which are drawn alike.
        stream: the real images.

    Returns:
        float64 (groups, variants); the sum of each group is 1.
    """
    palette = _palette(generator)
    real = min(_REAL_IMAGES, stream.training_count)
    batches = (stream.first(min(_BATCH, real - i), after=i) for i in range(0, real, _BATCH))
    profiles = np.concatenate([_profiles(to_float(batch), palette)[0] for batch in batches])
    scores, differences = _effects(critic, generator, palette, profiles)
    return fitted_shares(scores, differences)


def _palette(generator):
    """The colours that a generator mixes, float32 (K, C) in [-1, 1]; None for one without."""
    named = [layer for layer in generator.layers if layer.name == PALETTE_NAME]
    return ops.convert_to_numpy(named[0].kernel)[0, 0] if named else None


def _profiles(images, palette):
    """Means of rows and of columns and how much they vary, by strips.

    A line along a row changes that row's mean much, a line across changes all rows' means a little.
    Single rows show where lines lie; their colours are left out, since each is there too seldom.
    The row that has most of a colour shows that it is there, however wide its line is.

    Returns:
        float32 (B, features); how much each of them counts, (features,), 1 in the mean square.
    """
    if palette is not None:  # which colour a pixel has, one-hot
        nearest = (2 * images @ palette.T - np.sum(palette**2, axis=1)).argmax(axis=-1)
        images = (nearest[..., None] == np.arange(len(palette))).astype(np.float32)
    grey = images.mean(axis=-1) if palette is None else images[..., 0]
    parts = [(grey.mean(axis=2), _BY_ROW), (grey.mean(axis=1), _BY_ROW)]
    for axis in (1, 2):
        lines = images.mean(axis=3 - axis)  # (B, H or W, C)
        varied = (lines - lines.mean(axis=1, keepdims=True)) ** 2
        lines = np.concatenate([lines, varied], axis=-1)
        strips = np.array_split(lines, min(_STRIPS, lines.shape[1]), axis=1)
        strongest = lines[:, :, : images.shape[3]].max(axis=1)
        parts += [(strip.mean(axis=1), 1) for strip in strips] + [(strongest, _STRONGEST)]
    times = np.concatenate([np.full(part.shape[1], number) for part, number in parts])
    return np.concatenate([part for part, _ in parts], axis=1), np.sqrt(times / times.mean())


def _effects(critic, generator, palette, profiles):
    """What each variant changes: the score, (groups, variants), and the mean of the profiles.

    Returns:
        scores: in standard deviations.
        differences: of the profiles from real ones, (groups, variants, features), in standard
            errors of these, the more the more a feature counts; their sum over the groups is that
            of an image.
    """
    groups = latent_groups(generator)
    rng = np.random.default_rng(0)
    chosen, values = [], []
    batches = range(-(-_IMAGES * groups.shape[1] // _BATCH))
    for _ in tqdm(batches, "Choosing variants", unit_scale=_BATCH, unit=" images", leave=False):
        z = rng.standard_normal((_BATCH, generator.input_shape[1]), np.float32)
        images = generator.predict_on_batch(z)
        features, emphasis = _profiles(images, palette)
        values.append(np.hstack([critic.predict_on_batch(images), features]))
        chosen.append(groups.chosen(z))
    chosen, values = np.concatenate(chosen), np.concatenate(values).astype(float)
    mean, spread = profiles.mean(axis=0), profiles.std(axis=0)
    constant = spread == 0
    values[:, 1:] = (values[:, 1:] - mean) / np.where(constant, np.inf, spread)
    values[:, 1:] *= np.sqrt(len(profiles)) * emphasis
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


def fitted_shares(scores: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """Shares of the variants: even, right on average, and of images that score high.

    Least squares on the simplex of each group, by accelerated projected gradients (FISTA,
    doi:10.1137/080716542): of the differences from the real images, and of those from even shares,
    less the mean score. A variant that draws nothing, or what no real image has, falls out.

    Args:
        scores: of each variant's images, in standard deviations, (groups, variants).
        differences: what it adds to the differences from real images, in standard errors,
            (groups, variants, features).

    Returns:
        float64 (groups, variants); the sum of each group is 1.
    """
    even = 1 / scores.shape[1]
    effects = differences.reshape(scores.size, -1)
    evenness = _EVENNESS * effects.shape[1] / even
    worth = _WORTH / 2 * effects.shape[1] * scores  # half of it, as with the squares
    steepest = np.linalg.norm(effects, 2) ** 2 + evenness
    shares = ahead = np.full(scores.shape, even)
    momentum = 1.0
    for _ in range(_STEPS):
        gradient = (effects @ (ahead.ravel() @ effects)).reshape(scores.shape)
        gradient += evenness * (ahead - even) - worth
        before, shares = shares, _on_simplex(ahead - gradient / steepest)
        momentum, last = (1 + np.sqrt(1 + 4 * momentum**2)) / 2, momentum
        ahead = shares + (last - 1) / momentum * (shares - before)
    shares = np.where(shares < _RARE * even, 0.0, shares)
    return shares / shares.sum(axis=1, keepdims=True)


def _on_simplex(values):
    """The nearest shares to values, of the variants of each group: at least 0, their sum 1."""
    falling = -np.sort(-values, axis=1)
    excess = (np.cumsum(falling, axis=1) - 1) / np.arange(1, values.shape[1] + 1)
    last = np.sum(falling > excess, axis=1, keepdims=True) - 1
    return np.maximum(values - np.take_along_axis(excess, last, axis=1), 0)


def draw_in_shares(generator: keras.Model, shares: np.ndarray) -> keras.Model:
    """A copy of a generator that draws its variants in given shares.

    Args:
        generator: with categorical latents, whose variants are drawn alike.
        shares: float (groups, variants), at least 0; the sum of each group is 1.
    """
    chosen = keras.models.clone_model(generator)
    chosen.set_weights(generator.get_weights())
    (choice,) = (
        layer
        for layer in chosen.layers
        if isinstance(layer, layers.Rescaling) and layer.output.shape[1:] == shares.shape
    )
    offset = np.full(shares.shape, _NEVER)
    for row, group in zip(offset, shares, strict=True):
        row[group > 0] = choice.scale * _raised(group[group > 0])
    choice.offset = offset.tolist()
    return chosen


def _raised(shares):
    """What to add to standard normal numbers so that each is the largest one so often.

    A share is the integral over t of the density of its number at t times the probability that all
    others lie below t. A number is raised by how much too seldom it is the largest, until all fit.
    """
    raised = np.zeros(len(shares))
    t, step = np.linspace(-12, 12, 4801, retstep=True)
    density = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    below = np.log(np.maximum(np.cumsum(density) * step, 1e-300))
    for _ in range(_STEPS):
        at = t[::6, None] - raised
        logs = np.interp(at, t, below)
        others = np.exp(logs.sum(axis=1, keepdims=True) - logs)
        largest = np.sum(np.interp(at, t, density) * others, axis=0)
        missing = np.log(shares / (largest / largest.sum()))
        if np.abs(missing).max() < _CLOSE:
            break
        raised += missing / 4  # raised by 1, a number is the largest e to e⁴ times as often
    return raised


def describe_selection(shares: np.ndarray) -> str:
    """What drawing variants in such shares means, and what it costs in variety: a sentence."""
    left_out = np.count_nonzero(shares == 0)
    logs = np.log(np.where(shares > 0, shares, 1))
    variety = np.exp(-np.sum(shares * logs)) / float(shares.shape[1]) ** len(shares)
    return (
        f"generator.h5 leaves out {left_out:,} of {count(shares.size, 'variant')} and draws the "
        "others as often as makes the images like the real ones on average, those more often whose "
        f"images the critic scores high: the variety of {variety:.0%} of the combinations."
    )
