"""What only a framework can do, one module each; Keras's backend (`KERAS_BACKEND`) chooses it.

Every engine has the same six functions:

`gradients(loss, variables)`: `loss()` returns (scalar, aux); returns (aux, gradients), the
gradients of the scalar with respect to `variables`, Keras variables, in their order.

`input_gradient(function, inputs)`: the gradient of the sum of `function(inputs)` with respect to
`inputs`, itself differentiable.

`update(optimiser, gradients, variables)`: one step of a Keras optimiser.

`compiled(function, variables, processes)`: `function` as one call of the framework. It takes arrays
and may change `variables` only. The arrays of two axes or more have the images of a batch along
their second axis; where several processes train (JAX only), each gives its own slice.

`allow_tf32(allowed)`: whether float32 products may be computed with 10 bits (TensorFloat-32), which
NVIDIA GPUs since Ampere do several times as fast; for the whole process.

`device()`: what it computes on: its kind, "CPU", "GPU" or another such as "TPU", and its name,
empty for a CPU.
"""

import contextlib
import os
from collections.abc import Iterator
from types import ModuleType

import keras

from models.engines.processes import Processes


def load() -> ModuleType:
    """The engine of the current Keras backend.

    Raises:
        ValueError: a backend without an engine.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        from models.engines import tensorflow as engine
    elif backend == "jax":
        from models.engines import jax as engine
    elif backend == "torch":
        from models.engines import torch as engine
    else:
        raise ValueError(
            f"no training engine for KERAS_BACKEND={backend}; expected tensorflow, jax or torch"
        )
    return engine


@contextlib.contextmanager
def distributed(
    devices: int | str | None = None,
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
) -> Iterator[Processes]:
    """The group of processes and devices that train one model, for `WGANGP(processes=…)`.

    Of several processes only the first prints. A process that fails ends without waiting for the
    others, which then end too.

    Args:
        devices: number of devices of this machine, or `"all"`; None for one, and for all where
            several processes train.
        coordinator: `"host:port"`, where the first process listens and the others find it.
        processes: their number.
        process: number of this one, from 0. None for all three: as many as SLURM or a Cloud TPU pod
            has started, or else this one alone.

    Raises:
        ValueError: a framework other than JAX, more devices than the machine has, or arguments that
            do not go together.
        ConnectionError: the coordinator is not found, or its port is taken.
    """
    if devices in (None, 1) and (coordinator, processes, process) == (None, None, None):
        yield Processes()
        return
    backend = keras.config.backend()
    if backend != "jax":
        raise ValueError(
            f"several devices need KERAS_BACKEND=jax in the environment; this is {backend}"
        )
    from models.engines import jax_processes

    with contextlib.ExitStack() as stack:
        group = stack.enter_context(jax_processes.join(devices, coordinator, processes, process))
        if not group.is_first:
            silence = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stdout(silence))
        yield group
