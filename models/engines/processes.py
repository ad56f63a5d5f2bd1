"""Which devices and which processes train one model together, and what these tell each other."""

import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Iterator

import keras
import numpy as np

from models import engines


@dataclasses.dataclass(frozen=True)
class Team:
    """One process on one device; that of `models.engines.jax_processes` may be more.

    Every process calls the same methods in the same order.

    Attributes:
        process: number of this process, from 0; the first alone writes the run folder.
        processes: how many there are.
        devices: how many devices all processes have together.
    """

    process: int = 0
    processes: int = 1
    devices: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes the run folder."""
        return self.process == 0

    def part(self, count: int) -> tuple[int, int]:
        """Which of the `count` images of a batch are this process's: the first, and their end."""
        share = count // self.processes
        return share * self.process, share * (self.process + 1)

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
        ours = np.frombuffer(b"".join(h.digest() for h in hashes), np.uint8)
        every = self.gathered(ours.reshape(-1, 8))
        differ = (every != every[0]).any(axis=(0, 2))
        names = [name for name, differs in zip(values, differ, strict=True) if differs]
        if names:
            raise ValueError(
                f"the {self.processes} processes do not agree on {', '.join(names)}: give all of "
                "them the same command, the same images and the same versions"
            )

    def any_of(self, *here: bool) -> list[bool]:
        """For each of some questions, whether any process says yes."""
        return self.gathered(np.array(here)).any(axis=0).tolist()

    def gathered(self, array: np.ndarray) -> np.ndarray:
        """The arrays of all processes, which have one shape, stacked."""
        return array[None]

    def of_first(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The arrays of the first process; those that the others give only say their shapes."""
        return arrays


_current = Team()


def current() -> Team:
    """The team that this process belongs to."""
    return _current


@contextlib.contextmanager
def joined(
    devices: int | str | None = None,
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
) -> Iterator[Team]:
    """Has the models made in the block trained on several devices, or by several processes.

    Of several processes the first alone prints. One that fails ends without waiting for the others,
    which then end too; where one is aborted, words that it left say how to go on.

    Args:
        devices: how many of this machine's, or `"all"`; None for one, and for all where several
            processes train.
        coordinator: `"host:port"` where the first process listens and the others find it.
        processes: how many there are.
        process: number of this one, from 0. None for all three: as many as SLURM or a Cloud TPU pod
            has started, or else this one alone.

    Raises:
        ValueError: a framework other than JAX, more devices than there are, or arguments that do
            not go together.
        ConnectionError: the coordinator is not found, or its port is taken.
    """
    global _current
    if devices in (None, 1) and (coordinator, processes, process) == (None, None, None):
        yield _current
        return
    backend = keras.config.backend()
    if backend != "jax":
        raise ValueError(
            f"several devices need KERAS_BACKEND=jax in the environment; this is {backend}"
        )
    with contextlib.ExitStack() as stack:
        _current = stack.enter_context(
            engines.load().joined(devices, coordinator, processes, process)
        )
        stack.callback(_leave)
        if not _current.first:
            silence = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stdout(silence))
        yield _current


def _leave():
    global _current
    _current = Team()
