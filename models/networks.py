"""Critic and generator from lists with one value per layer; their weights and optimisers."""

import keras
import numpy as np
from keras import layers

LEAKY_SLOPE = 0.2
WEIGHT_STDDEV = 0.02

SHARPNESS = 1e4
"""Factor of the latents before the softmax that makes them one-hot."""


def build_critic(
    input_dim: tuple[int, int, int],
    conv_filters: list[int],
    conv_kernel_size: list[int],
    conv_strides: list[int],
    batch_norm_momentum: float | None,
    activation: str,
    dropout_rate: float | None,
) -> keras.Model:
    """Images (B, H, W, C) in [-1, 1] to one unbounded score each (B, 1).

    Per layer: convolution, batch norm (not on the first), activation, dropout; then one dense unit.

    Raises:
        ValueError: lists of unequal length, or an unknown activation.
    """
    _check_lengths(
        critic_conv_filters=conv_filters,
        critic_conv_kernel_size=conv_kernel_size,
        critic_conv_strides=conv_strides,
    )
    _check_activation("critic_activation", activation)
    images = x = layers.Input(input_dim, name="critic_input")
    rows = zip(conv_filters, conv_kernel_size, conv_strides, strict=True)
    for i, (filters, kernel_size, strides) in enumerate(rows):
        x = layers.Conv2D(
            filters, kernel_size, strides, padding="same", name=f"critic_conv_{i}", **weights()
        )(x)
        if batch_norm_momentum is not None and i > 0:
            x = layers.BatchNormalization(
                momentum=batch_norm_momentum, name=f"critic_batch_norm_{i}"
            )(x)
        x = _activation(activation, f"critic_activation_{i}")(x)
        if dropout_rate is not None:
            x = _dropout(dropout_rate, f"critic_dropout_{i}")(x)
    x = layers.Flatten(name="critic_flatten")(x)
    scores = layers.Dense(1, name="critic_score", **weights())(x)
    return keras.Model(images, scores, name="critic")


def build_generator(
    z_dim: int,
    initial_dense_layer_size: tuple[int, int, int],
    upsample: list[int],
    conv_filters: list[int],
    conv_kernel_size: list[int],
    conv_strides: list[int],
    batch_norm_momentum: float | None,
    activation: str,
    dropout_rate: float | None,
) -> keras.Model:
    """Latents (B, z_dim) to images (B, H, W, C) in [-1, 1].

    A dense layer, then per entry a transposed convolution (`upsample` 1) or a doubling of the
    pixels followed by a convolution (`upsample` 2); batch norm, activation and dropout after all
    but the last, whose activation is tanh.

    Raises:
        ValueError: lists of unequal length, an unknown activation, or an `upsample` other than 1
            and 2.
    """
    _check_lengths(
        generator_upsample=upsample,
        generator_conv_filters=conv_filters,
        generator_conv_kernel_size=conv_kernel_size,
        generator_conv_strides=conv_strides,
    )
    _check_activation("generator_activation", activation)
    if set(upsample) - {1, 2}:
        raise ValueError(
            f"generator_upsample must hold 1 (transposed convolution) or 2 (upsampling and "
            f"convolution), received {list(upsample)}"
        )

    def hidden(x, i):
        return activated(x, f"{i}", batch_norm_momentum, activation, dropout_rate)

    height, width, channels = initial_dense_layer_size
    z = layers.Input((z_dim,), name="generator_input")
    x = layers.Dense(height * width * channels, name="generator_dense", **weights())(z)
    x = hidden(x, 0)
    x = layers.Reshape((height, width, channels), name="generator_reshape")(x)
    rows = zip(upsample, conv_filters, conv_kernel_size, conv_strides, strict=True)
    for i, (factor, filters, kernel_size, strides) in enumerate(rows, start=1):
        if factor == 2:
            x = layers.UpSampling2D(name=f"generator_upsample_{i}")(x)
        convolution = layers.Conv2D if factor == 2 else layers.Conv2DTranspose
        x = convolution(
            filters, kernel_size, strides, padding="same", name=f"generator_conv_{i}", **weights()
        )(x)
        if i < len(conv_filters):
            x = hidden(x, i)
    images = layers.Activation("tanh", name="generator_tanh")(x)
    return keras.Model(z, images, name="generator")


