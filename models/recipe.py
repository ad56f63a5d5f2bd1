"""What `WGANGP` and its training are given beside the networks: `Recipe` and `Options`.

This module imports no framework, so a command line knows its choices before one is loaded.
"""

import importlib.util
from dataclasses import dataclass, field

PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
LOSSES = ("wasserstein", "relativistic")
PENALTIES = ("one-centred", "zero-centred")
INITIAL_WEIGHTS = ("normal", "he")
AUGMENTATIONS = ("none", "flip", "flips", "transpose", "diffaugment")
ON_NAN = ("stop", "rollback")


def _check_choices(**choices: tuple[object, tuple[str, ...]]) -> None:
    for name, (value, known) in choices.items():
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, received {value!r}")


def _check_counts(**counts: int) -> None:
    for name, number in counts.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, received {number}")


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
        generator_epsilon: what Adam adds to the root of a weight's mean squared gradient before it
            divides by it (ε of arXiv:1412.6980): gradients far below it hardly move a weight.
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
        choose_variants: whether `generator.h5` draws the variants of categorical latents in shares
            that the critic and the real images choose, see `models.selection`.
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
    generator_epsilon: float = 1e-7
    initial_weights: str = "normal"
    generator_average: float | None = None
    learning_rate_decay: float = 0.0
    warmup: int = 0
    grad_weight_end: float | None = None
    augment: str = "none"
    choose_variants: bool = False
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
        if not self.generator_epsilon > 0:
            raise ValueError(
                f"generator_epsilon must be above 0, received {self.generator_epsilon}"
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
            is kept as the best; 0 for never; None for every `print_every_n_batches`, or a multiple
            of it that takes at most 3 % of the time.
        log_every: epochs between two lines of the log; `losses.csv` has every epoch.
        tensorboard: whether `tensorboard/` in the run folder is written, see
            `models.training.tensorboard.TensorBoard`.
        command: options of a command line by name, kept in `params.json` for `--config`; empty for
            a training that none began.
        minutes: the training ends after this time, if it has not ended before; None for no limit. A
            recipe that needs a number of epochs, and is given none, plans what fits into this time.
        callbacks: further Keras callbacks; their `model` is the `WGANGP`.

    Raises:
        ValueError: a value outside its range, the message names the field; or `tensorboard` and no
            package of that name.
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
    log_every: int = 1
    tensorboard: bool = False
    command: dict = field(default_factory=dict)
    callbacks: tuple = ()

    def __post_init__(self):
        _check_choices(on_nan=(self.on_nan, ON_NAN))
        _check_counts(
            n_critic=self.n_critic,
            rows=self.rows,
            columns=self.columns,
            print_every_n_batches=self.print_every_n_batches,
            log_every=self.log_every,
            keep=self.keep,
        )
        if self.tensorboard and not importlib.util.find_spec("tensorboard"):
            raise ValueError(
                "tensorboard needs a package of that name: python -m pip install tensorboard, or "
                "train without --tensorboard (--no-tensorboard)"
            )
