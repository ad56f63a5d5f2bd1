"""A generator whose layers branch and join."""

import keras
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