def activated(
    x,
    name: str,
    batch_norm_momentum: float | None,
    activation: str = "leaky_relu",
    dropout_rate: float | None = None,
):
    """What follows a generator's layer but the last: batch norm, activation, dropout.

    Args:
        x: the layer's output.
        name: last part of the new layers' names.
        batch_norm_momentum, activation, dropout_rate: as for `build_generator`.
    """
    if batch_norm_momentum is not None:
        norm = layers.BatchNormalization(
            momentum=batch_norm_momentum, name=f"generator_batch_norm_{name}"
        )
        x = norm(x)
    x = _activation(activation, f"generator_activation_{name}")(x)
    if dropout_rate is not None:
        x = _dropout(dropout_rate, f"generator_dropout_{name}")(x)
    return x


def one_hot(z, groups: int, variants: int):
    """Latents (B, groups·variants) to one one-hot vector per group, side by side in that shape.

    The softmax of very large values is one-hot, and a standard normal z chooses uniformly.

    Raises:
        ValueError: no choice.
    """
    if groups < 1 or variants < 2:
        raise ValueError(
            f"expected 1 or more groups of 2 or more variants, received {groups} of {variants}"
        )
    choice = layers.Reshape((groups, variants), name="generator_groups")(z)
    choice = layers.Rescaling(SHARPNESS, name="generator_sharpen")(choice)
    choice = layers.Softmax(name="generator_choice")(choice)
    return layers.Flatten(name="generator_one_hot")(choice)


def checked_palette(palette: np.ndarray, channels: int) -> np.ndarray:
    """A palette, uint8 (K, channels) with K at least 2, as it is.

    Raises:
        ValueError: another shape.
    """
    palette = np.asarray(palette)
    if palette.ndim != 2 or palette.shape[1] != channels or len(palette) < 2:
        raise ValueError(
            f"palette must hold 2 or more colours of {channels} channels, received {palette.shape}"
        )
    return palette


def mixed(shares, palette: np.ndarray):
    """Shares of the K colours of a palette (B, H, W, K) to images (B, H, W, C) in [-1, 1].

    A 1×1 convolution, whose weights are the colours, uint8 (K, C), and are not trained.
    """
    mix = layers.Conv2D(
        palette.shape[1], 1, use_bias=False, trainable=False, name="generator_palette"
    )
    images = mix(shares)
    mix.kernel.assign(palette.astype(np.float32)[None, None] / 127.5 - 1)
    return images


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
    network: keras.Model,
    scale_losses: bool,
) -> keras.optimizers.Optimizer:
    """The optimiser of a network: `"adam"` with its β1 and β2, or `"rmsprop"`, its slots made.

    `weight_decay` times the learning rate is taken off every weight before each update. With
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
    options["weight_decay"] = weight_decay or None
    optimiser = kind(learning_rate, name=f"{network.name}_optimiser", **options)
    if scale_losses:
        scaled = f"{network.name}_scaled_optimiser"
        optimiser = keras.optimizers.LossScaleOptimizer(optimiser, name=scaled)
    optimiser.build(network.trainable_variables)
    return optimiser


def weights() -> dict:
    """The initial weights of a layer, which `initialise` draws."""
    return {"kernel_initializer": keras.initializers.RandomNormal(0.0, WEIGHT_STDDEV)}


def _dropout(rate: float, name: str) -> layers.Layer:
    # The seed is replaced by `initialise`. Without one, Keras on PyTorch draws from a state of the
    # whole process, and no training could be resumed exactly.
    return layers.Dropout(rate, seed=0, name=name)


def _activation(name: str, layer_name: str) -> layers.Layer:
    if name == "leaky_relu":
        return layers.LeakyReLU(LEAKY_SLOPE, name=layer_name)
    return layers.Activation(name, name=layer_name)


def _check_activation(argument: str, name: str) -> None:
    known = isinstance(name, str)
    if known:
        try:
            keras.activations.get(name)
        except ValueError:
            known = False
    if not known:
        raise ValueError(
            f"{argument} must be the name of a Keras activation, such as 'leaky_relu', 'relu' or "
            f"'elu', received {name!r}"
        )


def _check_lengths(**lists: list[int]) -> None:
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        received = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"these lists must all have one value per layer: {received}")
