"""Gradient and compilation on PyTorch; `models.engines` says what each function does."""

from collections.abc import Callable

import keras
import torch
from keras import ops

from models.engines.processes import Processes


def gradients(loss: Callable, variables: list[keras.Variable]) -> tuple:
    """See `models.engines`."""
    with torch.enable_grad():
        value, aux = loss()
    return aux.detach(), torch.autograd.grad(value, [variable.value for variable in variables])


def input_gradient(function: Callable, inputs: torch.Tensor) -> torch.Tensor:
    """See `models.engines`."""
    inputs = ops.convert_to_tensor(inputs).detach().requires_grad_()
    return torch.autograd.grad(function(inputs).sum(), inputs, create_graph=True)[0]


def update(
    optimiser: keras.optimizers.Optimizer, gradients: list, variables: list[keras.Variable]
) -> None:
    """See `models.engines`."""
    optimiser.apply(gradients, variables)


def compiled(
    function: Callable,
    variables: list[keras.Variable],
    processes: Processes = Processes(),  # noqa: B008
) -> Callable:
    """See `models.engines`; PyTorch runs it as it is, operation by operation."""
    del variables, processes  # variables change in place; only JAX trains on several devices

    @torch.no_grad()  # `gradients` turns recording on where it is needed
    def run(*arrays):
        return function(*(ops.convert_to_tensor(array) for array in arrays))

    return run


def allow_tf32(allowed: bool) -> None:
    """See `models.engines`."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def device() -> tuple[str, str]:
    """See `models.engines`."""
    kind = ops.zeros(()).device.type
    if kind == "cuda":
        return "GPU", torch.cuda.get_device_name()
    return ("CPU", "") if kind == "cpu" else ("GPU", kind)
