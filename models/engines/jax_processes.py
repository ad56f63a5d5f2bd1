"""The processes of one training on JAX: how they meet, what they tell each other, how they end."""

import atexit
import contextlib
import dataclasses
import importlib.util
import os
import socket
import sys
import time
from collections.abc import Iterator

import jax
import numpy as np
from jax.experimental import multihost_utils

from models.engines.processes import Team
from utils.last_words import last_words
from utils.messages import one_line

PATIENCE = 300
"""Seconds in which all processes must have come together."""

SILENCE = 60
"""Seconds without a sign of life after which a process counts as lost, and all end."""

_LAST_WORDS = (
    "{}: this process ended before the training did: it was killed, or it lost the others, as the "
    "lines above say. The same command, given to as many processes as there are then, continues "
    "from the last checkpoint."
)


@dataclasses.dataclass(frozen=True)
class JaxTeam(Team):
    """See `models.engines.processes`.

    Attributes:
        mesh: all devices, the processes' one after another.
    """

    mesh: tuple[jax.Device, ...] = ()

    def gathered(self, array: np.ndarray) -> np.ndarray:
        """See `models.engines.processes`."""
        with self.together():
            return multihost_utils.process_allgather(array).reshape(-1, *array.shape)

    def of_first(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """See `models.engines.processes`."""
        # As bytes, to which nothing is added but zeros: as floats, -0 would come as 0.
        raw = [np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in arrays]
        with self.together():
            raw = multihost_utils.broadcast_one_to_all(raw)
        return [
            np.asarray(there).view(array.dtype).reshape(array.shape)
            for there, array in zip(raw, arrays, strict=True)
        ]

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Around what takes all processes: one that is lost becomes a ConnectionError."""
        try:
            yield
        except Exception as error:  # a dozen types, by what carries the data
            if self.processes == 1:
                raise
            raise ConnectionError(
                f"process {self.process} of {self.processes} could not go on with the others "
                f"({one_line(error)})"
            ) from error


@contextlib.contextmanager
def joined(
    devices: int | str | None,
    coordinator: str | None,
    processes: int | None,
    process: int | None,
) -> Iterator[JaxTeam]:
    """See `models.engines.processes`."""
    if coordinator is None:
        if (processes, process) != (None, None):
            raise ValueError("--processes and --process need --coordinator HOST:PORT")
        if not _on_a_cluster():
            yield _team(devices or 1)
            return
    else:
        _check(coordinator, processes, process)
    if jax.__version_info__ < (0, 7):
        raise ValueError(f"several processes need JAX 0.7 or later, this is {jax.__version__}")
    with last_words(_LAST_WORDS.format(os.path.basename(sys.argv[0]))):
        try:
            jax.distributed.initialize(
                coordinator,
                processes,
                process,
                initialization_timeout=PATIENCE,
                heartbeat_timeout_seconds=SILENCE,
            )
        except ValueError:
            if coordinator or _by_slurm():
                raise
            # TPUs of one machine, for which JAX finds no others.
        try:
            yield _team(devices or "all")
        except BaseException as error:
            if jax.process_count() > 1:
                atexit.register(_leave, 130 if isinstance(error, KeyboardInterrupt) else 2)
            raise
        jax.distributed.shutdown()


def _leave(status: int) -> None:
    """Ends the program at its end, without JAX's own, which would wait for the other processes."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _on_a_cluster() -> bool:
    """Whether JAX is to find out who the processes are: under SLURM, or with TPUs.

    Not elsewhere: in a container of Kubernetes, as many notebooks are, JAX would look for a job.
    """
    return _by_slurm() or importlib.util.find_spec("libtpu") is not None


def _by_slurm() -> bool:
    return int(os.environ.get("SLURM_NTASKS", 1)) > 1 and "SLURM_PROCID" in os.environ


def _team(devices: int | str) -> JaxTeam:
    there = [
        [device for device in jax.devices() if device.process_index == process]
        for process in range(jax.process_count())
    ]
    counts = [len(each) for each in there]
    if devices == "all" and len({*counts}) > 1:
        raise ValueError(
            f"the machines have {', '.join(map(str, counts))} devices: name how many of each, such "
            f"as --devices {min(counts)}"
        )
    each = counts[0] if devices == "all" else devices
    if each > min(counts):
        raise ValueError(
            f"--devices {each}: there {'is' if min(counts) == 1 else 'are'} only {min(counts)} "
            f"({', '.join(map(str, min(there, key=len)))})"
        )
    mesh = tuple(device for some in there for device in some[:each])
    return JaxTeam(jax.process_index(), jax.process_count(), len(mesh), mesh)


def _check(coordinator: str, processes: int | None, process: int | None) -> None:
    """Refuses what JAX would abort the program for; others than process 0 wait for that one."""
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"--coordinator: expected HOST:PORT, received {coordinator!r}")
    if processes is None or process is None:
        raise ValueError("--coordinator needs --processes N and --process I besides")
    if process >= processes:
        raise ValueError(
            f"--process must lie between 0 and {processes - 1} for {processes} processes, received "
            f"{process}"
        )
    print(f"Process {process} of {processes} meets the others at {coordinator}", flush=True)
    if process == 0:
        try:
            socket.create_server(("", int(port))).close()
        except OSError as error:
            raise ConnectionError(
                f"--coordinator {coordinator}: process 0 cannot listen at port {port} ({error}); "
                "choose another port"
            ) from error
        return
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise ConnectionError(
                    f"--coordinator {coordinator}: nobody listened there for {PATIENCE} s "
                    f"({error}); has process 0 been started, and does a firewall let others in?"
                ) from error
            time.sleep(0.5)
