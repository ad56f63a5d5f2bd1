"""Gradient and compilation on JAX; `models.engines` says what each function does.

JAX needs pure functions. Inside a `keras.StatelessScope` a variable that is assigned keeps its
value, and the scope holds the new one. Here such scopes are nested: the compiled epoch, in it the
gradient of a loss, in that the gradient for the penalty.
"""

from collections.abc import Callable

import jax
import keras
import numpy as np
from keras import ops

from models.engines.processes import Processes


class _Scope(keras.StatelessScope):
    """A scope that starts with the values of the one around it, and lists the variables changed."""

    innermost = None

    def __init__(self, variables, values):
        super().__init__(zip(variables, values, strict=True))
        if _Scope.innermost:
            self.state_mapping = _Scope.innermost.state_mapping | self.state_mapping
        self.changed = {}

    def __enter__(self):
        self.around, _Scope.innermost = _Scope.innermost, self
        return super().__enter__()

    def __exit__(self, *error):
        _Scope.innermost = self.around
        return super().__exit__(*error)

    def add_update(self, update):
        super().add_update(update)
        self.changed[id(update[0])] = update[0]


def gradients(loss: Callable, variables: list[keras.Variable]) -> tuple:
    """See `models.engines`."""
    values = [variable.value for variable in variables]
    found, aux = _differentiated(lambda values: loss(), values, variables)
    return aux, found


def input_gradient(function: Callable, inputs: jax.Array) -> jax.Array:
    """See `models.engines`."""
    inputs = ops.convert_to_tensor(inputs)
    return _differentiated(lambda images: (ops.sum(function(images)), None), inputs)[0]


def _differentiated(function, argument, variables=()):
    """`function(argument)` returns (scalar, aux); returns (gradient of the scalar, aux).

    With `variables`, these have the values `argument` inside. What the function assigns to other
    variables (states of dropout, moving statistics) is assigned to them afterwards.
    """
    changed = []

    def pure(argument):
        with _Scope(variables, argument if variables else ()) as scope:
            value, aux = function(argument)
        changed.extend(scope.changed.values())
        return value, (aux, [scope.get_current_value(variable) for variable in changed])

    gradient, (aux, new) = jax.grad(pure, has_aux=True)(argument)
    for variable, value in zip(changed, new, strict=True):
        variable.assign(value)
    return gradient, aux


def update(
    optimiser: keras.optimizers.Optimizer, gradients: list, variables: list[keras.Variable]
) -> None:
    """See `models.engines`; `apply` would assign in branches that JAX traces."""
    targets = [*variables, *optimiser.variables]
    weights, states = optimiser.stateless_apply(
        [state.value for state in optimiser.variables],
        gradients,
        [variable.value for variable in variables],
    )
    for variable, value in zip(targets, [*weights, *states], strict=True):
        variable.assign(value)


def compiled(
    function: Callable,
    variables: list[keras.Variable],
    processes: Processes = Processes(),  # noqa: B008
) -> Callable:
    """See `models.engines`; the memory of the variables' old values is reused for the new ones."""

    def pure(values, *arrays):
        with _Scope(variables, values) as scope:
            result = function(*arrays)
        return result, [scope.get_current_value(variable) for variable in variables]

    if processes.devices > 1:
        return _sharded(pure, variables, processes)
    pure = jax.jit(pure, donate_argnums=0)

    def run(*arrays):
        result, new = pure([variable.value for variable in variables], *arrays)
        for variable, value in zip(variables, new, strict=True):
            variable.assign(value)
        return result

    return run


def _sharded(pure, variables, processes):
    """`compiled` on several devices: each has all variables, and its slice of every batch.

    The compiler inserts the communication that makes sums and means those of the whole batch.
    Between two calls the variables have their values on one device of this process, so nothing else
    in the project has to know of several devices.
    """
    mesh = jax.sharding.Mesh(processes.mesh, "batch")
    replicated = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    split = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(None, "batch"))
    pure = jax.jit(pure, donate_argnums=0, out_shardings=replicated)
    last = {}  # by a variable's index: its value on this device, and on all devices

    def replicate(i, value):
        local, everywhere = last.pop(i, (None, None))
        if local is value:
            return everywhere
        # Assigned since the last call, by a checkpoint for instance.
        return jax.make_array_from_process_local_data(replicated, np.asarray(value), value.shape)

    def run(*arrays):
        arrays = [
            jax.make_array_from_process_local_data(split if array.ndim > 1 else replicated, array)
            for array in arrays
        ]
        values = [replicate(i, variable.value) for i, variable in enumerate(variables)]
        with processes.communicating():
            result, new = jax.block_until_ready(pure(values, *arrays))
        for i, (variable, value) in enumerate(zip(variables, new, strict=True)):
            variable.assign(value.addressable_data(0))
            last[i] = variable.value, value
        return result.addressable_data(0)

    return run


def allow_tf32(allowed: bool) -> None:
    """See `models.engines`; it is JAX's default."""
    jax.config.update("jax_default_matmul_precision", None if allowed else "float32")


def device() -> tuple[str, str]:
    """See `models.engines`."""
    first = jax.local_devices()[0]
    kind = first.platform.upper()
    return kind, "" if kind == "CPU" else first.device_kind
