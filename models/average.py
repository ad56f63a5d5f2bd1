"""The running mean of a generator's weights."""

import keras
import numpy as np
from keras import layers, ops

_SETTLING = 512  # latents that batch statistics are taken from
_RAMP = 0.1  # half-life as a share of the images seen, while that is shorter


class Average:
    """A generator whose weights are the exponential mean of another's while that is trained.

    Weights that circle around a good point come to rest in it (section 3.2 of arXiv:1806.04498).
    In the beginning the half-life is a tenth of the images seen, so that the first, useless weights
    are forgotten soon (appendix C of arXiv:2006.06676).

    Batch statistics are not averaged: they belong to other weights. `settle` takes them from what
    the mean generator itself makes of 512 latents, always the same.

    Args:
        generator: the one to follow, a chain of layers.
        half_life: in images.

    Raises:
        ValueError: a half-life that is not above 0.

    Attributes:
        generator: the mean, a Keras model.
    """

    def __init__(self, generator: keras.Model, half_life: float):
        if half_life <= 0:
            raise ValueError(f"generator_average must be a number of images, received {half_life}")
        self.half_life = half_life
        self.generator = keras.models.clone_model(generator)
        for mean, weight in self._pairs(generator):
            mean.assign(np.array(ops.convert_to_numpy(weight)))  # JAX must not see one for both

    def _pairs(self, generator):
        return zip(self.generator.trainable_variables, generator.trainable_variables, strict=True)

    def kept(self, epoch: int, batch_size: int) -> float:
        """Share of the mean that stays when the weights of an epoch, counted from 0, come in."""
        half_life = min(self.half_life, _RAMP * epoch * batch_size)
        return 0.5 ** (batch_size / half_life) if half_life else 0.0

    def follow(self, generator: keras.Model, kept) -> None:
        """Takes in the weights of `generator`; `kept` of the mean stays."""
        for mean, weight in self._pairs(generator):
            mean.assign(kept * mean + (1 - kept) * weight)

    def settle(self) -> keras.Model:
        """The mean generator with the batch statistics that belong to its weights."""
        (size,) = self.generator.input_shape[1:]
        x = np.random.default_rng(0).standard_normal((_SETTLING, size), np.float32)
        for layer in self.generator.layers[1:]:
            if isinstance(layer, layers.BatchNormalization):
                mean, variance = ops.moments(x, tuple(range(len(x.shape) - 1)))
                layer.moving_mean.assign(mean)
                layer.moving_variance.assign(variance)
            x = ops.convert_to_numpy(layer(x, training=False))
        return self.generator
