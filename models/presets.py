"""Recipes, options and networks by name: what `WGANGP` and its training are given.

This module imports no framework, so a command line knows its choices before one is loaded.
"""

from dataclasses import dataclass, field, replace

from utils.images import SIZES

PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
LOSSES = ("wasserstein", "relativistic")
PENALTIES = ("one-centred", "zero-centred")
INITIAL_WEIGHTS = ("normal", "he")
AUGMENTATIONS = ("none", "flip", "flips", "transpose", "diffaugment")
ON_NAN = ("stop", "rollback")

COARSEST = 4
"""Height and width of the coarsest feature maps of `Fast`."""

_COARSEST_FILTERS = 128  # of `Fast`
_TRUNK_UNITS = 256
_FINEST = 4  # layers of the reference networks, whose critic begins with 128 filters


def _check_choices(**choices: tuple[object, tuple[str, ...]]) -> None:
    for name, (value, known) in choices.items():
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, received {value!r}")


def _check_counts(**counts: int) -> None:
    for name, number in counts.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, received {number}")


def _check_shapes(image_size: int, channels: int, width: float) -> None:
    if image_size not in SIZES:
        raise ValueError(
            f"image_size must be one of {', '.join(map(str, SIZES))}, received {image_size}"
        )
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, received {channels}")
    if not 1 / 32 <= width <= 8:
        raise ValueError(f"width must lie between 1/32 and 8, received {width:g}")


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters that are not in the reference block; the defaults are the reference's.

    `params.json` holds every field under its own name. A run from before a field existed has its
    default.

    Attributes:
        seed: of initial weights, latents, interpolation weights, dropout and the order of images.
        precision: of the convolutions while training. `"float32"`; `"tf32"`, the same with products
            of 10 bits on NVIDIA GPUs since Ampere, the frameworks' default; `"bfloat16"`;
            `"float16"`, with dynamic loss scaling. Weights, penalty, losses, batch statistics and
            optimisers are always float32, and so are saved networks.
        loss: `"wasserstein"`, or `"relativistic"`: softplus of the difference between the scores of
            a real and a generated image (RpGAN, equation 2 of arXiv:2501.05441).
        penalty: `"one-centred"` (equation 3 of arXiv:1704.00028), or `"zero-centred"`: half the
            mean of ‖∇‖² at real images plus half of that at generated ones (R1 and R2, section 2.2
            of arXiv:2501.05441).
        penalty_every: critic updates between two penalties. The penalty is then multiplied by this
            number (lazy regularisation, appendix B of arXiv:1912.04958).
        adam_betas: β1 and β2 of Adam.
        generator_weight_decay: each update first takes this times the learning rate off every
            weight of the generator (AdamW, algorithm 2 of arXiv:1711.05101).
        initial_weights: `"normal"`, N(0, 0.02), or `"he"`, N(0, 2/((1 + 0.2²)·fan-in)), which keeps
            the variance from layer to layer.
        generator_average: half-life of the generator's EMA, in images; None for no EMA. See
            `models.average`.
        learning_rate_decay: share of all epochs, in [0, 1], at the end of which both learning rates
            fall linearly to a hundredth.
        warmup: epochs at the beginning in which both learning rates rise linearly.
        grad_weight_end: the factor of the penalty at the end, reached from `grad_weight` along half
            a cosine; None for one that stays.
        augment: one of `AUGMENTATIONS`, for data sets of a few hundred or thousand images.
        variants_kept: share of the variants of categorical latents that `generator.h5` draws with,
            in (0, 1]: those whose images the critic scores highest, see `models.selection`.
        held_back: share of the images, 0 to 0.5, that are never trained on. The critic's scores of
            them show whether it learns the others by heart, see `utils.quality.CriticScores`.

    Raises:
        ValueError: a value outside its range; the message names the field.
    """

    seed: int = 0
    precision: str = "tf32"
    loss: str = "wasserstein"
    penalty: str = "one-centred"
    penalty_every: int = 1
    adam_betas: tuple[float, float] = (0.5, 0.999)
    generator_weight_decay: float = 0.0
    initial_weights: str = "normal"
    generator_average: float | None = None
    learning_rate_decay: float = 0.0
    warmup: int = 0
    grad_weight_end: float | None = None
    augment: str = "none"
    variants_kept: float = 1.0
    held_back: float = 0.0

    def __post_init__(self):
        _check_choices(
            precision=(self.precision, PRECISIONS),
            loss=(self.loss, LOSSES),
            penalty=(self.penalty, PENALTIES),
            initial_weights=(self.initial_weights, INITIAL_WEIGHTS),
            augment=(self.augment, AUGMENTATIONS),
        )
        _check_counts(penalty_every=self.penalty_every)
        if self.generator_average is not None and self.generator_average <= 0:
            raise ValueError(
                f"generator_average must be a number of images, received {self.generator_average}"
            )
        for name in ("generator_weight_decay", "warmup", "grad_weight_end"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must be at least 0, received {value}")
        if not 0 < self.variants_kept <= 1:
            raise ValueError(
                f"variants_kept must be a share above 0 and up to 1, received {self.variants_kept}"
            )
        if not 0 <= self.learning_rate_decay <= 1:
            raise ValueError(
                "learning_rate_decay must be a share from 0 to 1, received "
                f"{self.learning_rate_decay}"
            )
        if not 0 <= self.held_back <= 0.5:
            raise ValueError(f"held_back must be a share from 0 to 0.5, received {self.held_back}")

    @property
    def needs_epochs(self) -> bool:
        """Whether it depends on the planned number of epochs."""
        return bool(self.learning_rate_decay or self.grad_weight_end is not None)

    @property
    def dtype(self) -> str:
        """The type that convolutions are computed in."""
        return "float32" if self.precision == "tf32" else self.precision


@dataclass(frozen=True)
class Options:
    """How one training runs: its length, its data per update, what it saves and when.

    Attributes:
        epochs: in all, those already trained included; None for no end.
        batch_size: images per update.
        n_critic: critic updates per epoch.
        print_every_n_batches: epochs between two sample grids.
        rows, columns: of the sample grids.
        save_minutes: minutes between two checkpoints; the end always saves one.
        save_epochs: epochs between two checkpoints, in addition; None for by the clock alone.
        keep: number of checkpoints that stay, the last ones.
        on_nan: where a loss is no longer finite, `"stop"`, or `"rollback"`: return to the last
            checkpoint and resume with new noise.
        judge: measures images while the training runs, see `utils.quality.Scores`; None for one
            that knows no law.
        evaluate_every: epochs between two rows of `metrics.csv`, which also decide which checkpoint
            is kept as the best; 0 for never; None for every `print_every_n_batches`, where that
            takes at most 3 % of the time.
        minutes: the training ends after this time, if it has not ended before; None for no limit. A
            learning rate that decays does so by epochs all the same.
        callbacks: further Keras callbacks; their `model` is the `WGANGP`.

    Raises:
        ValueError: a value outside its range; the message names the field.
    """

    epochs: int | None = 1201
    batch_size: int = 16
    n_critic: int = 5
    print_every_n_batches: int = 100
    rows: int = 5
    columns: int = 5
    save_minutes: float = 10
    save_epochs: int | None = None
    keep: int = 3
    on_nan: str = "stop"
    judge: object = None
    evaluate_every: int | None = None
    minutes: float | None = None
    callbacks: tuple = ()

    def __post_init__(self):
        _check_choices(on_nan=(self.on_nan, ON_NAN))
        _check_counts(
            n_critic=self.n_critic,
            rows=self.rows,
            columns=self.columns,
            print_every_n_batches=self.print_every_n_batches,
            keep=self.keep,
        )


@dataclass(frozen=True)
class Tables:
    """The networks of `models.tables`, for pictures that are made of rows and columns.

    Attributes:
        image_size: height and width of the images.
        channels: 3, or 1 for grey images.
        groups: independent things in a picture.
        variants: of each of them.
        critic_learning_rate, generator_learning_rate, grad_weight: as for `WGANGP`.
    """

    image_size: int
    channels: int = 3
    groups: int = 3
    variants: int = 256
    critic_learning_rate: float = 0.0015
    generator_learning_rate: float = 0.12
    grad_weight: float = 5


@dataclass(frozen=True)
class Fast:
    """The networks of `models.fast`, for pictures of any kind.

    Every layer changes height and width by a factor of 4, or 2 where 4 would leave less than 4×4
    pixels, the coarsest feature map. So a layer on fine feature maps is rare, and has few filters.

    Attributes:
        image_size: height and width of the images, one of `SIZES`.
        channels: 3, or 1 for grey images.
        width: factor of all numbers of filters and units; a quarter takes a sixteenth of the
            arithmetic.
        groups: of latents that choose one of several variants each.
        variants: of each group.
        critic_learning_rate, generator_learning_rate, grad_weight: as for `WGANGP`.

    Raises:
        ValueError: another size, number of channels or width.
    """

    image_size: int
    channels: int = 3
    width: float = 1
    groups: int = 12
    variants: int = 32
    critic_learning_rate: float = 0.002
    generator_learning_rate: float = 0.002
    grad_weight: float = 5

    def __post_init__(self):
        _check_shapes(self.image_size, self.channels, self.width)

    @property
    def strides(self) -> list[int]:
        """Of the layers between images and 4×4 feature maps, the finest first.

        64 pixels have [4, 4], 512 have [4, 4, 4, 2].
        """
        doublings = (self.image_size // COARSEST).bit_length() - 1
        return [4] * (doublings // 2) + [2] * (doublings % 2)

    @property
    def filters(self) -> list[int]:
        """Of the feature maps, the finest first, down to 4×4 pixels; 64 pixels have [64, 128].

        A quarter of height and width has twice as many, half of them a third more.
        """
        factors = [1.0]
        for stride in reversed(self.strides[1:]):
            factors.insert(0, factors[0] * (1 / 2 if stride == 4 else 3 / 4))
        return [round(self.width * _COARSEST_FILTERS * factor) for factor in factors]

    @property
    def trunk_units(self) -> int:
        """Of the generator's dense layers."""
        return round(self.width * _TRUNK_UNITS)


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
    recipe: Recipe = Recipe()
    options: Options = Options()
    scalable: bool = False

    @property
    def image_size(self) -> int:
        """Height and width of the images."""
        if isinstance(self.networks, dict):
            return self.networks["input_dim"][0]
        return self.networks.image_size

    def with_options(self, **given) -> Options:
        """The preset's options with those given that are not None.

        With `minutes` and no `epochs`, only the time ends the training. Where the recipe
        needs a number of epochs, the preset's stays.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        if "minutes" in chosen and not self.recipe.needs_epochs:
            chosen = {"epochs": None} | chosen
        return replace(self.options, **chosen)


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
        ValueError: another size or number of channels, or a width that leaves no filter.
    """
    _check_shapes(image_size, channels, width)
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
_BEST_OPTIONS = Options(epochs=100_000, n_critic=1, print_every_n_batches=1000)

# docs/experiments.md: flips keep the critic from learning the images by heart, and γ does not fall
# below what holds it. Weight decay undoes steps that nothing needs: Adam takes them wherever a
# gradient is not zero. A variant takes part in every 16th update, or every 32nd of 128 pixels.
_LINES_RECIPE = replace(
    _BEST_RECIPE,
    generator_weight_decay=0.006,
    learning_rate_decay=0.8,
    warmup=200,
    grad_weight_end=3.0,
    augment="flips",
    variants_kept=0.75,
    held_back=0.1,
)
_LINES = {
    64: Preset(Tables(64), _LINES_RECIPE, _BEST_OPTIONS),
    128: Preset(
        Tables(128, variants=512, grad_weight=15),
        replace(_LINES_RECIPE, generator_weight_decay=0.003, grad_weight_end=10.0),
        _BEST_OPTIONS,
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
    chosen, width = _LINES[image_size], width or 1
    networks = replace(
        chosen.networks,
        channels=channels,
        variants=max(2, round(width * chosen.networks.variants)),
        # Fewer variants are for a short training, which needs larger steps.
        generator_learning_rate=chosen.networks.generator_learning_rate / width,
    )
    return replace(chosen, networks=networks)
