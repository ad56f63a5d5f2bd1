"""The WGAN-GP as a Keras model with a `train_step`, as tutorials write it, for comparison."""

import queue
import threading

import keras
import tensorflow as tf

from models.networks.reference import build_critic, build_generator
from utils.images import to_float


class PlainWGANGP(keras.Model):
    """Critic and generator in one model, whose `train_step` is an epoch of this project."""

    def __init__(self, critic, generator, z_dim, grad_weight, n_critic):
        super().__init__()
        self.critic, self.generator = critic, generator
        self.z_dim, self.grad_weight, self.n_critic = z_dim, grad_weight, n_critic

    def compile(self, critic_optimizer, generator_optimizer):
        super().compile()
        self.critic_optimizer, self.generator_optimizer = critic_optimizer, generator_optimizer

    def gradient_penalty(self, real, fake):
        mix = tf.random.uniform((tf.shape(real)[0], 1, 1, 1))
        images = mix * real + (1 - mix) * fake
        with tf.GradientTape() as tape:
            tape.watch(images)
            scores = self.critic(images, training=True)
        gradients = tape.gradient(scores, images)
        norm = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3)) + 1e-12)
        return tf.reduce_mean(tf.square(norm - 1))

    def train_step(self, real):
        """`real` (n_critic, B, H, W, C): one batch for each critic update."""
        for i in range(self.n_critic):
            z = tf.random.normal((tf.shape(real)[1], self.z_dim))
            with tf.GradientTape() as tape:
                fake = tf.cast(self.generator(z, training=True), tf.float32)
                real_loss = -tf.reduce_mean(self.critic(real[i], training=True))
                fake_loss = tf.reduce_mean(self.critic(fake, training=True))
                penalty = self.gradient_penalty(real[i], fake)
                loss = tf.cast(real_loss + fake_loss, tf.float32) + self.grad_weight * penalty
            weights = self.critic.trainable_variables
            gradients = tape.gradient(loss, weights)
            self.critic_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        z = tf.random.normal((tf.shape(real)[1], self.z_dim))
        with tf.GradientTape() as tape:
            generator_loss = -tf.reduce_mean(
                self.critic(self.generator(z, training=True), training=True)
            )
        weights = self.generator.trainable_variables
        gradients = tape.gradient(generator_loss, weights)
        self.generator_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return {"critic": loss, "generator": generator_loss}


def epochs(model, images, arguments):
    """Trains an epoch per item, by `fit`."""
    if arguments.precision in ("bfloat16", "float16"):
        keras.mixed_precision.set_global_policy(f"mixed_{arguments.precision}")
    tf.config.experimental.enable_tensor_float_32_execution(arguments.precision == "tf32")
    lists = {name: value for name, value in model.items() if "learning_rate" not in name}
    parts = [
        {k.removeprefix(f"{name}_"): v for k, v in lists.items() if k.startswith(f"{name}_")}
        for name in ("critic", "generator")
    ]
    critic = build_critic(model["input_dim"], **parts[0])
    generator = build_generator(model["z_dim"], **parts[1])
    gan = PlainWGANGP(critic, generator, model["z_dim"], model["grad_weight"], arguments.n_critic)
    gan.compile(
        keras.optimizers.Adam(model["critic_learning_rate"], beta_1=0.5),
        keras.optimizers.Adam(model["generator_learning_rate"], beta_1=0.5),
    )
    data = tf.data.Dataset.from_tensor_slices(to_float(images)).repeat().shuffle(len(images))
    data = data.batch(arguments.batch_size, drop_remainder=True).batch(arguments.n_critic)
    turns = queue.Queue()
    done = queue.Queue()

    class Turns(keras.callbacks.Callback):
        """Runs `fit` one epoch at a time, each when the generator below is advanced."""

        def on_train_batch_begin(self, batch, logs=None):
            turns.get()

        def on_train_batch_end(self, batch, logs=None):
            done.put(float(logs["critic"]))

    fit = {"callbacks": [Turns()], "verbose": 0, "steps_per_epoch": arguments.epochs + 2}
    threading.Thread(target=gan.fit, args=(data.prefetch(2),), kwargs=fit, daemon=True).start()
    while True:
        turns.put(None)
        yield done.get()
