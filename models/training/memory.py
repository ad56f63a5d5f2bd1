"""What a training would be, what memory and how long it would take, before it begins."""

import json
import math
import shutil
import subprocess
from pathlib import Path

import keras
import psutil

from models.engines import processes as team

_PROGRAM = 900e6  # bytes: Python, the framework, the compiled epoch
_PER_PARAMETER = 28  # bytes: weights, gradients, two means of Adam, and room to compute in
_PER_VALUE = 16  # bytes for each value that a layer gives, of each image of a batch
# Fitted to processes on a CPU, of whose peak they foresee between as much and 1.6 times as much.


def memory_needed(gan, batch_size: int) -> float:
    """Bytes that a training takes, rather too many than too few; an estimate.

    Args:
        gan: a `WGANGP`.
        batch_size: images per update.
    """
    networks = gan.critic, gan.generator
    parameters = sum(network.count_params() for network in networks)
    values = sum(
        math.prod(layer.output.shape[1:]) for network in networks for layer in network.layers
    )
    return _PROGRAM + _PER_PARAMETER * parameters + _PER_VALUE * values * batch_size


def memory_there() -> tuple[float, str]:
    """Bytes of the GPU, or of the machine where no GPU is used, and which of the two it is."""
    if _on_gpu() and (command := shutil.which("nvidia-smi")):
        query = [command, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        told = subprocess.run(query, capture_output=True, text=True)
        if told.returncode == 0 and told.stdout.split():
            return float(told.stdout.split()[0]) * 2**20, "the GPU"
    return float(psutil.virtual_memory().total), "this machine"


def _on_gpu():
    try:
        return any("gpu" in device for device in keras.distribution.list_devices())
    except AttributeError:  # Keras on PyTorch does not tell
        return shutil.which("nvidia-smi") is not None


def largest_batch(gan, there: float) -> int:
    """The largest batch size, a power of 2, that fits into so many bytes; 0 where none does."""
    fitting = (2**i for i in range(16, -1, -1) if memory_needed(gan, 2**i) <= there)
    return next(fitting, 0)


def check_memory(gan) -> None:
    """Prints the memory foreseen beside what there is.

    Raises:
        ValueError: more than there is; the message names the largest batch that fits.
    """
    devices = team.current().devices  # each has its share of a batch, and everything else whole
    needed, (there, where) = memory_needed(gan, gan.batch_size // devices), memory_there()
    if needed > there:
        fits = devices * largest_batch(gan, there)
        instead = f"--batch-size {fits} fits" if fits else "no batch fits: try a smaller --width"
        raise ValueError(
            f"a batch of {gan.batch_size} would take about {needed / 1e9:.1f} GB, {where} has "
            f"{there / 1e9:.1f} GB; {instead}"
        )
    print(f"memory: about {needed / 1e9:.1f} GB of the {there / 1e9:.1f} GB of {where}")


def dry_run(gan, x_train, folder: Path, arguments: dict) -> int:
    """Prints the configuration, the size of the networks, memory and time; returns 0.

    Args:
        gan: a `WGANGP`; a few epochs are trained to measure the time.
        x_train: its data.
        folder: the run folder, which is not made.
        arguments: of the command line: `epochs`, `minutes`, `n_critic`, `batch_size`, and whatever
            else is to be shown.

    Raises:
        ValueError: as `check_memory`.
    """
    print(json.dumps(arguments | {"run_folder": str(folder), "model": gan.config}, indent=2))
    for network in (gan.critic, gan.generator):
        print(f"{network.name}: {network.count_params():,} parameters")
    check_memory(gan)
    left = max(0, arguments["epochs"] - gan.epoch)
    seconds = gan.time_epoch(x_train, arguments["n_critic"])
    rate = arguments["n_critic"] * arguments["batch_size"] / seconds
    print(f"one epoch: {seconds:.2f} s ({rate:.0f} images/s)")
    minutes = arguments["minutes"]
    if minutes is not None and 60 * minutes < left * seconds:
        print(f"in {minutes:g} minutes: about {60 * minutes / seconds:.0f} epochs")
    else:
        print(f"{left} epochs: about {left * seconds / 3600:.1f} hours ({left * seconds:.0f} s)")
    return 0
