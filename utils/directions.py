"""Directions in latent space along which a generator's images change the most."""

import keras
import numpy as np

from utils.latents import latents

_SAMPLES = 2048


def principal_directions(generator: keras.Model, count: int = 8) -> np.ndarray:
    """Principal directions of the activations of the generator's first layer, as latents.

    Härkönen et al. 2020 (GANSpace), arXiv:2004.02546, look for the principal components of the
    first layer's activations over random latents, and for the latents that lead along them. The
    first layer is linear, so that both have a closed form, the singular vectors of its matrix (Shen
    and Zhou 2020, SeFa, arXiv:2007.06600). The matrix is found by least squares, whatever the kind
    of the layer; where it has an activation of its own, its linear part counts.

    Args:
        generator: maps (B, z_dim) to images.
        count: number of directions, at most z_dim.

    Returns:
        float32 (count, z_dim), each of length 1, that is, one standard deviation of the latents
        along it; at right angles to each other; the one that changes the most first.
    """
    z_dim = generator.input_shape[1]
    z = latents(list(range(_SAMPLES)), z_dim)
    first = next(layer for layer in generator.layers if layer.weights)
    activations = keras.Model(generator.inputs, first.output).predict(z, verbose=0)
    flat = activations.reshape(_SAMPLES, -1)
    inputs = z - z.mean(0)
    matrix = np.linalg.lstsq(inputs, flat - flat.mean(0))[0]  # (z_dim, activations)
    _, vectors = np.linalg.eigh(matrix.astype(float) @ matrix.T)
    directions = vectors.T[::-1][: min(count, z_dim)]
    # An eigenvector has no sign of its own; the same generator always gives the same.
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(1)])
    return (directions * signs[:, None]).astype(np.float32)
