"""The memory that a training needs, estimated before it begins."""

import math
import shutil
import subprocess

import keras
import psutil

_PROGRAM = 900e6  # bytes: Python, the framework, the compiled epoch
_PER_PARAMETER = 28  # bytes: weights, gradients, Adam's two averages, and room to compute in
_PER_VALUE = 16  # bytes for each value of a layer's output, for each image of a batch
# Fitted to processes on a CPU; the estimate is 1 to 1.6 times their peak.


def memory_needed(gan, batch_size: int) -> float:
    """Bytes that a training takes, an estimate that is rather too large.

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


def memory_available() -> tuple[float, str]:
    """Bytes of the GPU, or of the machine where no GPU is used; and which of the two it is."""
    if _on_gpu() and (command := shutil.which("nvidia-smi")):
        query = [command, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        answer = subprocess.run(query, capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.split():
            return float(answer.stdout.split()[0]) * 2**20, "the GPU"
    return float(psutil.virtual_memory().total), "this machine"


def _on_gpu():
    try:
        return any("gpu" in device for device in keras.distribution.list_devices())
    except AttributeError:  # Keras on PyTorch has no such list
        return shutil.which("nvidia-smi") is not None


def largest_batch(gan, available: float) -> int:
    """The largest batch size, a power of 2, that fits into `available` bytes; 0 where none does."""
    fitting = (2**i for i in range(16, -1, -1) if memory_needed(gan, 2**i) <= available)
    return next(fitting, 0)


def check_memory(gan) -> None:
    """Prints the memory needed and available.

    Raises:
        ValueError: more is needed than available; the message names the largest batch that fits.
    """
    devices = gan.processes.devices  # each has its slice of a batch, and all weights
    needed, (available, where) = memory_needed(gan, gan.batch_size // devices), memory_available()
    if needed > available:
        fits = devices * largest_batch(gan, available)
        instead = f"--batch-size {fits} fits" if fits else "no batch fits: try a smaller --width"
        raise ValueError(
            f"a batch of {gan.batch_size} would take about {needed / 1e9:.1f} GB, {where} has "
            f"{available / 1e9:.1f} GB; {instead}"
        )
    print(f"memory: about {needed / 1e9:.1f} GB of the {available / 1e9:.1f} GB of {where}")
