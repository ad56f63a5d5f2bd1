"""The processes of one training on JAX: how they find each other, communicate and end."""

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

from models.engines.processes import Processes
from utils.messages import one_line

PATIENCE = 300
"""Seconds in which all processes must have started."""

SILENCE = 60
"""Seconds without a sign of life after which a process counts as lost, and all end."""


@dataclasses.dataclass(frozen=True)
class JaxProcesses(Processes):
    """See `models.engines.processes`.

    Attributes:
        mesh: all devices, in the order of their processes.
    """

    mesh: tuple[jax.Device, ...] = ()

    def all_gather(self, array: np.ndarray) -> np.ndarray:
        """See `models.engines.processes`."""
        with self.communicating():
            return multihost_utils.process_allgather(array).reshape(-1, *array.shape)

    def broadcast(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """See `models.engines.processes`."""
        # As bytes: the broadcast adds zeros, and as floats -0 would become 0.
        raw = [np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in arrays]
        with self.communicating():
            raw = multihost_utils.broadcast_one_to_all(raw)
        return [
            np.asarray(there).view(array.dtype).reshape(array.shape)
            for there, array in zip(raw, arrays, strict=True)
        ]

    @contextlib.contextmanager
    def communicating(self) -> Iterator[None]:
        """Turns whatever a lost process raises within the block into a ConnectionError."""
        try:
            yield
        except Exception as error:  # the type depends on the transport
            if self.count == 1:
                raise
            raise ConnectionError(
                f"process {self.index} of {self.count} lost the others ({one_line(error)})"
            ) from error


@contextlib.contextmanager
def join(
    devices: int | str | None,
    coordinator: str | None,
    processes: int | None,
    process: int | None,
) -> Iterator[JaxProcesses]:
    """See `models.engines.distributed`."""
    if coordinator is None:
        if (processes, process) != (None, None):
            raise ValueError("--processes and --process need --coordinator HOST:PORT")
        if not _on_a_cluster():
            yield _group(devices or 1)
            return
    else:
        _check(coordinator, processes, process)
    if jax.__version_info__ < (0, 7):
        raise ValueError(f"several processes need JAX 0.7 or later, this is {jax.__version__}")
    try:
        jax.distributed.initialize(
            coordinator,
            processes,
            process,
            initialization_timeout=PATIENCE,
            heartbeat_timeout_seconds=SILENCE,
            # Else JAX listens at all addresses of the machine: to anyone who can reach one.
            coordinator_bind_address=coordinator,
        )
    except ValueError:
        if coordinator or _by_slurm():
            raise
        # TPUs of one machine, for which JAX finds no other process.
    try:
        yield _group(devices or "all")
    except BaseException as error:
        if jax.process_count() > 1:
            atexit.register(_exit, 130 if isinstance(error, KeyboardInterrupt) else 2)
        raise
    jax.distributed.shutdown()


def _exit(status: int) -> None:
    """Exits without JAX's own shutdown, which would wait for the other processes."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _on_a_cluster() -> bool:
    """Whether JAX shall find the processes itself: under SLURM, or with TPUs.

    Not elsewhere: in a Kubernetes container, where many notebooks run, JAX would look for a job.
    """
    return _by_slurm() or importlib.util.find_spec("libtpu") is not None


def _by_slurm() -> bool:
    return int(os.environ.get("SLURM_NTASKS", 1)) > 1 and "SLURM_PROCID" in os.environ


def _group(devices: int | str) -> JaxProcesses:
    by_process = [
        [device for device in jax.devices() if device.process_index == process]
        for process in range(jax.process_count())
    ]
    counts = [len(local) for local in by_process]
    if devices == "all" and len({*counts}) > 1:
        raise ValueError(
            f"the machines have {', '.join(map(str, counts))} devices: name how many of each, such "
            f"as --devices {min(counts)}"
        )
    each = counts[0] if devices == "all" else devices
    if each > min(counts):
        raise ValueError(
            f"--devices {each}: there {'is' if min(counts) == 1 else 'are'} only {min(counts)} "
            f"({', '.join(map(str, min(by_process, key=len)))})"
        )
    mesh = tuple(device for local in by_process for device in local[:each])
    return JaxProcesses(jax.process_index(), jax.process_count(), len(mesh), mesh)


def _check(coordinator: str, processes: int | None, process: int | None) -> None:
    """Refuses what JAX would abort the program for; all but process 0 wait until that listens."""
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"--coordinator: expected HOST:PORT, received {coordinator!r}")
    if processes is None or process is None:
        raise ValueError("--coordinator needs --processes N and --process I, too")
    if process >= processes:
        raise ValueError(
            f"--process must lie between 0 and {processes - 1} for {processes} processes, received "
            f"{process}"
        )
    print(f"Process {process} of {processes} meets the others at {coordinator}", flush=True)
    if process == 0:
        try:
            socket.create_server((host, int(port))).close()
        except OSError as error:
            raise ConnectionError(
                f"--coordinator {coordinator}: process 0 cannot listen there ({error}); "
                "expected an address of its machine and a free port"
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
