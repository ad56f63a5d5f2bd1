"""The whole training state in one HDF5 file, written atomically and read strictly."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import ops
from tqdm.auto import tqdm

from utils import hdf5
from utils.files import replacing
from utils.messages import WHAT_HELPS, listed, one_line

SCHEMA = 2

_NAME = re.compile(r"checkpoint_(\d+)\.h5")
_COUNTERS = ("epoch", "batches_seen", "rollbacks")
_LARGEST_COUNTER = 1 << 40
_LOSSES = {"losses/critic": (None, 4), "losses/generator": (None,)}


def save(folder: str | os.PathLike, gan, keep: int) -> None:
    """Writes `weights/checkpoint_<epochs>.h5` of a run folder; the last `keep` checkpoints stay.

    It holds the weights, both optimisers, the random states of dropout, the number of epochs and of
    rollbacks, the position in the data and the losses so far: about 400 MB for the reference block.

    Raises:
        FloatingPointError: a value is not finite; nothing is written.
        OSError: see `utils.files.replacing`.
    """
    weights = Path(folder) / "weights"
    _write(weights / f"checkpoint_{gan.epoch}.h5", gan)
    for old in find(weights)[:-keep]:
        old.unlink()


def save_best(folder: str | os.PathLike, gan, rank: tuple[float, ...]) -> None:
    """Writes `weights/best.h5` of a run folder, with the rank that `best_rank` reads back."""
    _write(_best(folder), gan, rank)


def _best(folder) -> Path:
    return Path(folder) / "weights" / "best.h5"


def set_aside_later(folder: str | os.PathLike, gan) -> None:
    """Renames checkpoints of more epochs than `gan` has to `left_<epochs>.h5`.

    A training that was taken back to an earlier epoch continues from there; without this, `save`
    and `load` would take the later checkpoints for its last ones.
    """
    for path in find(Path(folder) / "weights"):
        epochs = int(_NAME.fullmatch(path.name)[1])
        if epochs > gan.epoch:
            path.rename(path.with_name(f"left_{epochs}.h5"))


def _write(path: Path, gan, rank: tuple[float, ...] = ()) -> None:
    with replacing(path) as partial, h5py.File(partial, "w") as file:
        file.attrs["schema"] = SCHEMA
        file.attrs["rank"] = np.array(rank, float)
        for name in _COUNTERS:
            file.attrs[name] = getattr(gan, name)
        for name, variable in variables(gan).items():
            array = ops.convert_to_numpy(variable)
            # The losses of an epoch are from before its last update and may still be finite.
            if not np.isfinite(array).all():
                raise FloatingPointError(
                    f"epoch {gan.epoch - 1} made {name} no longer finite; the last checkpoint is "
                    f"untouched: {WHAT_HELPS}"
                )
            file[name] = array
        for name, array in _losses(gan).items():
            file[name] = array
        hdf5.seal(file)


def best_rank(folder: str | os.PathLike) -> tuple[float, ...] | None:
    """The rank of `weights/best.h5` in a run folder; None where there is no readable one."""
    path = _best(folder)
    if not path.is_file():
        return None
    try:
        with hdf5.open_checked(path, most_bytes=None) as file:
            hdf5.check_seal(file)
            return tuple(np.ravel(file.attrs["rank"]).astype(float).tolist())
    except Exception:  # a damaged file is not compared with
        return None


class DamagedError(ValueError):
    """A file that is no HDF5 file, or not a whole one."""


class MismatchError(hdf5.RefusedError):
    """A checkpoint of another training or version."""


def load(path: str | os.PathLike, gan) -> None:
    """Sets a `WGANGP` to the state in a file, or in the last undamaged checkpoint of a folder.

    Raises:
        FileNotFoundError: no checkpoint there.
        ValueError: not a checkpoint, another schema, or entries that are missing, unexpected or of
            another shape than the model's, by name. The model is left as it was.
    """
    path = Path(path)
    files = find(path) or [path / "checkpoint_<epochs>.h5"] if path.is_dir() else [path]
    while True:
        try:
            arrays, counters = _read(files.pop(), gan)
            break
        except DamagedError as error:
            if not files:
                raise
            tqdm.write(f"{error}; the one before is loaded instead")
    _set(gan, arrays, counters)


def broadcast(gan) -> None:
    """Sets the training of every process to the state of the first one; see `gan.processes`.

    Raises:
        ConnectionError: a process is lost.
    """
    processes = gan.processes
    if processes.count == 1:
        return
    own = np.array([getattr(gan, name) for name in _COUNTERS], np.int64)
    (counts,) = processes.broadcast([own])
    counters = dict(zip(_COUNTERS, counts.tolist(), strict=True))
    arrays = {name: ops.convert_to_numpy(variable) for name, variable in variables(gan).items()}
    arrays |= _losses(gan)
    if not processes.is_first:  # the shapes of what is received: a loss per epoch
        epochs = counters["epoch"]
        arrays |= {n: np.zeros((epochs, *shape[1:]), np.float32) for n, shape in _LOSSES.items()}
    received = processes.broadcast([*arrays.values()])
    if not processes.is_first:
        _set(gan, dict(zip(arrays, received, strict=True)), counters)


@contextlib.contextmanager
def unchanged(gan) -> Iterator[None]:
    """Sets a training back to the state from before the block, bit for bit."""
    counters = {name: getattr(gan, name) for name in _COUNTERS}
    arrays = {n: np.array(ops.convert_to_numpy(v)) for n, v in variables(gan).items()}
    arrays |= _losses(gan)
    try:
        yield
    finally:
        _set(gan, arrays, counters)


def _losses(gan) -> dict[str, np.ndarray]:
    return {
        "losses/critic": np.array(gan.d_losses, np.float32).reshape(-1, 4),
        "losses/generator": np.array(gan.g_losses, np.float32),
    }


def _set(gan, arrays: dict[str, np.ndarray], counters: dict[str, int]) -> None:
    for name, variable in variables(gan).items():
        variable.assign(arrays[name])
    gan.d_losses = arrays["losses/critic"].tolist()
    gan.g_losses = arrays["losses/generator"].tolist()
    for name, value in counters.items():
        setattr(gan, name, value)


def _read(path: Path, gan) -> tuple[dict, dict]:
    """Arrays and counters of a file, after all of them were checked."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a checkpoint of a training")
    shapes = {name: tuple(variable.shape) for name, variable in variables(gan).items()} | _LOSSES
    try:
        with hdf5.open_checked(path, most_bytes=None) as file:
            hdf5.check_seal(file)
            _check(path, file, shapes)
            arrays = {name: file[name][()] for name in shapes}
            for name in sorted(shapes.keys() - _LOSSES.keys()):
                if not np.isfinite(arrays[name]).all():
                    raise ValueError(f"{name} is not finite")
            return arrays, {name: int(file.attrs[name]) for name in _COUNTERS}
    except MismatchError:
        raise
    except (hdf5.DamagedFileError, hdf5.RefusedError, OSError) as error:
        raise DamagedError(str(error)) from error


