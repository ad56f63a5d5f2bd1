"""Gradient and compilation on TensorFlow; `models.engines` says what each function does."""

from collections.abc import Callable

import keras
import tensorflow as tf

from models.engines.processes import Processes


def gradients(loss: Callable, variables: list[keras.Variable]) -> tuple:
    """See `models.engines`."""
    watched = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(watched)
        value, aux = loss()
    return aux, tape.gradient(value, watched)


def input_gradient(function: Callable, inputs: tf.Tensor) -> tf.Tensor:
    """See `models.engines`."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs)


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
    """See `models.engines`; one graph."""
    del variables, processes  # variables change in place; only JAX trains on several devices
    return tf.function(function, autograph=False)


def allow_tf32(allowed: bool) -> None:
    """See `models.engines`."""
    tf.config.experimental.enable_tensor_float_32_execution(allowed)


def device() -> tuple[str, str]:
    """See `models.engines`."""
    found = tf.config.list_physical_devices("GPU")
    if not found:
        return "CPU", ""
    return "GPU", tf.config.experimental.get_device_details(found[0]).get("device_name", "")
