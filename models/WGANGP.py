"""The Wasserstein GAN with gradient penalty: Algorithm 1 of arXiv:1704.00028."""

from keras import ops

from models import engines
from models.augment import KINDS, augmented
from models.average import Average
from models.engines import processes as team
from models.forward import forward
from models.networks import build_critic, build_generator, build_optimiser, initialise
from models.training.trainer import Training

PRECISIONS = {"float32": "float32", "tf32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
"""What the convolutions are computed in; see `WGANGP`."""

LOSSES = ("wasserstein", "relativistic")
PENALTIES = ("one-centred", "zero-centred")

_EPSILON = 1e-12  # inside the norm's root, whose slope at zero is infinite


class WGANGP(Training):
    """Critic, generator and their training.

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
        optimiser: `"adam"` (β1 = 0.5) or `"rmsprop"`.
        grad_weight: the factor of the penalty: λ of the paper, γ where it is zero-centred.
        z_dim: number of latents.
        batch_size: images per update.
        seed: of initial weights, latents, interpolation weights and dropout.
        precision: of the convolutions while training. `"float32"`; `"tf32"`, the same with
            products of 10 bits on NVIDIA GPUs since Ampere, as frameworks do by default;
            `"bfloat16"`; `"float16"`, with dynamic loss scaling. Weights, penalty, losses, batch
            statistics and optimisers are float32 always, and so are the saved networks.
        loss: `"wasserstein"`, or `"relativistic"`: softplus of how much higher a generated image is
            scored than a real one (RpGAN, equation 2 of arXiv:2501.05441).
        penalty: `"one-centred"`, the paper's, or `"zero-centred"`: half the mean of ‖∇‖² at real
            images and half of that at generated ones (R1 and R2, section 2.2 there).
        penalty_every: only every so many critic updates take the penalty, then so many times as
            strong (lazy regularisation, appendix B of arXiv:1912.04958).
        adam_betas: β1 and β2 of Adam.
        initial_weights: `"normal"`, N(0, 0.02), or `"he"`, N(0, 2/((1 + 0.2²)·fan-in)), with which
            every layer keeps the variance of its inputs.
        generator_average: half-life, in images, of a running mean of the generator's weights, which
            then is what is saved, sampled and scored; None for the weights of the last epoch. See
            `models.average`.
        learning_rate_decay: share of all epochs, the last ones, over which both learning rates
            fall to a hundredth.
        augment: one of `models.augment.KINDS`, for data sets of a few hundred or thousand images.

    Attributes:
        critic, generator: Keras models.
        average: the running mean of the generator, or None.
        d_losses: one row [D, R, F, G] per epoch, of its last critic update: the loss, the mean
            scores of real (with its sign turned) and generated images, the penalty. By default
            D = R + F + grad_weight·G; where an update took no penalty, G is the last one known.
        g_losses: generator loss per epoch.
        epoch: number of epochs trained.
        batches_seen: number of real batches trained on, the position in the data.
        rollbacks: how often the training went back; each time the noise is another.
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
        seed=0,
        precision="tf32",
        loss="wasserstein",
        penalty="one-centred",
        penalty_every=1,
        adam_betas=(0.5, 0.999),
        initial_weights="normal",
        generator_average=None,
        learning_rate_decay=0.0,
        augment="none",
    ):
        arguments = locals().items()
        self.config = {name: a for name, a in arguments if name not in ("self", "__class__")}
        super().__init__()
        for name, value, known in (
            ("precision", precision, PRECISIONS),
            ("loss", loss, LOSSES),
            ("penalty", penalty, PENALTIES),
            ("augment", augment, KINDS),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, received {value!r}")
        if penalty_every < 1:
            raise ValueError(f"penalty_every must be at least 1, received {penalty_every}")
        if not 0 <= learning_rate_decay <= 1:
            raise ValueError(
                f"learning_rate_decay must be a share from 0 to 1, received {learning_rate_decay}"
            )
        self.input_dim = tuple(input_dim)
        self.grad_weight = grad_weight
        self.z_dim = z_dim
        self.batch_size = batch_size
        self.seed = seed
        self._team = team.current()
        self._team.check_batch_size(batch_size)
        self.critic = build_critic(
            self.input_dim,
            critic_conv_filters,
            critic_conv_kernel_size,
            critic_conv_strides,
            critic_batch_norm_momentum,
            critic_activation,
            critic_dropout_rate,
        )
        self.generator = build_generator(
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
        if self.generator.output_shape[1:] != self.input_dim:
            raise ValueError(
                f"the generator draws images of {self.generator.output_shape[1:]}, but "
                f"input_dim is {self.input_dim}; change generator_initial_dense_layer_size, "
                "generator_upsample, generator_conv_strides or the last generator_conv_filters"
            )
        initialise((self.critic, self.generator), seed, initial_weights)
        self.critic_optimiser, self.generator_optimiser = (
            build_optimiser(optimiser, learning_rate, adam_betas, network, precision == "float16")
            for learning_rate, network in (
                (critic_learning_rate, self.critic),
                (generator_learning_rate, self.generator),
            )
        )
        self.d_losses = []
        self.g_losses = []
        self.epoch = 0
        self.batches_seen = 0
        self.rollbacks = 0
        self._engine = engines.load()
        self._engine.allow_tf32(precision == "tf32")
        self._dtype = PRECISIONS[precision]
        self.average = None
        if generator_average is not None:
            self.average = Average(self.generator, generator_average)

    def critic_losses(self, real, fake, mix, penalised=True):
        """[D, R, F, G] of one batch; see `d_losses`.

        Args:
            real: real images (B, H, W, C) in [-1, 1].
            fake: generated images of the same shape.
            mix: interpolation weights U[0, 1], one per image (B, 1, 1, 1).
            penalised: whether D contains the penalty; G is 0 otherwise.
        """
        real_scores, fake_scores = self._scores(real, fake)
        real_loss, fake_loss = -ops.mean(real_scores), ops.mean(fake_scores)
        loss, penalty = real_loss + fake_loss, ops.zeros(())
        if self.config["loss"] == "relativistic":
            loss = ops.mean(ops.softplus(fake_scores - real_scores))
        if penalised:
            penalty = self.penalty(real, fake, mix)
            loss = loss + self.grad_weight * self.config["penalty_every"] * penalty
        return ops.stack([loss, real_loss, fake_loss, penalty])

    def _scores(self, real, fake):
        """The critic's of both: in one pass, which is faster, unless batch norm would mix them."""
        if self.config["critic_batch_norm_momentum"] is None:
            scores = self._forward(self.critic, _alternating(real, fake))
            return ops.split(ops.reshape(scores, (-1, 2)), 2, axis=1)
        return [self._forward(self.critic, images, True) for images in (real, fake)]

    def _forward(self, network, inputs, update_statistics=False):
        return forward(network, inputs, update_statistics, self._dtype)

    def penalty(self, real, fake, mix):
        """The penalty on the critic's slope, unweighted; its arguments are `critic_losses`'."""
        if self.config["penalty"] == "one-centred":
            return self.gradient_penalty(mix * real + (1 - mix) * fake)
        # Half of both means is the mean over both.
        return ops.mean(self._squared_slopes(_alternating(real, fake)))

    def gradient_penalty(self, images):
        """Mean over the batch of (‖∇critic(image)‖₂ − 1)², equation 3 of the paper, unweighted."""
        return ops.mean(ops.square(ops.sqrt(self._squared_slopes(images) + _EPSILON) - 1))

    def _squared_slopes(self, images):
        """‖∇critic(image)‖₂² of each image, (B,)."""
        gradient = self._engine.input_gradient(lambda x: self._forward(self.critic, x), images)
        return ops.sum(ops.square(gradient), axis=(1, 2, 3))

    def generator_loss(self, z, real=None, numbers=None):
        """−mean critic(generator(z)); the relativistic loss looks at `real` images besides."""
        images = self._forward(self.generator, z, update_statistics=True)
        real, images = augmented(self.config["augment"], real, images, numbers)
        scores = self._forward(self.critic, images)
        if self.config["loss"] == "relativistic":
            return ops.mean(ops.softplus(self._forward(self.critic, real) - scores))
        return -ops.mean(scores)

    def critic_step(self, real, z, mix, penalised=True, numbers=None):
        """One critic update; returns [D, R, F, G] from before it."""
        # Outside the gradient: the generator does not learn here.
        fake = ops.stop_gradient(self._forward(self.generator, z))
        real, fake = augmented(self.config["augment"], real, fake, numbers)

        def loss():
            losses = self.critic_losses(real, fake, mix, penalised)
            return self.critic_optimiser.scale_loss(losses[0]), losses

        losses, gradients = self._engine.gradients(loss, self.critic.trainable_variables)
        self._engine.update(self.critic_optimiser, gradients, self.critic.trainable_variables)
        return losses

    def generator_step(self, z, real=None, numbers=None):
        """One generator update; returns its loss from before it, (1,)."""

        def loss():
            value = self.generator_loss(z, real, numbers)
            return self.generator_optimiser.scale_loss(value), ops.reshape(value, (1,))

        value, gradients = self._engine.gradients(loss, self.generator.trainable_variables)
        self._engine.update(self.generator_optimiser, gradients, self.generator.trainable_variables)
        return value

    def _epoch(self, penalised, real, z, mix, numbers, kept):
        """`n_critic` critic updates and one generator update; [D, R, F, G, generator loss].

        Args:
            penalised: for each critic update, whether it takes the penalty.
            real: (n_critic, B, H, W, C).
            z: (n_critic + 1, B, z_dim), the last row for the generator.
            mix: (n_critic, B, 1, 1, 1).
            numbers: of `models.augment`, (n_critic + 1, B, 2, n).
            kept: share of the average that stays, ().
        """
        last = ops.zeros((1,))
        for i, takes_penalty in enumerate(penalised):
            losses = self.critic_step(real[i], z[i], mix[i], takes_penalty, numbers[i])
            last = losses[3:] if takes_penalty else last
        generator_loss = self.generator_step(z[-1], real[-1], numbers[-1])
        losses = ops.concatenate([losses[:3], last, generator_loss])
        if self.average:
            self.average.follow(self.generator, kept)
        return losses


def _alternating(real, fake):
    """Both as one batch, in turn: so no image changes its device where several share a batch."""
    return ops.reshape(ops.stack([real, fake], axis=1), (-1, *real.shape[1:]))
