"""Gradient and compilation on JAX; `models.engines` says what each function does.

JAX wants functions that change nothing. Keras helps: inside a `StatelessScope`, a variable that is
assigned keeps its value and the scope remembers the new one. Here such scopes stand inside each
other: the compiled epoch, the gradient of a loss in it, the penalty's gradient in that.
"""

from collections.abc import Callable

import jax
import keras
import numpy as np
from keras import ops

from models.engines import processes as team
from models.engines.jax_processes import joined as joined


class _Scope(keras.StatelessScope):
    """A scope that begins with what the one around it knows, and lists what changes in it."""

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
    found, beside = _differentiated(lambda values: loss(), values, variables)
    return beside, found


def input_gradient(function: Callable, inputs: jax.Array) -> jax.Array:
    """See `models.engines`."""
    inputs = ops.convert_to_tensor(inputs)
    return _differentiated(lambda images: (ops.sum(function(images)), None), inputs)[0]


def _differentiated(function, argument, variables=()):
    """Gradient of `function(argument)`, which returns (scalar, beside): (gradient, beside).

    With `variables`, these have the values `argument` meanwhile. What the function assigns to any
    other variable (the states of dropout, moving statistics) is assigned once it is done.
    """
    changed = []

    def pure(argument):
        with _Scope(variables, argument if variables else ()) as scope:
            value, beside = function(argument)
        changed.extend(scope.changed.values())
        return value, (beside, [scope.get_current_value(variable) for variable in changed])

    gradient, (beside, new) = jax.grad(pure, has_aux=True)(argument)
    for variable, value in zip(changed, new, strict=True):
        variable.assign(value)
    return gradient, beside


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


def compiled(function: Callable, variables: list[keras.Variable]) -> Callable:
    """See `models.engines`; the variables' old memory is used again for their new values."""

    def pure(values, *arrays):
        with _Scope(variables, values) as scope:
            result = function(*arrays)
        return result, [scope.get_current_value(variable) for variable in variables]

    if team.current().devices > 1:
        return _shared(pure, variables, team.current())
    pure = jax.jit(pure, donate_argnums=0)

    def run(*arrays):
        result, new = pure([variable.value for variable in variables], *arrays)
        for variable, value in zip(variables, new, strict=True):
            variable.assign(value)
        return result

    return run


def _shared(pure, variables, members):
    """`compiled` on several devices: each has all variables, and its share of every batch.

    The compiler adds what the devices must tell each other for sums and means to be those of the
    whole batch. Between two calls the variables have their values on one device of this process
    alone, so that nothing else needs to know.
    """
    mesh = jax.sharding.Mesh(members.mesh, "batch")
    whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    split = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(None, "batch"))
    pure = jax.jit(pure, donate_argnums=0, out_shardings=whole)
    known = {}  # by a variable's place: its value here, and on all devices

    def everywhere(i, value):
        here, there = known.pop(i, (None, None))
        if here is value:
            return there
        # Assigned since the last call, as a checkpoint is. Of a whole array each process has all.
        return jax.make_array_from_process_local_data(whole, np.asarray(value), value.shape)

    def run(*arrays):
        arrays = [
            jax.make_array_from_process_local_data(split if array.ndim > 1 else whole, array)
            for array in arrays
        ]
        values = [everywhere(i, variable.value) for i, variable in enumerate(variables)]
        with members.together():
            result, new = jax.block_until_ready(pure(values, *arrays))
        for i, (variable, value) in enumerate(zip(variables, new, strict=True)):
            variable.assign(value.addressable_data(0))
            known[i] = variable.value, value
        return result.addressable_data(0)

    return run


def allow_tf32(allowed: bool) -> None:
    """See `models.engines`; JAX's default allows it."""
    jax.config.update("jax_default_matmul_precision", None if allowed else "float32")
