"""Critic and generator from lists with one value per layer, as the reference block gives them."""

import keras
from keras import layers

from models.networks.parts import activated, activation_layer, dropout_layer, weights


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
    images = layers.Input(input_dim, name="critic_input")
    x = convolved(
        images,
        conv_filters,
        conv_kernel_size,
        conv_strides,
        batch_norm_momentum,
        activation,
        dropout_rate,
    )
    scores = layers.Dense(1, name="critic_score", **weights())(x)
    return keras.Model(images, scores, name="critic")


def convolved(
    images,
    conv_filters: list[int],
    conv_kernel_size: list[int],
    conv_strides: list[int],
    batch_norm_momentum: float | None = None,
    activation: str = "leaky_relu",
    dropout_rate: float | None = None,
):
    """What the convolutions of a critic make of images (B, H, W, C), flattened: (B, features).

    Raises:
        ValueError: as `build_critic`.
    """
    _check_lengths(
        critic_conv_filters=conv_filters,
        critic_conv_kernel_size=conv_kernel_size,
        critic_conv_strides=conv_strides,
    )
    _check_activation("critic_activation", activation)
    x = images
    rows = zip(conv_filters, conv_kernel_size, conv_strides, strict=True)
    for i, (filters, kernel_size, strides) in enumerate(rows):
        x = layers.Conv2D(
            filters, kernel_size, strides, padding="same", name=f"critic_conv_{i}", **weights()
        )(x)
        if batch_norm_momentum is not None and i > 0:
            x = layers.BatchNormalization(
                momentum=batch_norm_momentum, name=f"critic_batch_norm_{i}"
            )(x)
        x = activation_layer(activation, f"critic_activation_{i}")(x)
        if dropout_rate is not None:
            x = dropout_layer(dropout_rate, f"critic_dropout_{i}")(x)
    return layers.Flatten(name="critic_flatten")(x)


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
