"""The processes and devices that train one model; this class is one process on one device."""

import dataclasses
import hashlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class Processes:
    """One process on one device; `models.engines.jax_processes` has the class for more.

    Every process calls the same methods in the same order.

    Attributes:
        index: number of this process, from 0; the first alone writes the run folder.
        count: number of processes.
        devices: number of devices of all processes together.
    """

    index: int = 0
    count: int = 1
    devices: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes the run folder."""
        return self.index == 0

    def local_slice(self, batch_size: int) -> tuple[int, int]:
        """The images of a batch that this process trains on: the first, and the end."""
        share = batch_size // self.count
        return share * self.index, share * (self.index + 1)

    def check_batch_size(self, batch_size: int) -> None:
        """Raises ValueError for a batch that the devices cannot share equally."""
        below = batch_size // self.devices * self.devices
        if below != batch_size:
            fitting = " or ".join(str(size) for size in (below, below + self.devices) if size)
            raise ValueError(
                f"a batch of {batch_size} images does not divide by {self.devices} devices; "
                f"--batch-size {fitting} does"
            )

    def check_same(self, values: dict[str, object]) -> None:
        """Raises ValueError, in every process, where a value is not the same in all of them."""
        hashes = (hashlib.blake2b(repr(v).encode(), digest_size=8) for v in values.values())
        own = np.frombuffer(b"".join(h.digest() for h in hashes), np.uint8)
        gathered = self.all_gather(own.reshape(-1, 8))  # (processes, values, 8)
        differ = (gathered != gathered[0]).any(axis=(0, 2))
        names = [name for name, differs in zip(values, differ, strict=True) if differs]
        if names:
            raise ValueError(
                f"the {self.count} processes do not agree on {', '.join(names)}: give all of "
                "them the same command, the same images and the same versions"
            )

    def any_across(self, *flags: bool) -> list[bool]:
        """For each flag, whether it is True in any process."""
        return self.all_gather(np.array(flags)).any(axis=0).tolist()

    def all_gather(self, array: np.ndarray) -> np.ndarray:
        """The arrays of all processes, which have one shape, stacked."""
        return array[None]

    def broadcast(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The arrays of the first process; the others pass arrays of the same shapes and types."""
        return arrays
