"""Projection: the latents whose image is nearest to a given one, by descent from many starts."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
from keras import ops
from tqdm.auto import tqdm

from models import engines
from models.search.variants import PATIENCE, descend, sweep
from utils.drawing import draw, draw_in_batches, latent_groups
from utils.images import to_float

_POOL = 2000  # random latents; those that draw the nearest images are the starts
_THUMBNAIL = 16  # pixels, about, of the images that are compared for this
_RATE = 0.1  # of Adam, at the beginning
_BETA_2 = 0.9  # of Adam: gradients change so much that old ones mean little
_ROUNDS = 4  # of equal length; after each but the last, half of the starts are given up
_BATCH = 32  # latents of one step
_GROUP = 32  # images whose starts are in memory at once
_EVERY = 10  # steps between two entries of the history
_COARSEST = 4  # pixels: the least height and width of a pyramid's last level


@dataclasses.dataclass(frozen=True)
class Projection:
    """The result of a search.

    Attributes:
        latents: the best of each image, float32 (n, z_dim).
        images: what the generator draws from them, uint8 (n, H, W, C).
        errors: mean absolute difference of pixels to the targets, 0…255, float64 (n,).
        history: latents of the best starts at `times`, float32 (m, n, z_dim).
        times: in steps, int (m,), from 0 to the last step.
    """

    latents: np.ndarray
    images: np.ndarray
    errors: np.ndarray
    history: np.ndarray
    times: np.ndarray


def project(
    generator: keras.Model,
    targets: np.ndarray,
    starts: int = 16,
    steps: int = 400,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Projection:
    """Finds the latents from which a generator draws given images; shows a progress bar.

    Gradient descent on latents (Lipton & Tripathi 2017, arXiv:1702.04782), with `distance` as the
    loss. The starts are the nearest of 2,000 random latents. Adam moves them, its rate falling
    from 0.1 to 0.001. After each quarter of the steps the worse half of the starts is given up
    (successive halving, Jamieson & Talwalkar 2016, arXiv:1502.07943). The start with the smallest
    error is the result. The generator is in inference mode and is not changed.

    Categorical latents have no gradient. There a step tries all variants of one group and keeps the
    nearest (coordinate descent), group by group in an order that each start draws; of equally near
    ones it keeps any. After all groups the worse half of the starts is given up, until nothing has
    improved for 4 times all groups. Where latents are Gaussian too, all groups are tried before
    each quarter of Adam's steps, and Adam moves the rest.

    Args:
        generator: maps (B, z_dim) to (B, H, W, C) in [-1, 1].
        targets: the images to find, uint8 (n, H, W, C).
        starts: number of starts for each image.
        steps: of a start that is not given up; without Gaussian latents, the most.
        seed: of the random latents.
        stop: called every 10 steps, and before all groups are tried; when it returns True, the
            search ends with the best so far.

    Raises:
        ValueError: targets of another type or shape than the generator's; no target, start or step.
    """
    shape = generator.output_shape[1:]
    if targets.dtype != np.uint8 or targets.shape[1:] != shape or not len(targets):
        expected = f"uint8 (n, {', '.join(map(str, shape))})"
        raise ValueError(f"expected images {expected}, received {targets.dtype} {targets.shape}")
    if starts < 1 or steps < 1:
        raise ValueError(f"expected at least 1 start and 1 step, received {starts} and {steps}")
    search = _Search(generator, starts, steps, seed, stop)
    groups = [targets[i : i + _GROUP] for i in range(0, len(targets), _GROUP)]
    total = len(targets) * search.images_per_target
    with tqdm(total=total, unit=" images", desc="Searching", dynamic_ncols=True) as bar:
        results = [search.run(group, bar) for group in groups]
    latents, drawn, errors = (np.concatenate([result[i] for result in results]) for i in range(3))
    history = np.concatenate([_as_long(result[3], results) for result in results], axis=1)
    # Latents do not change after a search was stopped, or when nothing improves any more.
    entries = 1 + int(np.argmax((history == history[-1]).all(axis=(1, 2))))
    return Projection(latents, drawn, errors, history[:entries], search.times[:entries])


def _as_long(history, results):
    """A history (m, n, z_dim) whose end is repeated until it is as long as the longest one."""
    most = max(len(result[3]) for result in results)
    return history[np.minimum(np.arange(most), len(history) - 1)]


def distance(images, target):
    """Mean absolute difference over an image pyramid.

    A level has half the height and width of the one before; each of its pixels is the mean of four.
    On coarse levels a line near its target differs less than one that is far from it.

    Args:
        images: float32 (n, H, W, C).
        target: the same, or one image (1, H, W, C).

    Returns:
        (n,): the sum over levels, down to one of 4 to 7 pixels, of their mean absolute
        differences times 1, 1/4, 1/16 …
    """
    difference = images - target
    total, weight = ops.mean(ops.abs(difference), (1, 2, 3)), 1.0
    while min(difference.shape[1:3]) >= 2 * _COARSEST:
        difference, weight = ops.average_pool(difference, 2, 2), weight / 4
        total = total + weight * ops.mean(ops.abs(difference), (1, 2, 3))
    return total


class _Search:
    """The state that the searches for several groups of targets share."""

    def __init__(self, generator, starts, steps, seed, stop):
        self.generator = generator
        self.groups = latent_groups(generator)
        self.gaussian = not self.groups or self.groups.gaussian
        self.steps, self.stop = steps, stop
        ends = np.linspace(0, steps, _ROUNDS + 1).astype(int)
        counts = [-(-starts // 2**i) for i in range(_ROUNDS)]
        self.rounds = list(zip(counts, ends[:-1], ends[1:], strict=True))
        self.times = np.arange(steps + 1)
        self.images_per_target = 0
        if self.groups:  # without Gaussian latents about as many: half of the starts, and so on
            sweeps = sum(counts) + (0 if self.gaussian else PATIENCE)
            self.images_per_target += int(self.groups.allowed.sum()) * sweeps
        if self.gaussian:
            self.times = np.union1d(ends, np.arange(0, steps, _EVERY))
            self.images_per_target += int(np.dot(counts, np.diff(ends)))
        # Two numbers: with `seed` alone, the pool of seed 7 would contain the latents of image 7.
        self.random = np.random.default_rng((seed, 3))
        shape = max(_POOL, starts), generator.input_shape[1]
        self.pool = self.random.standard_normal(shape, np.float32)
        drawn = draw_in_batches(generator, self.pool)
        self.thumbnails = np.concatenate([_thumbnails(images) for images in drawn])
        self.engine = engines.load()
        self.schedule = keras.optimizers.schedules.PolynomialDecay(_RATE, steps, _RATE / 100)
        self.compiled = {}

    def run(self, targets, bar):
        """Latents, their images and errors, and the history, for targets uint8 (n, H, W, C)."""
        if not self.gaussian:
            return self._among_variants(targets, bar)
        n, descents = len(targets), _Descents(self._starts(targets), len(self.times))
        for count, begin, end in self.rounds:
            if self.stop():
                break
            descents.keep_nearest(n, count)
            repeated = np.repeat(targets, count, axis=0)
            if self.groups:
                self._sweep(descents, repeated, bar)
            for first in range(0, n * count, _BATCH):
                rows = np.arange(first, min(first + _BATCH, n * count))
                self._descend(descents, rows, repeated, begin, end, bar)
        z = descents.state[0]
        drawn = draw(self.generator, z).reshape(n, -1, *targets.shape[1:])
        errors = np.abs(drawn.astype(np.int16) - targets[:, None]).mean((2, 3, 4))
        target, best = np.arange(n), errors.argmin(axis=1)
        rows = target * errors.shape[1] + best
        return z[rows], drawn[target, best], errors[target, best], descents.history[:, rows]

    def _among_variants(self, targets, bar):
        """Does the same as `run` where all latents are categorical."""
        results = []
        starts = self._starts(targets).reshape(len(targets), -1, self.pool.shape[1])
        for i, (target, begin) in enumerate(zip(targets, starts, strict=True)):

            def sweep_from(z, order, target=target):
                return self._steps(z, target, order, bar)

            courses = descend(sweep_from, begin, self._orders(len(begin)), self.steps, self.stop)
            drawn = draw(self.generator, np.stack([course[-1] for course in courses]))
            errors = np.abs(drawn.astype(np.int16) - target).mean((1, 2, 3))
            best = errors.argmin()
            results.append((courses[best][-1], drawn[best], errors[best], courses[best][:, None]))
            bar.update(max(0, (i + 1) * self.images_per_target - bar.n))
        latents, drawn, errors, courses = zip(*results, strict=True)
        history = np.concatenate([_as_long(course, results) for course in courses], axis=1)
        return np.stack(latents), np.stack(drawn), np.array(errors), history

    def _sweep(self, descents, targets, bar):
        """Tries all variants of all groups for each descent."""
        rows = zip(targets, self._orders(len(targets)), strict=True)
        for row, (target, order) in enumerate(rows):
            if self.stop():
                return
            for step in self._steps(descents.state[0][row], target, order, bar):
                descents.state[0][row] = step.z

    def _orders(self, count):
        """Orders of all groups, int (count, groups)."""
        groups = np.arange(self.groups.shape[0])
        return self.random.permuted(np.tile(groups, (count, 1)), axis=1)

    def _steps(self, z, target, order, bar):
        """The steps of a sweep, as the bar counts them."""
        for step in sweep(self.generator, self.groups, z, target, distance, order, self.random):
            bar.update(step.images)
            yield step

    def _starts(self, targets):
        """The latents of the pool that draw the images nearest to each target."""
        distances = [distance(self.thumbnails, small[None]) for small in _thumbnails(targets)]
        order = np.argsort([ops.convert_to_numpy(d) for d in distances], axis=1, kind="stable")
        return self.pool[order[:, : self.rounds[0][0]]].reshape(-1, self.pool.shape[1])

    def _descend(self, descents, rows, targets, begin, end, bar):
        """Takes the descents in `rows` from step `begin` to step `end`."""
        size = min(_BATCH, len(descents.distances))
        z, adam, step = self._compiled(size)
        state = [z, *adam.variables[-2:]]  # the latents, and Adam's two moving means of each
        batch = np.resize(rows, size)  # the last batch repeats rows to be as large as the others
        for variable, values in zip(state, descents.state, strict=True):
            variable.assign(values[batch])
        adam.iterations.assign(begin)
        inputs = [ops.convert_to_tensor(to_float(targets[batch]))]
        if self.groups:
            choice = self.groups.chosen(descents.state[0][batch])
            inputs.append(ops.one_hot(choice, self.groups.shape[1]))
        for entry in np.flatnonzero((self.times > begin) & (self.times <= end)):
            if self.stop():
                return
            length = self.times[entry] - self.times[entry - 1]
            for _ in range(length):
                distances = step(*inputs)
            for variable, values in zip(state, descents.state, strict=True):
                values[rows] = ops.convert_to_numpy(variable)[: len(rows)]
            if self.groups:
                held = self.groups.hold(descents.state[0][rows], choice[: len(rows)])
                descents.state[0][rows] = held
            descents.distances[rows] = ops.convert_to_numpy(distances)[: len(rows)]
            descents.history[entry:, rows] = descents.state[0][rows]
            bar.update(int(length) * len(rows))

    def _compiled(self, size):
        """For batches of one size: the variable of the latents, Adam, and a step of it."""
        if size not in self.compiled:
            z = keras.Variable(np.zeros((size, self.pool.shape[1]), np.float32))
            adam = keras.optimizers.Adam(self.schedule, beta_2=_BETA_2)
            adam.build([z])

            def step(targets, *choice):
                def loss():
                    latents = self._held(z.value, *choice) if choice else z.value
                    distances = distance(self.generator(latents, training=False), targets)
                    return ops.sum(distances), distances

                distances, gradients = self.engine.gradients(loss, [z])
                self.engine.update(adam, gradients, [z])
                return distances

            self.compiled[size] = z, adam, self.engine.compiled(step, [z, *adam.variables])
        return self.compiled[size]

    def _held(self, z, choice):
        """`LatentGroups.hold` with a gradient; `choice` is one-hot, (B, groups, variants)."""
        cut = ops.reshape(z, choice.shape)
        levels = cut + ops.cast(self.groups.offsets, "float32")
        others = ops.max(ops.where(choice > 0, -np.inf, levels), 2, keepdims=True)
        missing = ops.relu(others + self.groups.margin - levels)
        return ops.reshape(cut + choice * missing, z.shape)


class _Descents:
    """The starts as rows, those of one target one after another, the nearest first."""

    def __init__(self, z, entries):
        self.state = [z, np.zeros_like(z), np.zeros_like(z)]
        self.distances = np.zeros(len(z), np.float32)
        self.history = np.repeat(z[None], entries, axis=0)

    def keep_nearest(self, n, count):
        """Gives up all but the nearest `count` of each of n targets."""
        distances = self.distances.reshape(n, -1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :count]
        rows = (order + distances.shape[1] * np.arange(n)[:, None]).ravel()
        self.state = [values[rows] for values in self.state]
        self.distances, self.history = self.distances[rows], self.history[:, rows]


def _thumbnails(images):
    """uint8 (n, H, W, C) to float32 of about 16 pixels."""
    size = max(1, min(images.shape[1:3]) // _THUMBNAIL)
    return ops.convert_to_numpy(ops.average_pool(to_float(images), size, size))
