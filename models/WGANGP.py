"""The Wasserstein GAN with gradient penalty: Algorithm 1 of arXiv:1704.00028."""

import dataclasses
import functools
import time
from pathlib import Path

import numpy as np
from keras import layers, ops
from tqdm.auto import tqdm

from models import engines, losses
from models.augment import augmented, random_numbers
from models.average import Average
from models.engines.processes import Processes
from models.forward import forward
from models.networks.reference import build_critic, build_generator
from models.networks.weights import build_optimiser, initialise
from models.recipe import Options, Recipe
from models.schedules import between, rate_factor
from models.selection import (
    check_choices,
    choose_variants,
    describe_selection,
    draw_in_shares,
)
from models.training import checkpoint, outputs
from models.training.trainer import Trainer, seek


class WGANGP:
    """Critic, generator, and their training.

    An *epoch* is one generator update after `n_critic` critic updates, each on a fresh real batch.
    All lists hold one value per convolution.

    Args:
        input_dim: (H, W, C) of the images.
        critic_conv_filters, critic_conv_kernel_size, critic_conv_strides: the critic's layers.
        critic_batch_norm_momentum: of the critic's batch norm; None for none (the paper's advice:
            the penalty is defined per image).
        critic_activation: `"leaky_relu"` (slope 0.2) or the name of any Keras activation.
        critic_dropout_rate: share of values dropped after each activation; None for none.
        critic_learning_rate: step size of the critic's optimiser.
        generator_initial_dense_layer_size: (H, W, C) of the first feature map.
        generator_upsample: 1 for a transposed convolution, 2 for doubling and a convolution.
        generator_conv_filters, generator_conv_kernel_size, generator_conv_strides: its layers.
        generator_batch_norm_momentum, generator_activation, generator_dropout_rate,
        generator_learning_rate: as for the critic.
        optimiser: `"adam"` or `"rmsprop"`.
        grad_weight: the factor of the penalty: λ of the paper, γ where it is zero-centred.
        z_dim: number of latents.
        batch_size: images per update.
        recipe: the other hyperparameters; None for those of the reference.
        processes: the processes and devices that train together, see `models.engines`.
        **settings: fields of `Recipe` by name, which replace those of `recipe`.

    Attributes:
        critic, generator: Keras models.
        recipe: the `Recipe`.
        config: every argument above but `processes`, flat, as `params.json` holds it.
        average: EMA of the generator, or None.
        grad_weight: of the penalty, in the epoch that follows.
        d_losses: one row [D, R, F, G] per epoch, of its last critic update: the loss, the mean
            scores of real images (negated) and of generated ones, the penalty. By default
            D = R + F + grad_weight·G. Where an update took no penalty, G is the last one computed.
        g_losses: generator loss per epoch.
        scores: rows of `metrics.csv`.
        epoch: number of epochs trained.
        batches_seen: number of real batches trained on, the position in the data.
        rollbacks: how often the training was rolled back; each time the noise changes.
        training: what `params.json` says of the training itself; set by `train`.
        command: what it says of the command line that began it; set by `train`.
        start: what `params.json` says of the weights that the run began with, if they are others'.
        chosen_generator: the copy that draws chosen variants, where `save_model` wrote one last;
            None where it wrote `drawing_generator()`.
        stop_training: set to True to end `train` after the current epoch.
        interrupted: whether Ctrl-C or SIGTERM ended it.

    Raises:
        ValueError: arguments that do not fit each other; says what came and what was expected.
    """

    def __init__(
        self,
        input_dim,
        critic_conv_filters,
        critic_conv_kernel_size,
        critic_conv_strides,
        critic_batch_norm_momentum,
        critic_activation,
        critic_dropout_rate,
        critic_learning_rate,
        generator_initial_dense_layer_size,
        generator_upsample,
        generator_conv_filters,
        generator_conv_kernel_size,
        generator_conv_strides,
        generator_batch_norm_momentum,
        generator_activation,
        generator_dropout_rate,
        generator_learning_rate,
        optimiser,
        grad_weight,
        z_dim,
        batch_size,
        recipe=None,
        processes=Processes(),  # noqa: B008, frozen
        **settings,
    ):
        block = dict(locals())
        for name in ("self", "recipe", "processes", "settings"):
            del block[name]
        critic = build_critic(
            tuple(input_dim),
            critic_conv_filters,
            critic_conv_kernel_size,
            critic_conv_strides,
            critic_batch_norm_momentum,
            critic_activation,
            critic_dropout_rate,
        )
        generator = build_generator(
            z_dim,
            generator_initial_dense_layer_size,
            generator_upsample,
            generator_conv_filters,
            generator_conv_kernel_size,
            generator_conv_strides,
            generator_batch_norm_momentum,
            generator_activation,
            generator_dropout_rate,
        )
        if generator.output_shape[1:] != tuple(input_dim):
            raise ValueError(
                f"the generator draws images of {generator.output_shape[1:]}, but "
                f"input_dim is {tuple(input_dim)}; change generator_initial_dense_layer_size, "
                "generator_upsample, generator_conv_strides or the last generator_conv_filters"
            )
        recipe = dataclasses.replace(recipe or Recipe(), **settings)
        initialise((critic, generator), recipe.seed, recipe.initial_weights)
        self._set_up(critic, generator, block, recipe, processes)

    @classmethod
    def from_networks(cls, critic, generator, description, recipe=None, processes=Processes()):  # noqa: B008
        """A GAN of other networks than those of the reference block, with the weights they have.

        Args:
            critic: images (B, H, W, C) to scores (B, 1), a graph of layers, each called once.
            generator: latents (B, z_dim) to images in [-1, 1], such a graph too; its layers have
                other names than the critic's.
            description: what `params.json` says of the networks; and `critic_learning_rate`,
                `generator_learning_rate`, `grad_weight` and `batch_size`, as for the constructor.
            recipe, processes: as for the constructor.

        Raises:
            ValueError: networks that do not fit each other.
        """
        if generator.output_shape[1:] != critic.input_shape[1:]:
            raise ValueError(
                f"the generator draws images of {generator.output_shape[1:]}, but the critic "
                f"expects {critic.input_shape[1:]}"
            )
        config = {
            "input_dim": critic.input_shape[1:],
            "optimiser": "adam",
            "z_dim": generator.input_shape[1],
        }
        gan = cls.__new__(cls)
        gan._set_up(critic, generator, config | description, recipe or Recipe(), processes)
        return gan

    def _set_up(self, critic, generator, block, recipe, processes):
        """Sets everything but the networks and their weights: optimisers, EMA, counters."""
        self.recipe = recipe
        self.config = block | dataclasses.asdict(recipe)
        check_choices(generator, recipe.choose_variants)
        self.input_dim = tuple(block["input_dim"])
        self.grad_weight = block["grad_weight"]
        self.z_dim = block["z_dim"]
        self.batch_size = block["batch_size"]
        self.seed = recipe.seed
        self.learning_rates = block["critic_learning_rate"], block["generator_learning_rate"]
        self.processes = processes
        processes.check_batch_size(self.batch_size)
        self.critic, self.generator = critic, generator
        self._mixes_images = any(isinstance(x, layers.BatchNormalization) for x in critic.layers)
        self.critic_optimiser, self.generator_optimiser = (
            build_optimiser(
                block["optimiser"],
                rate,
                recipe.adam_betas,
                weight_decay,
                epsilon,
                network,
                recipe.dtype == "float16",
            )
            for network, rate, weight_decay, epsilon in zip(
                (self.critic, self.generator),
                self.learning_rates,
                (0, recipe.generator_weight_decay),
                (Recipe.generator_epsilon, recipe.generator_epsilon),
                strict=True,
            )
        )
        self.average = None
        if self.recipe.generator_average is not None:
            self.average = Average(self.generator, self.recipe.generator_average)
        self.d_losses = []
        self.g_losses = []
        self.scores = []
        self.epoch = 0
        self.batches_seen = 0
        self.rollbacks = 0
        self.newest_known = 0  # epochs of the last checkpoint beside the one that was loaded
        self.training = {}
        self.command = {}
        self.chosen_generator = None
        self.start = {}
        self.stop_training = self.interrupted = False
        self._engine = engines.load()
        self._engine.allow_tf32(self.recipe.precision == "tf32")
        self._compiled = {}  # epochs, by which critic updates take the penalty

    def train(
        self,
        x_train,
        batch_size,
        epochs,
        run_folder,
        print_every_n_batches=None,
        n_critic=None,
        using_generator=True,
        rows=None,
        columns=None,
        options=None,
    ):
        """Trains until `epochs` epochs are done in all, and saves everything in `run_folder`.

        Continues after the weights that were loaded. Ctrl-C or SIGTERM ends it after the current
        epoch with everything saved. See `models.training.trainer.Trainer` for the errors.

        Args:
            x_train: an `ImageStream`, any iterator of `(images,)`, or an array (N, H, W, C).
            batch_size: as given to the constructor.
            epochs: in all, those already trained included; None for no end.
            run_folder: see `utils.runs`.
            print_every_n_batches, n_critic, rows, columns: see `Options`; None for what it says.
            using_generator: False where `x_train` is an array.
            options: all further options; None for the defaults.
        """
        given = {
            "print_every_n_batches": print_every_n_batches,
            "n_critic": n_critic,
            "rows": rows,
            "columns": columns,
        }
        options = dataclasses.replace(
            options or Options(),
            batch_size=batch_size,
            epochs=epochs,
            **{name: value for name, value in given.items() if value is not None},
        )
        Trainer(self, run_folder, options).train(x_train, using_generator)

    def follow_schedules(self, epochs):
        """Sets learning rates and the penalty's weight for the epoch that follows, of `epochs`."""
        recipe = self.recipe
        if recipe.learning_rate_decay or recipe.warmup:
            factor = rate_factor(self.epoch, epochs, recipe.learning_rate_decay, recipe.warmup)
            optimisers = self.critic_optimiser, self.generator_optimiser
            for optimiser, rate in zip(optimisers, self.learning_rates, strict=True):
                optimiser.learning_rate = factor * rate
        if recipe.grad_weight_end is not None:
            first, last = self.config["grad_weight"], recipe.grad_weight_end
            self.grad_weight = between(first, last, self.epoch, epochs)

    def train_epoch(self, stream, n_critic):
        """Trains one epoch on the next `n_critic` batches; the only synchronisation is its end.

        Where several processes train, each gives its slice of every batch.
        """
        real = np.stack([next(stream)[0] for _ in range(n_critic)])  # (n_critic, B, H, W, C)
        first, end = self.processes.local_slice(self.batch_size)
        noise = [array[:, first:end] for array in self.noise(self.epoch, n_critic)]
        updates, every = self.epoch * n_critic, self.recipe.penalty_every
        penalised = tuple((updates + i) % every == 0 for i in range(n_critic))
        decay = self.average.decay(self.epoch, self.batch_size) if self.average else 0
        factors = np.float32(decay), np.float32(self.grad_weight)
        result = self._compiled_epoch(penalised)(real, *noise, *factors)
        *critic_losses, generator_loss = ops.convert_to_numpy(result).tolist()
        if not any(penalised):
            critic_losses[3] = self.d_losses[-1][3]
        self.d_losses.append(critic_losses)
        self.g_losses.append(generator_loss)
        self.epoch += 1
        self.batches_seen += n_critic

    def _compiled_epoch(self, penalised):
        if penalised not in self._compiled:
            self._compiled[penalised] = self._engine.compiled(
                functools.partial(self._epoch, penalised),
                list(checkpoint.variables(self).values()),
                self.processes,
            )
        return self._compiled[penalised]

    def time_epoch(self, x_train, n_critic=5):
        """Seconds that one epoch takes once it is compiled; trains a few to measure that."""
        checkpoint.broadcast(self)
        stream = seek(x_train, self)
        count = self.recipe.penalty_every  # epochs in which every kind of update occurs
        times = []
        for _ in tqdm(range(2 * count), "Compiling and measuring", leave=False, unit=" epochs"):
            self.train_epoch(stream, n_critic)
            times.append(time.perf_counter())
        return (times[-1] - times[count - 1]) / count

    def noise(self, step, n_critic):
        """Latents, interpolation weights and the random numbers of augmentation for epoch `step`.

        A pure function of (seed, step, rollbacks), so there is no random state to save. NumPy pads
        a seed with zeros, so its third number keeps uses apart: 0 noise, 1 order, 2 initial
        weights, 3 the choice of held-back images.

        Returns:
            z: float32 (n_critic + 1, B, z_dim), the last row for the generator.
            mix: float32 (n_critic, B, 1, 1, 1) in [0, 1).
            numbers: of `models.augment`, float32 (n_critic + 1, B, 2, n).
        """
        rng = np.random.default_rng((self.seed, step, 0, self.rollbacks))
        z = rng.standard_normal((n_critic + 1, self.batch_size, self.z_dim), np.float32)
        mix = rng.random((n_critic, self.batch_size, 1, 1, 1), np.float32)
        shape = n_critic + 1, self.batch_size, 2
        return z, mix, random_numbers(self.recipe.augment, rng, shape)

    def _epoch(self, penalised, real, z, mix, numbers, decay, grad_weight):
        """`n_critic` critic updates and one generator update; [D, R, F, G, generator loss].

        Args:
            penalised: for each critic update, whether it takes the penalty.
            real: (n_critic, B, H, W, C).
            z, mix, numbers: from `noise`.
            decay: of the EMA, ().
            grad_weight: of the penalty, ().
        """
        last_penalty = ops.zeros((1,))
        for i, takes_penalty in enumerate(penalised):
            weight = grad_weight if takes_penalty else None
            critic_losses = self.critic_step(real[i], z[i], mix[i], weight, numbers[i])
            last_penalty = critic_losses[3:] if takes_penalty else last_penalty
        generator_loss = self.generator_step(z[-1], real[-1], numbers[-1])
        if self.average:
            self.average.update(self.generator, decay)
        return ops.concatenate([critic_losses[:3], last_penalty, generator_loss])

    def critic_step(self, real, z, mix, grad_weight, numbers=None):
        """One critic update; returns [D, R, F, G] from before it; see `critic_losses`."""
        # Outside the gradient: the generator does not learn here.
        fake = ops.stop_gradient(self._forward(self.generator, z))
        real, fake = augmented(self.recipe.augment, real, fake, numbers)

        def loss():
            parts = self.critic_losses(real, fake, mix, grad_weight)
            return self.critic_optimiser.scale_loss(parts[0]), parts

        parts, gradients = self._engine.gradients(loss, self.critic.trainable_variables)
        self._engine.update(self.critic_optimiser, gradients, self.critic.trainable_variables)
        return parts

    def generator_step(self, z, real=None, numbers=None):
        """One generator update; returns its loss from before it, (1,)."""

        def loss():
            value = self.generator_loss(z, real, numbers)
            return self.generator_optimiser.scale_loss(value), ops.reshape(value, (1,))

        value, gradients = self._engine.gradients(loss, self.generator.trainable_variables)
        self._engine.update(self.generator_optimiser, gradients, self.generator.trainable_variables)
        return value

    def critic_losses(self, real, fake, mix, grad_weight):
        """[D, R, F, G] of one batch; see `d_losses`.

        Args:
            real: real images (B, H, W, C) in [-1, 1].
            fake: generated images of the same shape.
            mix: interpolation weights U[0, 1], one per image (B, 1, 1, 1).
            grad_weight: of the penalty in D; None for an update without a penalty, whose G is 0.
        """
        real_scores, fake_scores = self._scores(real, fake)
        loss = losses.critic_loss(self.recipe.loss, real_scores, fake_scores)
        penalty = ops.zeros(())
        if grad_weight is not None:
            penalty = losses.penalty(self.recipe.penalty, self.squared_slopes, real, fake, mix)
            loss = loss + grad_weight * self.recipe.penalty_every * penalty
        return ops.stack([loss, -ops.mean(real_scores), ops.mean(fake_scores), penalty])

    def generator_loss(self, z, real=None, numbers=None):
        """The generator's loss on latents (B, z_dim); a relativistic one needs `real` images."""
        fake = self._forward(self.generator, z, update_statistics=True)
        real, fake = augmented(self.recipe.augment, real, fake, numbers)
        fake_scores = self._forward(self.critic, fake)
        real_scores = None
        if self.recipe.loss == "relativistic":
            real_scores = self._forward(self.critic, real)
        return losses.generator_loss(self.recipe.loss, real_scores, fake_scores)

    def squared_slopes(self, images):
        """‖∇critic(image)‖₂² of each image, (B,)."""
        gradient = self._engine.input_gradient(lambda x: self._forward(self.critic, x), images)
        return ops.sum(ops.square(gradient), axis=(1, 2, 3))

    def _scores(self, real, fake):
        """Scores of both, in one pass, which is faster, unless batch norm would mix them."""
        if self._mixes_images:
            return [self._forward(self.critic, images, True) for images in (real, fake)]
        scores = self._forward(self.critic, losses.alternate(real, fake))
        return ops.split(ops.reshape(scores, (-1, 2)), 2, axis=1)

    def _forward(self, network, inputs, update_statistics=False):
        return forward(network, inputs, update_statistics, self.recipe.dtype)

    def drawing_generator(self):
        """The generator that is saved, sampled and scored: its EMA where there is one.

        At the end `save_model` saves a copy that leaves out variants, see `models.selection`.
        """
        return self.average.with_statistics() if self.average else self.generator

    def sample_images(self, folder, rows=5, columns=5, generator=None):
        """Writes `images/sample_<epoch>.png`: the images of seeds 0, 1, 2 …, the same every time.

        The number is that of the last epoch trained, counted from 0. The images are by `generator`;
        None for `drawing_generator`.
        """
        outputs.save_samples(folder, self, rows, columns, generator)

    def save(self, folder):
        """Writes `params.json` and the diagrams of `viz/`."""
        outputs.save_params(folder, self)
        self.plot_model(folder)

    def plot_model(self, folder):
        """Writes diagrams of both networks to `viz/`; without Graphviz, summaries as text."""
        for network in (self.critic, self.generator):
            outputs.plot_network(network, folder)

    def save_model(self, folder, stream=None):
        """Writes `generator.h5` and `critic.h5`, which any Keras 3 opens.

        Args:
            folder: the run folder.
            stream: an `ImageStream` of the data, for `Recipe.choose_variants`; not in the middle of
                a training, when most variants are still on their way.
        """
        generator = self.drawing_generator()
        self.chosen_generator = None
        if stream is not None and self.recipe.choose_variants:
            shares = choose_variants(self.critic, generator, stream)
            generator = self.chosen_generator = draw_in_shares(generator, shares)
            tqdm.write(describe_selection(shares))
        for network in (generator, self.critic):
            outputs.save_network(network, Path(folder) / f"{network.name}.h5")

    def save_weights(self, folder, keep=3):
        """Writes `weights/checkpoint_<epochs>.h5`, the whole training; the last `keep` stay."""
        checkpoint.save(folder, self, keep)

    def save_best(self, folder, rank):
        """Writes `weights/best.h5`, the whole training, and `generator_best.h5`.

        Args:
            folder: the run folder.
            rank: of its scores, which `best_rank` reads back.
        """
        checkpoint.save_best(folder, self, rank)
        outputs.save_network(self.drawing_generator(), Path(folder) / "generator_best.h5")

    def best_rank(self, folder):
        """The rank of `weights/best.h5`; None where there is none."""
        return checkpoint.best_rank(folder)

    def load_weights(self, path):
        """Loads a checkpoint, or the last undamaged one in the folder `path`.

        Raises:
            FileNotFoundError: no checkpoint there.
            ValueError: one that does not fit this model, or stands in a run whose `params.json`
                differs; the message shows the difference.
        """
        outputs.load_weights(path, self)

    def resume(self, folder, mode="auto"):
        """Continues the run in `folder`, or begins one; see `models.training.outputs.resume`."""
        return outputs.resume(self, folder, mode)
