"""What `test_processes.py` runs on JAX, in processes of its own.

`… -m tests.helpers.devices compare FOLDER DATA` trains on one and on all devices of this machine.
`… -m tests.helpers.devices session DATA FOLDER EPOCHS [COORDINATOR PROCESSES PROCESS]` begins or
continues a run, alone or with others.
"""

import sys
import time
from pathlib import Path

import numpy as np

from models.engines import distributed
from models.training import checkpoint
from models.WGANGP import WGANGP
from tests.helpers.parity import SEEDS, begin
from tests.helpers.small import TINY, train
from utils import cli

EPOCHS = 5
N_CRITIC = 2
COMPARED = {
    "reference": TINY,
    "all_else": TINY
    | {"loss": "relativistic", "penalty": "zero-centred", "penalty_every": 2}
    | {"initial_weights": "he", "generator_average": 50, "adam_betas": (0.0, 0.99)}
    | {"critic_batch_norm_momentum": 0.9, "critic_dropout_rate": 0.3}
    | {"generator_dropout_rate": 0.3, "augment": "diffaugment"},
}

RUN = TINY | {"initial_weights": "he"}
"""With losses that are far from zero."""


def compare(folder, data):
    """Writes losses by number of devices, configuration and seed; and two runs that move."""
    folder = Path(folder)
    found = {}
    for devices in (1, "all"):
        with distributed(devices) as group:
            for name, configuration in COMPARED.items():
                gan = WGANGP(**configuration, processes=group)
                for seed in SEEDS:
                    begin(gan, WGANGP(**configuration, seed=seed))
                    rng = np.random.default_rng(seed)
                    shape = (EPOCHS, N_CRITIC, gan.batch_size, *gan.input_dim)
                    for real in rng.uniform(-1, 1, shape).astype(np.float32):
                        gan.train_epoch(((batch,) for batch in real), N_CRITIC)
                    key = f"{group.devices}/{name}/{seed}"
                    found[key] = np.column_stack([gan.d_losses, gan.g_losses])
    for first, then in ((1, "all"), ("all", 1)):
        name = f"{first}_then_{then}"
        with distributed(first) as group:
            train(WGANGP(**TINY, processes=group), data, folder / name, 2)
        with distributed(then) as group:
            gan = WGANGP(**TINY, processes=group)
            gan.load_weights(folder / name / "weights")
            train(gan, data, folder / name, 4)
        found[name] = np.column_stack([gan.d_losses, gan.g_losses])
    np.savez(folder / "found.npz", **found)


def session(data, folder, epochs, coordinator=None, processes=None, process=None):
    """Trains, saves every second epoch, and waits a little after each for a test to kill it."""
    members = (coordinator, int(processes), int(process)) if coordinator else ()
    with distributed(None, *members) as group:
        gan = WGANGP(**RUN, processes=group)
        if group.is_first and checkpoint.find(Path(folder) / "weights"):
            gan.load_weights(Path(folder) / "weights")
        train_epoch = gan.train_epoch

        def slowly(*arguments):
            train_epoch(*arguments)
            time.sleep(0.1)

        gan.train_epoch = slowly
        train(gan, data, folder, int(epochs), save_epochs=2)
        return 130 if gan.interrupted else 0


if __name__ == "__main__":
    task, *rest = sys.argv[1:]
    if task == "compare":
        compare(*rest)
    else:
        arguments = cli.parser(__doc__, "").parse_args([])
        cli.run(lambda _: session(*rest), arguments)
