"""Training on 1, 2, 4 … devices beside one: images/s, efficiency, and bytes that devices exchange.

Runs on JAX, each number of devices in a process of its own, with a fixed batch per device and with
a fixed batch in all. Without GPUs the devices are virtual ones of the CPU, which share its cores:
what is seen there is the price of the exchange, not a gain.
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

EXCHANGES = "all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter"
"""XLA's names of communication between devices, as a pattern."""

_BYTES = {"f32": 4, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "pred": 1}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="lines64")
    parser.add_argument("--batch-size", type=int, default=16, help="per device, and then in all")
    parser.add_argument("--n-critic", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3, help="timed, after one untimed")
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--measure", type=int, nargs=2, help="devices, batch: this one, as JSON")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments, *arguments.measure)))
        return
    print(f"{arguments.preset}, n_critic {arguments.n_critic}, {arguments.device}")
    for title, growing in (("batch per device", True), ("batch in all", False)):
        print(f"{arguments.batch_size} images: {title}")
        print(
            f"{'devices':>9}{'batch':>7}{'s/epoch':>9}{'images/s':>10}{'efficiency':>12}{'MB':>8}"
        )
        first = None
        for devices in arguments.devices:
            batch = arguments.batch_size * (devices if growing else 1)
            seconds, sent = started(arguments, devices, batch)
            speed = batch * arguments.n_critic / seconds
            first = first or speed / devices
            share = speed / devices / first
            print(
                f"{devices:9}{batch:7}{seconds:9.3f}{speed:10.1f}{share:12.0%}{sent / 1e6:8.1f}",
                flush=True,
            )


def started(arguments, devices: int, batch: int) -> tuple[float, int]:
    """Seconds of an epoch, the median, and bytes that it exchanges, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        flags = f"--xla_dump_to={folder} --xla_dump_hlo_module_re=jit_pure --xla_dump_hlo_as_text"
        variables = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
        if arguments.device == "cpu":
            flags += f" --xla_force_host_platform_device_count={devices}"
            variables["JAX_PLATFORMS"] = "cpu"
        module = [sys.executable, "-m", "tests.benchmarks.scaling", *sys.argv[1:]]
        done = subprocess.run(
            [*module, "--measure", str(devices), str(batch)],
            env=os.environ | variables | {"XLA_FLAGS": flags},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        programs = [file.read_text() for file in Path(folder).glob("*after_optimizations.txt")]
    return json.loads(done.stdout.splitlines()[-1]), max(map(exchanged, programs))


def exchanged(program: str) -> int:
    """Bytes that each device sends in a compiled epoch."""
    total = 0
    for shapes in re.findall(rf"= (.*?) (?:{EXCHANGES})(?:-start)?\(", program):
        for kind, lengths in re.findall(r"(\w+)\[([\d,]*)\]", shapes):
            total += _BYTES[kind] * math.prod(int(n) for n in lengths.split(",") if n)
    return total


def measure(arguments, devices: int, batch: int) -> float:
    """Seconds of an epoch, in this process."""
    from models.engines import distributed
    from models.presets import preset
    from models.WGANGP import WGANGP

    with distributed(devices) as processes:
        chosen = preset(arguments.preset)
        networks, recipe = chosen.networks, chosen.recipe
        gan = WGANGP(**networks, batch_size=batch, recipe=recipe, processes=processes)
        images = np.random.default_rng(0).uniform(-1, 1, (batch, *gan.input_dim))
        images = images.astype(np.float32)
        seconds = []
        for _ in range(arguments.epochs + 1):
            start = time.perf_counter()
            gan.train_epoch(iter([(images,)] * arguments.n_critic), arguments.n_critic)
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
