"""Writes tests/data/keras2_*: generators as Keras 2 saves them, and the images that they draw.

The tests do not run it: they read its output from `tests/data`. To run it, in a virtual
environment of its own: `pip install tensorflow==2.20.* tf_keras==2.20.*`, then
`python tests/helpers/make_keras2.py`.
"""

from pathlib import Path

import numpy as np
import tf_keras
from tf_keras import layers

DATA = Path(__file__).parents[1] / "data"


def chain(first):
    """The layers of a generator; `first` are more arguments of the first one."""
    return [
        layers.Dense(4 * 4 * 6, use_bias=False, **first),
        layers.BatchNormalization(momentum=0.9),
        layers.LeakyReLU(alpha=0.2),
        layers.Reshape((4, 4, 6)),
        layers.Conv2DTranspose(5, 4, strides=2, padding="same"),
        layers.BatchNormalization(epsilon=0.01),
        layers.Activation("relu"),
        layers.Dropout(0.3),
        layers.UpSampling2D(),
        layers.Conv2D(4, 3, padding="same", activation="leaky_relu"),
        layers.ReLU(negative_slope=0.1),
        layers.Conv2DTranspose(3, 3, padding="same", activation="tanh"),
    ]


def functional():
    """A generator of the functional interface."""
    z = x = layers.Input((5,))
    for layer in chain({}):
        x = layer(x)
    return tf_keras.Model(z, x)


def sequential():
    """The same layers as a Sequential network, whose first layer has the input's shape."""
    return tf_keras.Sequential(chain({"input_shape": (5,)}))


def main():
    """Writes an `.h5` and an `.npz` (`z`, `images`) for each."""
    rng = np.random.default_rng(1)
    for make in (functional, sequential):
        generator = make()
        for variable in generator.variables:
            values = rng.normal(0, 0.25, variable.shape)
            # A variance is positive.
            variable.assign(np.abs(values) + 0.2 if "variance" in variable.name else values)
        path = DATA / f"keras2_{make.__name__}.h5"
        generator.save(path)
        z = rng.standard_normal((4, 5), np.float32)
        np.savez_compressed(path.with_suffix(".npz"), z=z, images=generator.predict(z, verbose=0))


if __name__ == "__main__":
    main()
