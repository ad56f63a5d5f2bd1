"""Initial weights of networks, and their optimisers."""

import keras
import numpy as np
from keras import layers

from models.networks.parts import LEAKY_SLOPE, WEIGHT_STDDEV


def initialise(
    networks: tuple[keras.Model, ...], seed: int, initial_weights: str = "normal"
) -> None:
    """Draws kernels and the states of dropout by `seed`, the same on every backend.

    Args:
        networks: their variables are set.
        seed: of the random numbers.
        initial_weights: `"normal"`, N(0, 0.02), or `"he"`, which keeps the variance of values
            through a layer and LeakyReLU (equation 15 of arXiv:1502.01852).
    """
    rng = np.random.default_rng((seed, 0, 2))  # 2: see WGANGP.noise
    layers_and_variables = [
        (layer, v) for network in networks for layer in network.layers for v in layer.variables
    ]
    for layer, variable in layers_and_variables:
        if variable.name == "kernel" and layer.trainable:
            values = rng.standard_normal(variable.shape, np.float32)
            variable.assign(values * np.float32(_stddev(layer, initial_weights)))
        elif variable.name == "seed_generator_state":
            variable.assign(rng.integers(2**31, size=variable.shape))


def _stddev(layer: layers.Layer, initial_weights: str) -> float:
    own = getattr(layer.kernel_initializer, "stddev", WEIGHT_STDDEV)
    if own != WEIGHT_STDDEV or initial_weights == "normal":
        return own
    shape = layer.kernel.shape
    fan_in = np.prod(shape[:-1])
    if isinstance(layer, layers.Conv2DTranspose):
        # Its kernel is (H, W, filters, channels); with a stride, each pixel sees a part of it only.
        fan_in = shape[0] * shape[1] * shape[3] / np.prod(layer.strides)
    return float(np.sqrt(2 / ((1 + LEAKY_SLOPE**2) * fan_in)))


def build_optimiser(
    name: str,
    learning_rate: float,
    betas: tuple[float, float],
    weight_decay: float,
    epsilon: float,
    network: keras.Model,
    scale_losses: bool,
) -> keras.optimizers.Optimizer:
    """The optimiser of a network: `"adam"` with its β1 and β2, or `"rmsprop"`, its slots made.

    `weight_decay` times the learning rate is taken off every weight before each update; `epsilon`
    is added to the root of the mean squared gradient, which divides a step. With
    `scale_losses` it multiplies losses (`scale_loss`) so that float16 gradients do not vanish,
    divides the gradients again, and skips an update that overflows.

    Raises:
        ValueError: any other name.
    """
    if name == "adam":
        kind, options = keras.optimizers.Adam, {"beta_1": betas[0], "beta_2": betas[1]}
    elif name == "rmsprop":
        kind, options = keras.optimizers.RMSprop, {}
    else:
        raise ValueError(f"optimiser must be 'adam' or 'rmsprop', received {name!r}")
    options |= {"weight_decay": weight_decay or None, "epsilon": epsilon}
    optimiser = kind(learning_rate, name=f"{network.name}_optimiser", **options)
    if scale_losses:
        scaled = f"{network.name}_scaled_optimiser"
        optimiser = keras.optimizers.LossScaleOptimizer(optimiser, name=scaled)
    optimiser.build(network.trainable_variables)
    return optimiser
