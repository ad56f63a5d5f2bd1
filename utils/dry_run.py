"""What a training would be and how long it would take, before it begins."""

import json
from pathlib import Path


def dry_run(gan, x_train, folder: Path, arguments: dict) -> int:
    """Prints the configuration, the size of the networks and the time; returns 0.

    Args:
        gan: a `WGANGP`; a few epochs are trained to measure the time.
        x_train: its data.
        folder: the run folder, which is not made.
        arguments: of the command line: `epochs`, `n_critic`, `batch_size`, and whatever else is to
            be shown.
    """
    print(json.dumps(arguments | {"run_folder": str(folder), "model": gan.config}, indent=2))
    for network in (gan.critic, gan.generator):
        print(f"{network.name}: {network.count_params():,} parameters")
    left = max(0, arguments["epochs"] - gan.epoch)
    seconds = gan.time_epoch(x_train, arguments["n_critic"])
    rate = arguments["n_critic"] * arguments["batch_size"] / seconds
    print(f"one epoch: {seconds:.2f} s ({rate:.0f} images/s)")
    print(f"{left} epochs: about {left * seconds / 3600:.1f} hours ({left * seconds:.0f} s)")
    return 0
