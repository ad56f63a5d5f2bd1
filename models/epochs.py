"""One epoch: its data, its noise, and its steps compiled into one call."""

import functools
import time

import numpy as np
from keras import ops

from models.augment import random_numbers
from models.training import checkpoint


class Epochs:
    """What a `WGANGP` does with its steps: trains an epoch at a time."""

    def __init__(self):
        self._compiled = {}  # by which critic updates take the penalty

    def noise(self, step, n_critic):
        """Latents, interpolation weights and what augmentation needs, of epoch `step`.

        A pure function of (seed, step, rollbacks). To numpy, missing numbers of such a seed are
        zeros, so the third says what the numbers are for: 0 noise, 1 order, 2 initial weights.
        """
        rng = np.random.default_rng((self.seed, step, 0, self.rollbacks))
        z = rng.standard_normal((n_critic + 1, self.batch_size, self.z_dim), np.float32)
        mix = rng.random((n_critic, self.batch_size, 1, 1, 1), np.float32)
        shape = n_critic + 1, self.batch_size, 2
        return z, mix, random_numbers(self.config["augment"], rng, shape)

    def train_epoch(self, stream, n_critic):
        """Trains one epoch on the next `n_critic` batches; the only synchronisation is its end.

        Of several processes each gives its part of the batches; see `models.engines.processes`.
        """
        real = np.stack([next(stream)[0] for _ in range(n_critic)])
        first, end = self._team.part(self.batch_size)
        noise = [array[:, first:end] for array in self.noise(self.epoch, n_critic)]
        begun, every = self.epoch * n_critic, self.config["penalty_every"]
        penalised = tuple((begun + i) % every == 0 for i in range(n_critic))
        if penalised not in self._compiled:
            self._compiled[penalised] = self._engine.compiled(
                functools.partial(self._epoch, penalised), list(checkpoint.variables(self).values())
            )
        kept = np.float32(self.average.kept(self.epoch, self.batch_size) if self.average else 0)
        losses = self._compiled[penalised](real, *noise, kept)
        *critic, generator = ops.convert_to_numpy(losses).tolist()
        if not any(penalised):
            critic[3] = self.d_losses[-1][3]
        self.d_losses.append(critic)
        self.g_losses.append(generator)
        self.epoch += 1
        self.batches_seen += n_critic

    def time_epoch(self, x_train, n_critic=5):
        """Seconds that one epoch takes once compiled; trains some to find out."""
        checkpoint.follow_first(self, self._team)
        stream = self._positioned(x_train)
        some = self.config["penalty_every"]  # so many have every step, and all that differ
        for _ in range(some):
            self.train_epoch(stream, n_critic)
        start = time.perf_counter()
        for _ in range(some):
            self.train_epoch(stream, n_critic)
        return (time.perf_counter() - start) / some
