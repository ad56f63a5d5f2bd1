"""Named configurations, and networks for any size: the arguments of `WGANGP` and its training."""

from argparse import Namespace

from utils.images import SIZES

_FINEST = 4  # layers of the reference networks, whose critic begins with 128 filters


def networks_for(image_size: int, channels: int = 3, width: float = 1) -> dict:
    """The arguments of `WGANGP` that shape both networks; 128 pixels give the reference block.

    Every layer of the critic halves height and width and doubles the filters, up to 1,024; the
    generator goes the other way. There are four layers, as in the reference, and one more for every
    doubling of the pixels beyond 128, so that the coarsest feature map has 8×8 pixels (4×4 of 64,
    2×2 of 32).

    Args:
        image_size: height and width of the images, one of `SIZES`.
        channels: 3, or 1 for grey images.
        width: factor of all numbers of filters; a quarter takes a sixteenth of the arithmetic.

    Raises:
        ValueError: another size, number of channels, or a width that leaves no filter.
    """
    if image_size not in SIZES:
        raise ValueError(
            f"image_size must be one of {', '.join(map(str, SIZES))}, received {image_size}"
        )
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, received {channels}")
    if not 1 / 32 <= width <= 8:
        raise ValueError(f"width must lie between 1/32 and 8, received {width:g}")
    layers = max(_FINEST, (image_size // 8).bit_length() - 1)
    side = image_size >> layers
    critic = [round(width * (1024 >> (layers - 1 - i))) for i in range(layers)]
    generator = [round(width * (512 >> i)) for i in range(layers - 1)]
    return {
        "input_dim": (image_size, image_size, channels),
        "critic_conv_filters": critic,
        "critic_conv_kernel_size": [3] * layers,
        "critic_conv_strides": [2] * layers,
        "generator_initial_dense_layer_size": (side, side, round(width * 512)),
        "generator_upsample": [1] * layers,
        "generator_conv_filters": [*generator, channels],
        "generator_conv_kernel_size": [6] * layers,
        "generator_conv_strides": [2] * layers,
    }


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
PRESETS["lines64"] = PRESETS["lines128"] | networks_for(64, width=1 / 4)

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
_ENDLESS = 1_000_000_000
_BEST_TRAINING = {"epochs": 100_000, "batch_size": 16, "print_every": 1000, "n_critic": 1}


def preset(
    name: str,
    image_size: int | None = None,
    width: float | None = None,
    channels: int = 3,
) -> dict:
    """The arguments of `WGANGP` but for `batch_size` and `seed`.

    Args:
        name: one of `PRESETS`.
        image_size, width: of `networks_for`, whose networks then take the place of the preset's;
            where only one is given the other is the preset's own size, or 1.
        channels: 3, or 1 for grey images.

    Raises:
        ValueError: an unknown name, or what `networks_for` refuses.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, received {name!r}")
    arguments = dict(PRESETS[name])
    size = arguments["input_dim"][0]
    if image_size or width:
        if name.endswith("-best"):
            raise ValueError(
                f"{name} has networks of its own for {size} pixels; --image-size and --width go "
                "with lines128"
            )
        return arguments | networks_for(image_size or size, channels, width or 1)
    filters = [*arguments["generator_conv_filters"][:-1], channels]
    return arguments | {"input_dim": (size, size, channels), "generator_conv_filters": filters}


def filled(arguments: Namespace) -> Namespace:
    """Arguments of a command line in which what a preset says stands in for every None.

    With `minutes` alone, the reference recipe is trained for as many epochs as fit; the others keep
    their number, by which their learning rates fall.
    """
    best = arguments.preset.endswith("-best")
    training = dict(_BEST_TRAINING if best else _REFERENCE_TRAINING)
    if arguments.minutes is not None and not best:
        training["epochs"] = _ENDLESS
    chosen = {name: value for name, value in vars(arguments).items() if value is not None}
    return Namespace(**vars(arguments) | training | chosen)
