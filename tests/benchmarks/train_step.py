"""Training speed: this project on each installed backend beside plain Keras and plain PyTorch.

Every contender trains the same networks on the same images, in a process of its own, one after
another. Prints seconds per epoch (the best and the median), images/s, and the useful operations
per second as a share of the machine's fastest measured float32 matrix product.
"""

import argparse
import importlib.util
import itertools
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

from models.presets import PRESETS

MATRIX = 4096
CONTENDERS = {
    "this project, TensorFlow": ("project", "tensorflow", {}),
    "this project, JAX": ("project", "jax", {}),
    "this project, PyTorch": ("project", "torch", {}),
    "plain Keras train_step": ("plain_keras", "tensorflow", {"TF_ENABLE_ONEDNN_OPTS": None}),
    "plain Keras, oneDNN on": ("plain_keras", "tensorflow", {"TF_ENABLE_ONEDNN_OPTS": "1"}),
    "plain PyTorch loop": ("plain_torch", "torch", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="lines128", choices=sorted(PRESETS))
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--n-critic", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3, help="timed, after two untimed ones")
    parser.add_argument("--precision", default="float32", help="as for train.py")
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--contender", choices=[*CONTENDERS], help="this one, as JSON")
    arguments = parser.parse_args()
    if arguments.contender:
        print(json.dumps(measure(arguments)))
    else:
        compare(arguments)


def compare(arguments) -> None:
    """Runs every contender whose framework is installed and prints the table."""
    results = {}
    for name, (_, backend, variables) in CONTENDERS.items():
        if importlib.util.find_spec(backend) is None:
            print(f"{name}: {backend} is not installed", file=sys.stderr)
            continue
        changes = variables | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if arguments.device == "cpu":
            changes |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
        merged = os.environ | changes
        environment = {key: value for key, value in merged.items() if value is not None}
        module = [sys.executable, "-m", "tests.benchmarks.train_step"]
        command = [*module, *sys.argv[1:], "--contender", name]
        print(f"{name} …", file=sys.stderr, flush=True)
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"{name} failed", file=sys.stderr)
        else:
            results[name] = json.loads(done.stdout.splitlines()[-1])
    report(arguments, results)


def report(arguments, results: dict) -> None:
    """The table; ratios are to the fastest plain contender in its own defaults."""
    peak = max(result["product"] for result in results.values())
    useful = operations(
        PRESETS[arguments.preset].networks, arguments.batch_size, arguments.n_critic
    )
    plain = [
        min(results[name]["seconds"])
        for name in ("plain Keras train_step", "plain PyTorch loop")
        if name in results
    ]
    images = arguments.batch_size * arguments.n_critic
    print(
        f"{arguments.preset}, batch {arguments.batch_size}, n_critic {arguments.n_critic}, "
        f"{arguments.precision}, {arguments.device}: {useful / 1e12:.2f} Tflop per epoch, "
        f"fastest product {peak / 1e12:.3f} Tflop/s"
    )
    print(
        f"{'':26}{'s/epoch':>9}{'median':>9}{'epochs/s':>10}{'images/s':>10}"
        f"{'product':>9}{'share':>7}{'× plain':>9}"
    )
    for name, result in results.items():
        best = min(result["seconds"])
        ratio = f"{min(plain) / best:9.2f}" if plain else ""
        print(
            f"{name:26}{best:9.3f}{statistics.median(result['seconds']):9.3f}{1 / best:10.3f}"
            f"{images / best:10.1f}{result['product'] / 1e12:9.3f}"
            f"{useful / best / peak:7.0%}{ratio}"
        )


def operations(model: dict, batch_size: int, n_critic: int) -> float:
    """Useful operations of an epoch: two per multiplication of the convolutions.

    Per image, with g and c for one forward pass of generator and critic: each critic update takes
    g, 6c for real and fake (forward and both gradients) and 4c for the penalty (forward, gradient,
    and through that to weights and back); the generator update takes 3g and 2c.
    """
    size = model["input_dim"][0]
    critic = generator = 0
    channels = model["input_dim"][2]
    layers = ("filters", "kernel_size", "strides")
    rows = zip(*(model[f"critic_conv_{name}"] for name in layers), strict=True)
    for filters, kernel_size, strides in rows:
        size //= strides
        critic += size**2 * kernel_size**2 * channels * filters
        channels = filters
    size, _, channels = model["generator_initial_dense_layer_size"]
    rows = zip(*(model[f"generator_conv_{name}"] for name in layers), strict=True)
    for (filters, kernel_size, strides), upsample in zip(
        rows, model["generator_upsample"], strict=True
    ):
        if upsample == 2:
            size *= 2
        generator += size**2 * kernel_size**2 * channels * filters
        size *= strides if upsample == 1 else 1
        channels = filters
    critic_update = generator + 10 * critic
    return 2 * batch_size * (n_critic * critic_update + 3 * generator + 2 * critic)


def measure(arguments) -> dict:
    """Seconds of each timed epoch and the framework's float32 matrix products, flop/s."""
    kind, backend, _ = CONTENDERS[arguments.contender]
    model = PRESETS[arguments.preset].networks | {"batch_size": arguments.batch_size}
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(20 * arguments.batch_size, *model["input_dim"]), dtype="u1")
    if kind == "project":
        epochs = project(model, images, arguments)
    else:
        module = importlib.import_module(f"tests.benchmarks.{kind}")
        epochs = module.epochs(model, images, arguments)
    seconds = []
    for _ in itertools.islice(epochs, 2):
        pass  # compiles, and warms up
    for _ in range(arguments.epochs):
        start = time.perf_counter()
        next(epochs)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "product": max(matrix_product(backend), matrix_product("numpy"))}


def project(model, images, arguments):
    """Trains an epoch per item, as `train.py` does."""
    from models.WGANGP import WGANGP
    from utils.loaders import ArraySource, ImageStream

    gan = WGANGP(**model, precision=arguments.precision)
    stream = ImageStream(ArraySource(images), arguments.batch_size, 0)
    while True:
        gan.train_epoch(stream, arguments.n_critic)
        yield


def matrix_product(framework: str) -> float:
    """Operations per second of a product of float32 matrices, the best of five."""
    matrix = np.random.default_rng(0).standard_normal((MATRIX, MATRIX), np.float32)
    if framework == "numpy":
        multiply = np.matmul
    else:
        from keras import ops

        matrix = ops.convert_to_tensor(matrix)

        def multiply(a, b):
            return float(ops.matmul(a, b)[0, 0])  # waits for the result

    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        multiply(matrix, matrix)
        seconds.append(time.perf_counter() - start)
    return 2 * MATRIX**3 / min(seconds)


if __name__ == "__main__":
    main()
