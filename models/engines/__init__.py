"""What only a framework can do, one module each; Keras's backend (`KERAS_BACKEND`) chooses it.

Every engine has the same five functions, and JAX's a sixth, `joined`, see `models.engines.processes`:

`gradients(loss, variables)` differentiates. `loss` is called without arguments and returns a scalar
and anything beside it; back come that anything and the gradients of the scalar, in the order of
`variables` (Keras variables).

`input_gradient(function, inputs)` is the gradient of the sum of `function(inputs)` with respect to
`inputs`, itself differentiable.

`update(optimiser, gradients, variables)` takes one step of a Keras optimiser.

`compiled(function, variables)` is `function`, which takes arrays and changes `variables` and
nothing else, as one call of the framework. The arrays of two axes or more have the images of a
batch along the second; where several processes train (JAX alone), those of this process.

`allow_tf32(allowed)` says for the whole process whether float32 products may be computed with 10
bits (TensorFloat-32), which NVIDIA GPUs since Ampere do several times as fast.
"""

import importlib
import importlib.util
from types import ModuleType

import keras


def load() -> ModuleType:
    """The engine of the current Keras backend.

    Raises:
        ValueError: a backend without an engine.
    """
    backend = keras.config.backend()
    name = f"{__name__}.{backend}"
    if importlib.util.find_spec(name) is None:
        raise ValueError(
            f"no training engine for KERAS_BACKEND={backend}; expected tensorflow, jax or torch"
        )
    return importlib.import_module(name)
