"""Gradient, update and compilation on TensorFlow."""

from collections.abc import Callable

import keras
import tensorflow as tf


def gradients(loss: Callable, variables: list[keras.Variable]) -> tuple:
    """What `loss` returns beside its value, and the gradients of that value.

    Args:
        loss: called without arguments; returns (scalar to differentiate, anything).
        variables: with respect to which.

    Returns:
        (anything, gradients in the order of `variables`).
    """
    watched = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(watched)
        value, beside = loss()
    return beside, tape.gradient(value, watched)


def input_gradient(function: Callable, inputs: tf.Tensor) -> tf.Tensor:
    """Gradient of the sum of `function(inputs)` with respect to `inputs`, itself differentiable."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs)


def compiled(function: Callable) -> Callable:
    """`function` of arrays as one graph, run by one call."""
    return tf.function(function, autograph=False)
