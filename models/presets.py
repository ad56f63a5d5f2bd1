"""Named configurations: the arguments of `WGANGP` and of its training."""

from argparse import Namespace

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

# What docs/experiments.md found: the critic's last layer sees the whole image, and the generator's
# first ones are the whole image, so that both can count lines.
_BEST = {
    "critic_learning_rate": 0.002,
    "generator_learning_rate": 0.002,
    "grad_weight": 5,
    "loss": "relativistic",
    "penalty": "zero-centred",
    "penalty_every": 4,
    "adam_betas": (0.0, 0.99),
    "initial_weights": "he",
    "generator_average": 200_000,
    "learning_rate_decay": 0.4,
}
PRESETS["lines64-best"] = PRESETS["lines64"] | {
    **_BEST,
    "critic_conv_filters": [64, 128, 256],
    "critic_conv_kernel_size": [8, 4, 4],
    "critic_conv_strides": [4, 4, 4],
    "generator_initial_dense_layer_size": (1, 1, 256),
    "generator_upsample": [1, 1, 1, 1],
    "generator_conv_filters": [256, 128, 64, 3],
    "generator_conv_kernel_size": [1, 4, 4, 8],
    "generator_conv_strides": [1, 4, 4, 4],
}
PRESETS["lines128-best"] = PRESETS["lines64-best"] | {
    "input_dim": (128, 128, 3),
    "critic_conv_filters": [64, 128, 256, 256],
    "critic_conv_kernel_size": [8, 4, 4, 2],
    "critic_conv_strides": [4, 4, 4, 2],
    "generator_upsample": [1, 1, 1, 1, 1],
    "generator_conv_filters": [256, 256, 128, 64, 3],
    "generator_conv_kernel_size": [1, 2, 4, 4, 8],
    "generator_conv_strides": [1, 2, 4, 4, 4],
}

_REFERENCE_TRAINING = {"epochs": 1201, "batch_size": 16, "print_every": 100, "n_critic": 5}
_BEST_TRAINING = {"epochs": 100_000, "batch_size": 16, "print_every": 1000, "n_critic": 1}


def preset(name: str, image_size: int | None = None) -> dict:
    """The arguments of `WGANGP` but for `batch_size` and `seed`.

    Args:
        name: one of `PRESETS`.
        image_size: pixels, where another than the preset's is wanted.

    Raises:
        ValueError: an unknown name.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, received {name!r}")
    arguments = dict(PRESETS[name])
    if image_size is not None:
        arguments["input_dim"] = (image_size, image_size, 3)
    return arguments


def filled(arguments: Namespace) -> Namespace:
    """Arguments of a command line in which what a preset says stands in for every None."""
    training = _BEST_TRAINING if arguments.preset.endswith("-best") else _REFERENCE_TRAINING
    chosen = {name: value for name, value in vars(arguments).items() if value is not None}
    return Namespace(**vars(arguments) | training | chosen)
