"""Recipes by name: networks, hyperparameters and options that go together.

This module imports no framework, so a command line knows its choices before one is loaded.
"""

from dataclasses import dataclass, field, replace

from models.networks.shapes import Fast, Tables, networks_for
from models.recipe import Options, Recipe
from utils.images import SIZES


@dataclass(frozen=True)
class Preset:
    """A named configuration, which `models.build.build_gan` makes a GAN of.

    Attributes:
        networks: arguments of `WGANGP`, all of the reference block but `batch_size`; or `Tables` or
            `Fast`.
        recipe: the other hyperparameters.
        options: how it is trained.
        scalable: whether `networks_for` gives its networks, so that they exist in other sizes.
    """

    networks: dict | Tables | Fast = field(repr=False)
    recipe: Recipe = field(default_factory=Recipe)
    options: Options = field(default_factory=Options)
    scalable: bool = False

    @property
    def image_size(self) -> int:
        """Height and width of the images."""
        if isinstance(self.networks, dict):
            return self.networks["input_dim"][0]
        return self.networks.image_size

    @property
    def channels(self) -> int:
        """Of the images."""
        if isinstance(self.networks, dict):
            return self.networks["input_dim"][2]
        return self.networks.channels

    def with_options(self, **given) -> Options:
        """The preset's options with those given that are not None.

        With `minutes` and no `epochs`, only the time ends the training. Where the recipe
        needs a number of epochs, the training then plans one by its speed.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        if "minutes" in chosen:
            chosen = {"epochs": None} | chosen
        return replace(self.options, **chosen)


# The reference block, word for word.
_REFERENCE = {
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
}

# docs/experiments.md: the critic's last layer sees the whole image, and so do the generator's first
# layers, so that both can count lines.
_BEST64 = _REFERENCE | {
    "input_dim": (64, 64, 3),
    "critic_conv_filters": [64, 128, 256],
    "critic_conv_kernel_size": [8, 4, 4],
    "critic_conv_strides": [4, 4, 4],
    "critic_learning_rate": 0.002,
    "generator_initial_dense_layer_size": (1, 1, 256),
    "generator_upsample": [1, 1, 1, 1],
    "generator_conv_filters": [256, 128, 64, 3],
    "generator_conv_kernel_size": [1, 4, 4, 8],
    "generator_conv_strides": [1, 4, 4, 4],
    "generator_learning_rate": 0.002,
    "grad_weight": 5,
}
_BEST128 = _BEST64 | {
    "input_dim": (128, 128, 3),
    "critic_conv_filters": [64, 128, 256, 256],
    "critic_conv_kernel_size": [8, 4, 4, 2],
    "critic_conv_strides": [4, 4, 4, 2],
    "generator_upsample": [1, 1, 1, 1, 1],
    "generator_conv_filters": [256, 256, 128, 64, 3],
    "generator_conv_kernel_size": [1, 2, 4, 4, 8],
    "generator_conv_strides": [1, 2, 4, 4, 4],
}
_BEST_RECIPE = Recipe(
    loss="relativistic",
    penalty="zero-centred",
    penalty_every=4,
    adam_betas=(0.0, 0.99),
    initial_weights="he",
    generator_average=200_000,
    learning_rate_decay=0.4,
)
# A line of the log about once a second on two cores.
_BEST_OPTIONS = Options(epochs=100_000, n_critic=1, print_every_n_batches=1000, log_every=10)
_LINES_OPTIONS = replace(_BEST_OPTIONS, epochs=28_000, log_every=50)

# docs/experiments.md: flips keep the critic from learning the images by heart, and γ does not fall
# below what holds it. Weight decay and ε keep entries of the tables at rest that no image shows.
_LINES_RECIPE = replace(
    _BEST_RECIPE,
    generator_weight_decay=0.004,
    generator_epsilon=3e-5,
    learning_rate_decay=0.8,
    warmup=200,
    grad_weight_end=3.0,
    augment="flips",
    choose_variants=True,
    held_back=0.1,
)
_LINES = {
    64: Preset(Tables(64), _LINES_RECIPE, replace(_LINES_OPTIONS, epochs=12_000)),
    128: Preset(
        Tables(128, grad_weight=15),
        replace(_LINES_RECIPE, generator_weight_decay=0.002, grad_weight_end=10.0),
        _LINES_OPTIONS,
    ),
}

# Constant rates need no planned end: `--minutes` may be any number, and the same command adds more.
# The EMA settles the weights; docs/experiments.md, late changes: a lower rate brought no more.
_FAST_RECIPE = replace(_BEST_RECIPE, learning_rate_decay=0.0, warmup=200, held_back=0.1)

PRESETS = {
    "reference": Preset(_REFERENCE, scalable=True),
    "lines128": Preset(_REFERENCE, scalable=True),
    # A quarter of the filters and of the pixels, for an evening with a laptop.
    "lines64": Preset(_REFERENCE | networks_for(64, width=1 / 4), scalable=True),
    "lines64-best": Preset(_BEST64, _BEST_RECIPE, _BEST_OPTIONS),
    "lines128-best": Preset(_BEST128, _BEST_RECIPE, _BEST_OPTIONS),
}


RECIPES = ("reference", "fast", "lines")
"""What `--recipe` recommends; the other names stay, for runs that were begun with them."""

FOLLOW_DATA = {"fast": SIZES, "lines": tuple(_LINES)}
"""Recipes whose networks have the size of the data, unless another is asked for: their sizes."""

NAMES = tuple(dict.fromkeys((*RECIPES, *PRESETS)))


def preset(
    name: str,
    image_size: int | None = None,
    width: float | None = None,
    channels: int = 3,
) -> Preset:
    """A preset by name, for other images where that is asked for.

    Args:
        name: one of `NAMES`.
        image_size, width: as for `networks_for`, whose networks replace the preset's; where only
            one is given, the other is the preset's size, or a width of 1. For `lines`, 64 or 128
            pixels, and a factor of the number of variants.
        channels: 3, or 1 for grey images.

    Raises:
        ValueError: an unknown name, a size or width of a preset that has its own networks, or what
            `networks_for` refuses.
    """
    if name == "fast":
        networks = Fast(image_size or 64, channels, 1 if width is None else width)
        return Preset(networks, _FAST_RECIPE, _BEST_OPTIONS)
    if name == "lines":
        return _lines(image_size or 128, width, channels)
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(NAMES)}, received {name!r}")
    chosen = PRESETS[name]
    size = chosen.image_size
    if image_size or width:
        if not chosen.scalable:
            raise ValueError(
                f"{name} has networks of its own for {size} pixels; --image-size and --width go "
                "with reference, fast and lines"
            )
        shapes = networks_for(image_size or size, channels, width or 1)
    else:
        filters = [*chosen.networks["generator_conv_filters"][:-1], channels]
        shapes = {"input_dim": (size, size, channels), "generator_conv_filters": filters}
    return replace(chosen, networks=chosen.networks | shapes)


def _lines(image_size, width, channels):
    if image_size not in _LINES:
        raise ValueError(
            f"the recipe lines has networks for 64 and 128 pixels, received {image_size}"
        )
    chosen = _LINES[image_size]
    variants = max(2, round((width or 1) * chosen.networks.variants))
    networks = replace(chosen.networks, channels=channels, variants=variants)
    return replace(chosen, networks=networks)
