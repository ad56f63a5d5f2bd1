"""The forward pass of training: the numbers of Keras's own call, with less work."""

from collections.abc import Callable

import keras
from keras import layers, ops


def forward(network: keras.Model, x, update_statistics: bool = False, dtype: str = "float32"):
    """`network(x, training=True)` for a network of `models.networks`, to rounding.

    Differs from the call in six ways:

    - The second derivative of LeakyReLU, which is zero, is skipped.
    - A transposed convolution is computed as the ordinary convolution that equals it, which is
      faster on most processors; the weights stay those of `Conv2DTranspose`.
    - The gradient of batch statistics is exact to the second order. `tf.nn.moments`, which Keras
      uses, treats the mean as a constant in the variance. That is right for a gradient, and wrong
      for the gradient of a gradient, which the penalty of a critic with batch norm needs.
    - Moving statistics change only on request.
    - A convolution whose patches do not overlap is one product of matrices, which is faster.
    - A softmax along another axis than the last one is computed there, without a transposition.

    Args:
        network: a graph of layers, each called once.
        x: its inputs, float32.
        update_statistics: whether batch norm's moving statistics are updated.
        dtype: of the convolutions. Everything else is float32, also their sums over the batch and
            their results.
    """

    def compute(layer, inputs):
        if isinstance(layer, layers.Conv2D | layers.Conv2DTranspose):
            return _convolution(layer, inputs, dtype)
        if isinstance(layer, layers.BatchNormalization):
            return _batch_norm(layer, inputs, update_statistics)
        if isinstance(layer, layers.LeakyReLU):
            return _leaky_relu(layer, inputs)
        if isinstance(layer, layers.Softmax):
            return _softmax(layer, inputs)
        if isinstance(layer, layers.Dropout):
            return layer(inputs, training=True)
        return layer(inputs)

    return run(network, x, compute)


def run(network: keras.Model, x, compute: Callable):
    """The output of a network for inputs `x`, by `compute(layer, inputs)` for each layer.

    `inputs` is a list for layers with several inputs, such as `Add`.
    """
    outputs = {id(network.input): x}
    for layer in network.layers[1:]:
        if isinstance(layer.input, list):
            inputs = [outputs[id(tensor)] for tensor in layer.input]
        else:
            inputs = outputs[id(layer.input)]
        outputs[id(layer.output)] = compute(layer, inputs)
    return outputs[id(network.output)]


def _convolution(layer, x, dtype):
    x, kernel = ops.cast(x, dtype), ops.cast(layer.kernel, dtype)
    if isinstance(layer, layers.Conv2DTranspose):
        x = _transposed(x, kernel, layer.strides)
    elif layer.strides == layer.kernel_size and _divides(layer.strides, x):
        x = _patches(x, kernel)
    else:
        x = ops.conv(x, kernel, layer.strides, "same")
    x = ops.cast(x, "float32")
    return x + layer.bias if layer.use_bias else x


def _divides(strides, x):
    return not any(size % stride for size, stride in zip(x.shape[1:3], strides, strict=True))


def _patches(x, kernel):
    """A convolution whose patches do not overlap: one product of matrices, which is faster."""
    (height, width, channels, filters), (batch, rows, columns, _) = kernel.shape, x.shape
    rows, columns = rows // height, columns // width
    if kernel.shape[:2] != (1, 1):
        x = ops.reshape(x, (batch, rows, height, columns, width, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    x = ops.reshape(x, (-1, height * width * channels))
    x = ops.matmul(x, ops.reshape(kernel, (-1, filters)))
    return ops.reshape(x, (batch, rows, columns, filters))


def _transposed(x, kernel, strides):
    """The transposed convolution with "same" padding.

    Output pixel s·j + r (stride s, 0 ≤ r < s) sees input pixels j + d through the kernel's entry
    s·(−d) + r + p, p = (k − s)/2. Where p is a multiple of s, every r sees the same d from −p/s to
    p/s: one convolution gives the s values of each j as channels, and a reordering puts them side
    by side. Elsewhere that convolution would multiply by padding, and the framework's own is used.
    """
    (height, width, filters, channels), (down, right) = kernel.shape, strides
    if (height - down) % (2 * down) or (width - right) % (2 * right):
        return ops.conv_transpose(x, kernel, strides, "same")
    rows, columns = height // down, width // right
    kernel = ops.reshape(kernel, (rows, down, columns, right, filters, channels))
    kernel = ops.flip(ops.flip(kernel, 0), 2)  # Keras 3.13 flips one axis at a time
    kernel = ops.transpose(kernel, (0, 2, 5, 1, 3, 4))
    x = ops.conv(x, ops.reshape(kernel, (rows, columns, channels, -1)), padding="same")
    batch, rows, columns, _ = x.shape
    x = ops.reshape(x, (batch, rows, columns, down, right, filters))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (batch, rows * down, columns * right, filters))


def _batch_norm(layer, x, update_statistics):
    axes = tuple(range(len(x.shape) - 1))
    mean = ops.mean(x, axes)
    variance = ops.mean(ops.square(x - mean), axes)
    if update_statistics:
        for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
            moving.assign(moving * layer.momentum + new * (1 - layer.momentum))
    scale = ops.rsqrt(variance + layer.epsilon) * layer.gamma
    return (x - mean) * scale + layer.beta


def _leaky_relu(layer, x):
    return x * ops.stop_gradient(ops.where(x > 0, 1.0, layer.negative_slope))


def _softmax(layer, x):
    x = ops.exp(x - ops.stop_gradient(ops.max(x, layer.axis, keepdims=True)))
    return x / ops.sum(x, layer.axis, keepdims=True)
