"""The exponential moving average (EMA) of a generator's weights."""

import keras
import numpy as np
from keras import layers, ops

from models.forward import run

_CALIBRATION = 512  # latents that batch statistics are computed from
_RAMP = 0.1  # half-life as a share of the images seen, while that is shorter


class Average:
    """A generator whose weights are the EMA of another's while that one is trained.

    Weights that circle around a good point come to rest in it (section 3.2 of arXiv:1806.04498).
    In the beginning the half-life is a tenth of the images seen, so that the useless first weights
    are forgotten soon (appendix C of arXiv:2006.06676).

    Batch statistics are not averaged, since they belong to other weights. `with_statistics`
    computes them from 512 latents, always the same.

    Args:
        generator: the one to follow, a graph of layers, each called once.
        half_life: in images.

    Attributes:
        generator: the averaged one, a Keras model.
    """

    def __init__(self, generator: keras.Model, half_life: float):
        self.half_life = half_life
        self.generator = keras.models.clone_model(generator)
        for mean, weight in zip(self.generator.weights, generator.weights, strict=True):
            # A copy: JAX must not see one array as the value of two variables.
            mean.assign(np.array(ops.convert_to_numpy(weight)))

    def _pairs(self, generator):
        return zip(self.generator.trainable_variables, generator.trainable_variables, strict=True)

    def decay(self, epoch: int, batch_size: int) -> float:
        """EMA decay for this epoch, counted from 0; 0 forgets the initial weights."""
        half_life = min(self.half_life, _RAMP * epoch * batch_size)
        return 0.5 ** (batch_size / half_life) if half_life else 0.0

    def update(self, generator: keras.Model, decay) -> None:
        """mean ← decay·mean + (1 − decay)·weights of `generator`."""
        for mean, weight in self._pairs(generator):
            mean.assign(decay * mean + (1 - decay) * weight)

    def with_statistics(self) -> keras.Model:
        """The averaged generator, its batch statistics computed anew for its weights."""
        (size,) = self.generator.input_shape[1:]
        x = np.random.default_rng(0).standard_normal((_CALIBRATION, size), np.float32)

        def compute(layer, inputs):
            if isinstance(layer, layers.BatchNormalization):
                mean, variance = ops.moments(inputs, tuple(range(len(inputs.shape) - 1)))
                layer.moving_mean.assign(mean)
                layer.moving_variance.assign(variance)
            return ops.convert_to_numpy(layer(inputs, training=False))

        run(self.generator, x, compute)
        return self.generator
