"""An image to the latents whose picture comes nearest to it: Adam on latents from many starts."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
from keras import ops
from tqdm.auto import tqdm

from models import engines
from utils.drawing import draw, draw_in_batches
from utils.images import to_float

_POOL = 2000  # random latents, of which those that draw the nearest pictures are the starts
_THUMBNAIL = 16  # pixels, about, of the pictures in which these are looked for
_RATE = 0.1  # of Adam, at first
_BETA_2 = 0.9  # of Adam: slopes change so much on the way that those of old say little
_ROUNDS = 4  # of as many steps each; after each but the last, half of the starts are given up
_BATCH = 32  # latents of one step
_GROUP = 32  # images whose starts are in memory at once
_EVERY = 10  # steps between two entries of the history
_COARSEST = 4  # pixels of height and width, at least, of the last level of a pyramid


@dataclasses.dataclass(frozen=True)
class Projection:
    """What a search found.

    Attributes:
        latents: the best of each image, float32 (n, z_dim).
        images: what the generator draws from them, uint8 (n, H, W, C).
        errors: mean absolute difference of their pixels to those wanted, 0…255, float64 (n,).
        history: where the starts that won stood at `times`, float32 (m, n, z_dim).
        times: in steps, int (m,), from 0 to the last step.
    """

    latents: np.ndarray
    images: np.ndarray
    errors: np.ndarray
    history: np.ndarray
    times: np.ndarray


def project(
    generator: keras.Model,
    images: np.ndarray,
    starts: int = 16,
    steps: int = 400,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Projection:
    """Looks for the latents from which a generator draws given images, with a progress bar.

    Gradient descent on latents (Lipton & Tripathi 2017, arXiv:1702.04782), with `distance` as the
    loss. The starts are the nearest of 2,000 random latents. Adam moves them, its rate falling
    from 0.1 to 0.001; after each quarter of the steps the worse half of the starts is given up
    (successive halving, Jamieson & Talwalkar 2016, arXiv:1502.07943). Of those that are left the
    one with the smallest error counts. The generator is in inference mode and stays as it is.

    Args:
        generator: maps (B, z_dim) to (B, H, W, C) in [-1, 1].
        images: those wanted, uint8 (n, H, W, C).
        starts: for each image.
        steps: of Adam, for a start that is not given up.
        seed: of the random latents.
        stop: asked every 10 steps; once it says yes, the search ends with what it has.

    Raises:
        ValueError: images of another type or shape than the generator's; no image, start or step.
    """
    shape = generator.output_shape[1:]
    if images.dtype != np.uint8 or images.shape[1:] != shape or not len(images):
        wanted = f"uint8 (n, {', '.join(map(str, shape))})"
        raise ValueError(f"expected images {wanted}, received {images.dtype} {images.shape}")
    if starts < 1 or steps < 1:
        raise ValueError(f"expected at least 1 start and 1 step, received {starts} and {steps}")
    search = _Search(generator, starts, steps, seed, stop)
    groups = [images[i : i + _GROUP] for i in range(0, len(images), _GROUP)]
    total = len(images) * search.images_per_image
    with tqdm(total=total, unit=" images", desc="Searching", dynamic_ncols=True) as bar:
        found = [search.run(group, bar) for group in groups]
    latents, drawn, errors = (np.concatenate([one[i] for one in found]) for i in range(3))
    history = np.concatenate([one[3] for one in found], axis=1)
    # A search that was stopped stands still from then on.
    entries = 1 + int(np.argmax((history == history[-1]).all(axis=(1, 2))))
    return Projection(latents, drawn, errors, history[:entries], search.times[:entries])


def distance(images, wanted):
    """Mean absolute difference over a pyramid, in which every pixel of every level counts the same.

    A level has half the height and width of the one before, each of its pixels being the mean of
    four: there, a line that is near its place is less wrong than one that is far from it.

    Args:
        images: float32 (n, H, W, C).
        wanted: the same, or one image (1, H, W, C).

    Returns:
        (n,): the sum over levels, down to one of 4 to 7 pixels, of their mean absolute
        differences times 1, 1/4, 1/16 …
    """
    off = images - wanted
    total, weight = ops.mean(ops.abs(off), (1, 2, 3)), 1.0
    while min(off.shape[1:3]) >= 2 * _COARSEST:
        off, weight = ops.average_pool(off, 2, 2), weight / 4
        total = total + weight * ops.mean(ops.abs(off), (1, 2, 3))
    return total


class _Search:
    """What the searches for several groups of images share."""

    def __init__(self, generator, starts, steps, seed, stop):
        self.generator = generator
        self.stop = stop
        ends = np.linspace(0, steps, _ROUNDS + 1).astype(int)
        counts = [-(-starts // 2**i) for i in range(_ROUNDS)]
        self.rounds = list(zip(counts, ends[:-1], ends[1:], strict=True))
        self.images_per_image = int(np.dot(counts, np.diff(ends)))
        self.times = np.union1d(ends, np.arange(0, steps, _EVERY))
        # Two numbers: of one, seed 7 would find the very latents that draw image 7 in its pool.
        random = np.random.default_rng((seed, 3))
        shape = max(_POOL, starts), generator.input_shape[1]
        self.pool = random.standard_normal(shape, np.float32)
        drawn = draw_in_batches(generator, self.pool)
        self.thumbnails = np.concatenate([_thumbnails(images) for images in drawn])
        self.engine = engines.load()
        self.schedule = keras.optimizers.schedules.PolynomialDecay(_RATE, steps, _RATE / 100)
        self.compiled = {}

    def run(self, wanted, bar):
        """Latents, their images and errors, and the history, for images uint8 (n, H, W, C)."""
        n, walks = len(wanted), _Walks(self._starts(wanted), len(self.times))
        for count, begin, end in self.rounds:
            if self.stop():
                break
            walks.keep(n, count)
            repeated = np.repeat(wanted, count, axis=0)
            for first in range(0, n * count, _BATCH):
                rows = np.arange(first, min(first + _BATCH, n * count))
                self._descend(walks, rows, repeated, begin, end, bar)
        z = walks.state[0]
        drawn = draw(self.generator, z).reshape(n, -1, *wanted.shape[1:])
        errors = np.abs(drawn.astype(np.int16) - wanted[:, None]).mean((2, 3, 4))
        each, best = np.arange(n), errors.argmin(axis=1)
        rows = each * errors.shape[1] + best
        return z[rows], drawn[each, best], errors[each, best], walks.path[:, rows]

    def _starts(self, wanted):
        """The latents of the pool that draw the nearest pictures, image by image."""
        off = [distance(self.thumbnails, one[None]) for one in _thumbnails(wanted)]
        order = np.argsort([ops.convert_to_numpy(one) for one in off], axis=1, kind="stable")
        return self.pool[order[:, : self.rounds[0][0]]].reshape(-1, self.pool.shape[1])

    def _descend(self, walks, rows, wanted, begin, end, bar):
        """Moves the walks in some rows from one step to another."""
        size = min(_BATCH, len(walks.off))
        z, adam, step = self._compiled(size)
        state = [z, *adam.variables[-2:]]  # the latents, and Adam's two moving means of each
        filled = np.resize(rows, size)  # the last batch repeats some, to be as large as the others
        for variable, values in zip(state, walks.state, strict=True):
            variable.assign(values[filled])
        adam.iterations.assign(begin)
        wanted = ops.convert_to_tensor(to_float(wanted[filled]))
        for entry in np.flatnonzero((self.times > begin) & (self.times <= end)):
            if self.stop():
                return
            length = self.times[entry] - self.times[entry - 1]
            for _ in range(length):
                off = step(wanted)
            for variable, values in zip(state, walks.state, strict=True):
                values[rows] = ops.convert_to_numpy(variable)[: len(rows)]
            walks.off[rows] = ops.convert_to_numpy(off)[: len(rows)]
            walks.path[entry:, rows] = walks.state[0][rows]
            bar.update(int(length) * len(rows))

    def _compiled(self, size):
        """For batches of one size: the variable of the latents, Adam, and a step of it."""
        if size not in self.compiled:
            z = keras.Variable(np.zeros((size, self.pool.shape[1]), np.float32))
            adam = keras.optimizers.Adam(self.schedule, beta_2=_BETA_2)
            adam.build([z])

            def step(wanted):
                def loss():
                    off = distance(self.generator(z.value, training=False), wanted)
                    return ops.sum(off), off

                off, gradients = self.engine.gradients(loss, [z])
                self.engine.update(adam, gradients, [z])
                return off

            self.compiled[size] = z, adam, self.engine.compiled(step, [z, *adam.variables])
        return self.compiled[size]


class _Walks:
    """Where starts stand: rows, those of one image one after another, the nearest first."""

    def __init__(self, z, entries):
        self.state = [z, np.zeros_like(z), np.zeros_like(z)]
        self.off = np.zeros(len(z), np.float32)
        self.path = np.repeat(z[None], entries, axis=0)

    def keep(self, n, count):
        """Gives up all but the nearest `count` of each of n images."""
        off = self.off.reshape(n, -1)
        order = np.argsort(off, axis=1, kind="stable")[:, :count]
        rows = (order + off.shape[1] * np.arange(n)[:, None]).ravel()
        self.state = [values[rows] for values in self.state]
        self.off, self.path = self.off[rows], self.path[:, rows]


def _thumbnails(images):
    """uint8 (n, H, W, C) to float32 of about 16 pixels."""
    size = max(1, min(images.shape[1:3]) // _THUMBNAIL)
    return ops.convert_to_numpy(ops.average_pool(to_float(images), size, size))
