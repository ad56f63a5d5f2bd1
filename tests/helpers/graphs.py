"""Networks of many layers, which branch and join."""

import keras
import numpy as np
from keras import layers


def graph_generator():
    """Latents (B, 8) to images (B, 6, 6, 3): rows and columns are added, colours are a palette.

    It has one-hot groups of latents, a branch that is joined by Concatenate, batch norm, a weight
    that is not trained, and a convolution without a bias.
    """
    z = layers.Input((8,), name="z")
    groups = layers.Reshape((2, 4), name="groups")(z)
    sharp = layers.Rescaling(100.0, name="sharp")(groups)
    one_hot = layers.Flatten(name="one_hot")(layers.Softmax(name="choice")(sharp))
    both = layers.Concatenate(name="both")([one_hot, z])
    rows = layers.Dense(6 * 5, name="rows")(both)
    rows = layers.BatchNormalization(name="norm")(rows)
    rows = layers.Reshape((6, 1, 5), name="rows_shape")(rows)
    columns = layers.Dense(6 * 5, name="columns", use_bias=False)(both)
    columns = layers.Reshape((1, 6, 5), name="columns_shape")(columns)
    logits = layers.Add(name="logits")([rows, columns])
    colours = layers.Softmax(name="colours")(layers.Rescaling(4.0, 0.25, name="scaled")(logits))
    palette = layers.Conv2D(3, 1, use_bias=False, trainable=False, name="generator_palette")
    return keras.Model(z, palette(colours), name="generator")


def every_kind():
    """A network that has every kind of layer, with settings that are not their defaults."""
    z = keras.Input((8,))
    x = layers.Dense(6 * 5 * 8, activation="elu", use_bias=False)(z)
    x = layers.Softmax(axis=1)(layers.Reshape((6, 5, 8))(x))
    x = layers.Rescaling(20.0, [[[0.5] * 8]])(x)
    x = layers.Flatten()(layers.Permute((2, 1, 3))(x))
    x = layers.Reshape((6, 5, 8))(layers.LayerNormalization(epsilon=0.1, scale=False)(x))
    x = layers.ReLU(max_value=0.9, negative_slope=0.1, threshold=0.05)(x)
    x = layers.Conv2D(8, (3, 1), dilation_rate=(2, 1), padding="same", groups=4)(x)
    x = layers.GroupNormalization(groups=2, epsilon=0.1, center=False)(x)
    x = layers.ELU(alpha=0.3)(layers.GaussianNoise(0.5)(x))
    x = layers.PReLU(shared_axes=[1, 2])(layers.SpatialDropout2D(0.3)(x))
    x = layers.AveragePooling2D((2, 1), strides=1, padding="same")(x)
    x = layers.MaxPooling2D((1, 3), strides=(1, 1))(x)
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(layers.Dropout(0.2)(x))
    x = layers.Cropping2D(((0, 1), (1, 0)))(x)
    x = layers.Conv2DTranspose(6, 3, strides=2, output_padding=0, padding="same")(x)
    x = layers.BatchNormalization(epsilon=0.2, scale=False, momentum=0.5)(x)
    x = layers.LeakyReLU(negative_slope=0.05)(x)
    x = layers.UpSampling2D((1, 2), interpolation="bilinear")(x)
    parts = layers.Conv2D(3, 1)(x), layers.Conv2D(3, 1, strides=1, activation="silu")(x)
    x = layers.Concatenate(axis=1)([layers.Add()(parts), layers.Multiply()(parts)])
    x = layers.Activation("tanh")(layers.LayerNormalization(center=False)(x))
    return with_weights(keras.Model(z, x, name="generator"))


def with_weights(network):
    """The network with weights that are not 0, its moving averages too."""
    rng = np.random.default_rng(1)
    for variable in network.weights:
        if "seed" not in variable.path:
            values = rng.standard_normal(variable.shape) * 0.3
            variable.assign(np.abs(values) if "variance" in variable.path else values)
    return network
