"""Named configurations: the arguments of `WGANGP` but for `batch_size` and `seed`."""

PRESETS = {
    # The reference block, word for word.
    "lines128": {
        "input_dim": (128, 128, 3),
        "critic_conv_filters": [128, 256, 512, 1024],
        "critic_conv_kernel_size": [3, 3, 3, 3],
        "critic_conv_strides": [2, 2, 2, 2],
        "critic_batch_norm_momentum": None,
        "critic_activation": "leaky_relu",
        "critic_dropout_rate": None,
        "critic_learning_rate": 0.0002,
        "generator_initial_dense_layer_size": (8, 8, 512),
        "generator_upsample": [1, 1, 1, 1],
        "generator_conv_filters": [512, 256, 128, 3],
        "generator_conv_kernel_size": [6, 6, 6, 6],
        "generator_conv_strides": [2, 2, 2, 2],
        "generator_batch_norm_momentum": 0.9,
        "generator_activation": "leaky_relu",
        "generator_dropout_rate": None,
        "generator_learning_rate": 0.0002,
        "optimiser": "adam",
        "grad_weight": 10,
        "z_dim": 100,
    },
}

# The same recipe with a quarter of the filters and of the pixels, for an evening with a laptop.
PRESETS["lines64"] = PRESETS["lines128"] | {
    "input_dim": (64, 64, 3),
    "critic_conv_filters": [32, 64, 128, 256],
    "generator_initial_dense_layer_size": (4, 4, 128),
    "generator_conv_filters": [128, 64, 32, 3],
}


def preset(name: str, image_size: int | None = None) -> dict:
    """The arguments of a preset, with another `image_size` (pixels) where one is given.

    Raises:
        ValueError: an unknown name.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, received {name!r}")
    arguments = dict(PRESETS[name])
    if image_size is not None:
        arguments["input_dim"] = (image_size, image_size, 3)
    return arguments
