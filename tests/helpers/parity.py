"""One framework's part of `test_backends.py`, in a process of its own.

`… -m tests.helpers.parity train FOLDER` trains and writes results, a run and its generator there;
`… -m tests.helpers.parity read FOLDER OTHER …` continues the runs of other frameworks in OTHER ….
"""

import sys
from pathlib import Path

import numpy as np
from keras import ops

from lines.dataset import write_zip
from models.training import checkpoint
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, train
from utils.drawing.latents import seed_latents
from utils.generator.load import load_generator

# The reference architecture with all of its layers, and small.
REFERENCE = TINY | {
    "input_dim": (32, 32, 3),
    "critic_conv_filters": [8, 16, 32, 64],
    "critic_conv_kernel_size": [3, 3, 3, 3],
    "critic_conv_strides": [2, 2, 2, 2],
    "generator_initial_dense_layer_size": (2, 2, 32),
    "generator_upsample": [1, 1, 1, 1],
    "generator_conv_filters": [32, 16, 8, 3],
    "generator_conv_kernel_size": [6, 6, 6, 6],
    "generator_conv_strides": [2, 2, 2, 2],
    "z_dim": 10,
    "batch_size": 8,
}
CONFIGURATIONS = {
    "reference": REFERENCE,
    "other_layers": REFERENCE
    | {"critic_batch_norm_momentum": 0.9, "optimiser": "rmsprop"}
    | {"generator_upsample": [2, 1, 2, 1], "generator_conv_strides": [1, 2, 1, 2]}
    | {"critic_conv_kernel_size": [4, 5, 3, 4], "generator_conv_kernel_size": [3, 4, 5, 6]},
    "recipe": REFERENCE
    | {"loss": "relativistic", "penalty": "zero-centred", "penalty_every": 2}
    | {"initial_weights": "he", "generator_average": 50, "adam_betas": (0.0, 0.99)}
    | {"generator_weight_decay": 0.1, "generator_epsilon": 1e-5},
    "dropout": REFERENCE | {"critic_dropout_rate": 0.3, "generator_dropout_rate": 0.3},
}
EPOCHS = 5
N_CRITIC = 2
SEEDS = (1, 2)
"""Two, because rounding may put a unit on the other side of LeakyReLU's kink. Its slope then
differs five times, and with Adam the whole run differs: seen in one of 15 runs, with a unit of 2e-7
in the critic's last layer.
"""
SCALE = 4
"""Factor on initial kernels, without which small networks have losses near zero."""


def main(task: str, folder: Path, *others: Path) -> None:
    """Writes `initial.npz`, `trained.npz`, `images.npz` and a run folder, or `read_<other>.npz`."""
    folder.mkdir(exist_ok=True)
    if task == "read":
        for other in others:
            arrays = read(other, folder / f"run_{other.name}")
            np.savez(folder / f"read_{other.name}.npz", **arrays)
        return
    initial, trained = {}, {}
    for name, configuration in CONFIGURATIONS.items():
        gan = None
        for seed in SEEDS:
            new = WGANGP(**configuration, seed=seed)
            gan = gan or new  # it is compiled once
            begin(gan, new)
            initial |= state(gan, f"{name}/{seed}")
            rng = np.random.default_rng(seed)
            for _ in range(EPOCHS):
                real = rng.uniform(-1, 1, (N_CRITIC, 8, *configuration["input_dim"]))
                gan.train_epoch(((batch,) for batch in real.astype(np.float32)), N_CRITIC)
            trained |= state(gan, f"{name}/{seed}")
            trained[f"{name}/{seed}/losses"] = np.column_stack([gan.d_losses, gan.g_losses])
    np.savez(folder / "initial.npz", **initial)
    np.savez(folder / "trained.npz", **trained)
    data = folder / "tiny.zip"
    write_zip(data, count=30, size=16, weight=1)
    train(WGANGP(**TINY), data, folder / "run", 3)
    whole = WGANGP(**TINY)
    train(whole, data, folder / "whole", 5)
    np.savez(folder / "whole.npz", losses=whole.d_losses, **state(whole, "ended"))
    np.savez(folder / "images.npz", images=draw(folder))


def begin(gan, new):
    """Sets `gan`, which is compiled already, to the state of `new`, with larger kernels."""
    gan.seed, gan.epoch, gan.d_losses, gan.g_losses = new.seed, 0, [], []
    values = checkpoint.variables(new)
    for name, variable in checkpoint.variables(gan).items():
        variable.assign(values[name])
    for variable in (*gan.critic.variables, *gan.generator.variables):
        if variable.name == "kernel":
            variable.assign(SCALE * variable)


def read(other, run):
    """Images of another framework's generator, and its training continued in the folder `run`."""
    gan = WGANGP(**TINY)
    gan.load_weights(other / "run" / "weights")
    arrays = state(gan, "loaded")
    train(gan, other / "tiny.zip", run, 5)
    return arrays | state(gan, "ended") | {"images": draw(other), "losses": gan.d_losses}


def state(gan, name):
    variables = checkpoint.variables(gan).items()
    return {f"{name}/{key}": ops.convert_to_numpy(variable) for key, variable in variables}


def draw(folder):
    generator = load_generator(folder / "run" / "generator.h5")
    return generator.predict(seed_latents(list(range(6)), TINY["z_dim"]), verbose=0)


if __name__ == "__main__":
    main(sys.argv[1], *(Path(argument) for argument in sys.argv[2:]))
