"""Fuzzing of all readers of files from outside, in worker processes, since a reader could crash.

Case n is a damaged file, a pure function of n. Its reader must succeed, or raise a ValueError or
FileNotFoundError of one line that names the file, within `SECONDS` and `MEGABYTES`.
"""

import contextlib
import io
import json
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from tests.helpers import DATA, ROOT, mutations
from tests.helpers.small import TINY, state

SECONDS = 20
SECONDS_TO_START = 120
PROGRAM = ["-m", "tests.helpers.fuzz"]
"""Python's arguments for a worker, which reads numbers of cases and writes outcomes."""
MEGABYTES = 1024
PICTURES = ("png", "jpg", "gif", "bmp", "webp", "tif")


def pictures() -> dict[str, bytes]:
    """Files of one small picture per format, in several modes, by their name in a zip."""
    rng = np.random.default_rng(0)
    modes = {"png": "RGBA", "gif": "P", "tif": "L"}
    files = {}
    for suffix in PICTURES:
        buffer = io.BytesIO()
        image = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8))
        image = image.convert(modes.get(suffix, "RGB"))
        image.save(buffer, Image.registered_extensions()[f".{suffix}"])
        files[f"a/{suffix}.{suffix}"] = buffer.getvalue()
    return files


class Readers:
    """The readers, and an undamaged file for each.

    Args:
        folder: an empty folder, to which the cases are written.
    """

    def __init__(self, folder: Path):
        from models.WGANGP import WGANGP

        self.folder = folder
        self.gan = WGANGP(**TINY)
        self.gan.d_losses, self.gan.g_losses = [[1.0, 2.0, 3.0, 4.0]] * 3, [5.0] * 3
        self.gan.epoch = 3
        self.gan.save_model(folder)
        self.gan.save_weights(folder)
        self.pictures = pictures()
        self.checkpoint = next((folder / "weights").iterdir()).read_bytes()
        keras_2 = [DATA / f"keras2_{kind}.h5" for kind in ("functional", "sequential")]
        self.generators = [file.read_bytes() for file in [folder / "generator.h5", *keras_2]]
        # Without a digest, which would refuse most cases before they are looked into.
        self.unsealed = self._without_digest(self.checkpoint)
        self.generators.append(self._without_digest(self.generators[0]))
        self.variables = state(self.gan)

    def run(self, number: int) -> str:
        """Runs a case and returns "read" or the message of the refusal.

        Raises:
            Exception: the reader has a fault.
        """
        rng = np.random.default_rng(number)
        make, read = (
            (self._zip, self._load_images),
            (self._picture, self._load_images),
            (self._checkpoint, self._load_checkpoint),
            (self._generator, self._load_generator),
            (self._flipped, self._load_same),
        )[number % 5]
        path = make(rng)
        try:
            read(path)
        except (ValueError, FileNotFoundError) as error:
            text = str(error)
            if path.name not in text or "\n" in text or "\r" in text or len(text) > 2000:
                raise RuntimeError(
                    f"message is not one line that names the file: {text}"
                ) from error
            _check_causes(error)
            return text
        return "read"

    def _write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def _zip(self, rng):
        return self._write("case.zip", mutations.damaged(mutations.zip_of(self.pictures), rng))

    def _picture(self, rng):
        name = list(self.pictures)[rng.integers(len(self.pictures))]
        picture = mutations.damaged(self.pictures[name], rng)
        if name.endswith("png") and rng.random() < 0.7:
            picture = mutations.with_checksums(picture)
        return self._write("case.zip", mutations.zip_of(self.pictures | {name: picture}))

    def _without_digest(self, content):
        path = self._write("unsealed.h5", content)
        with h5py.File(path, "r+") as file:
            del file.attrs["digest"]
        return path.read_bytes()

    def _flipped(self, rng):
        content = bytearray(self.checkpoint)
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        return self._write("case.h5", bytes(content))

    def _checkpoint(self, rng):
        original = self.checkpoint if rng.random() < 0.3 else self.unsealed
        if rng.random() < 0.7:
            return self._write("case.h5", mutations.damaged(original, rng))
        path = self._write("case.h5", original)
        mutations.restructure(path, rng)
        return path

    def _generator(self, rng):
        original = self.generators[rng.integers(len(self.generators))]
        kind = rng.random()
        if kind < 0.6:
            return self._write("case.h5", mutations.damaged(original, rng))
        path = self._write("case.h5", original)
        (mutations.redescribe if kind < 0.8 else mutations.restructure)(path, rng)
        return path

    def _load_images(self, path):
        from utils.loaders import load_images

        stream = load_images(path, 16, 2)
        for k in range(-(-len(stream.source) // 2)):
            (images,) = stream[k]
            assert images.shape == (2, 16, 16, 3) and np.abs(images).max() <= 1

    def _load_checkpoint(self, path):
        self.gan.load_weights(path)
        assert self.gan.epoch >= 0 and self.gan.batches_seen >= 0

    def _load_same(self, path):
        self.gan.load_weights(path)
        now = state(self.gan)
        assert all(np.array_equal(now[name], self.variables[name]) for name in now)
        assert self.gan.epoch == 3 and self.gan.g_losses == [5.0] * 3

    def _load_generator(self, path):
        from utils.generator.load import load_generator

        assert load_generator(path).output_shape[-1] in (1, 3)


def _check_causes(error: BaseException | None) -> None:
    """Raises where the memory or the stack ran out: a reader must refuse before that."""
    while error:
        if isinstance(error, (MemoryError, RecursionError)):
            raise RuntimeError(f"ran into {error!r}") from error
        error = error.__cause__ or error.__context__


def work() -> None:
    """A worker: reads the number of a case per line, writes its outcome as a line of JSON."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with tempfile.TemporaryDirectory() as folder:
        readers = Readers(Path(folder))
        readers.run(0)
        readers.run(3)  # both allocate what the frameworks need once, before the limit
        _limit_memory()
        for line in sys.stdin:
            try:
                outcome = {"text": readers.run(int(line))}
            except Exception as error:
                outcome = {"fault": f"{type(error).__name__}: {error}"[:500]}
            replies.write(json.dumps(outcome) + "\n")


def _limit_memory() -> None:
    # The limit is on address space, of which the frameworks have already reserved much.
    with contextlib.suppress(FileNotFoundError):  # only Linux has it
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MEGABYTES * 1024**2
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def fuzz(
    numbers, workers: int = 2, report=lambda done: None
) -> tuple[dict[int, str], dict[int, str]]:
    """Runs cases in `workers` processes.

    Args:
        numbers: of the cases.
        workers: how many processes run at a time.
        report: called after each case with the number of cases that have run.

    Returns:
        outcomes (see `Readers.run`) and faults, each by the number of the case.
    """
    todo, outcomes, faults = queue.SimpleQueue(), {}, {}
    for number in numbers:
        todo.put(number)

    def drive():
        worker = None
        while True:
            try:
                number = todo.get_nowait()
            except queue.Empty:
                break
            worker = worker or _Worker()
            outcome = worker.ask(number)
            if "text" in outcome:
                outcomes[number] = outcome["text"]
            else:
                faults[number] = outcome["fault"]
            if worker.process.returncode is not None:
                worker = None
            report(len(outcomes) + len(faults))
        if worker:
            worker.process.communicate()

    threads = [threading.Thread(target=drive) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes, faults


class _Worker:
    """A process that runs cases; it is killed when a case takes too long."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, *PROGRAM],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self.seconds = SECONDS_TO_START

    def ask(self, number: int) -> dict:
        """Returns {"text": outcome} or {"fault": message} of a case.

        After a crash or a case that took too long, the process has ended.
        """
        late = threading.Event()
        clock = threading.Timer(self.seconds, lambda: (late.set(), self.process.kill()))
        clock.start()
        try:
            self.process.stdin.write(f"{number}\n")
            reply = self.process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        clock.cancel()
        if reply:
            self.seconds = SECONDS
            return json.loads(reply)
        code = self.process.wait()
        if late.is_set():
            return {"fault": f"took more than {self.seconds} s"}
        return {"fault": f"died, exit code {code}"}


if __name__ == "__main__":
    work()