def find(folder: str | os.PathLike) -> list[Path]:
    """The checkpoints of a folder, the oldest first."""
    files = [file for file in Path(folder).glob("checkpoint_*.h5") if _NAME.fullmatch(file.name)]
    return sorted(files, key=lambda file: int(_NAME.fullmatch(file.name)[1]))


def last_epoch(folder: str | os.PathLike) -> int:
    """The epochs of the last checkpoint of a folder, by its name; 0 where there is none."""
    files = find(folder)
    return int(_NAME.fullmatch(files[-1].name)[1]) if files else 0


def network_variables(gan) -> dict[str, keras.Variable]:
    """The variables of critic and generator by the names that they have in a checkpoint."""
    layers = (*gan.critic.layers, *gan.generator.layers)
    return {f"{layer.name}/{v.name}": v for layer in layers for v in layer.variables}


def variables(gan) -> dict[str, keras.Variable]:
    """Every variable of the training, by a name that is the same in every session."""
    named = network_variables(gan)
    if gan.average:
        named |= {
            f"average/{layer.name}/{v.name}": v
            for layer in gan.average.generator.layers
            for v in layer.trainable_variables
        }
    # By path: a loss-scaling optimiser wraps another one, whose variables have the same names.
    optimisers = (gan.critic_optimiser, gan.generator_optimiser)
    return named | {v.path: v for optimiser in optimisers for v in optimiser.variables}


def stored_arrays(file: h5py.File) -> dict[str, h5py.Dataset]:
    """The arrays of an open checkpoint by name; none of them is read."""
    found = {}
    file.visititems(
        lambda name, item: found.update({name: item} if isinstance(item, h5py.Dataset) else {})
    )
    return found


def _check(path: Path, file: h5py.File, shapes: dict[str, tuple]) -> None:
    schema = file.attrs.get("schema")
    if schema != SCHEMA:
        raise MismatchError(
            f"{path}: schema {one_line(schema)} is no training checkpoint of this version; "
            f"expected {SCHEMA}"
        )
    found = stored_arrays(file)
    faults = [f"missing {name}" for name in sorted({*shapes, *_COUNTERS} - {*found, *file.attrs})]
    faults += [f"unexpected {name}" for name in sorted(found.keys() - shapes.keys())]
    epochs = None
    for name in sorted(file.attrs.keys() & set(_COUNTERS)):
        value = file.attrs[name]
        if not isinstance(value, np.integer) or not 0 <= value < _LARGEST_COUNTER:
            faults.append(f"{name} is {one_line(value)}, expected a whole number from 0")
        elif name == "epoch":
            epochs = int(value)
    for name in sorted(found.keys() & shapes.keys()):
        hdf5.stored_bytes(found[name], name)
        # None stands for one per epoch.
        expected = tuple(epochs if e is None else e for e in shapes[name])
        if found[name].shape != expected:
            faults.append(f"{name} is {found[name].shape}, expected {expected}")
    if faults:
        raise MismatchError(f"{path}: does not fit this model: {listed(faults, 5)}")
