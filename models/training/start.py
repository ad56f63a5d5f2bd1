"""A new run that begins with the weights of another: fine-tuning on other pictures."""

import os
from pathlib import Path

from keras import ops

from models.training import checkpoint
from utils import hdf5
from utils.generator import load_generator
from utils.messages import listed, one_line
from utils.runs import read_start

_OTHERS = ("losses/", "critic_optimiser/", "generator_optimiser/", "average/")  # arrays


def start_from(gan, folder: str | os.PathLike, source: str | os.PathLike) -> str:
    """Sets the networks of a `WGANGP` to trained ones; optimisers, epochs and losses begin anew.

    A run that continues has begun already: it stays as it is.

    Args:
        gan: after `models.training.outputs.resume`.
        folder: its run folder.
        source: a run folder, whose last checkpoint gives both networks; such a checkpoint; or a
            `generator.h5`, with which the critic begins anew.

    Returns:
        a sentence that says what was done.

    Raises:
        FileNotFoundError: no such file, or a run without a checkpoint.
        ValueError: networks that differ from those of `gan`, by name; or a run that continues and
            did not begin so.
    """
    source = Path(source)
    if gan.epoch:
        if not read_start(folder):
            raise ValueError(
                f"{folder} holds a run that began with weights of its own; --start-from begins a "
                "new one: choose another --run-id, or --new"
            )
        return f"It began with the weights of {one_line(read_start(folder)['from'])}."
    path = _file(source)
    known = _is_checkpoint(path)
    faults = _set_both(gan, path) if known else _set_generator(gan, path)
    if faults:
        raise ValueError(
            f"{path}: other networks than those of this run: {listed(faults, 3)}. Image "
            "size, colours, --recipe and --width must be the same"
        )
    if gan.average:  # it follows the generator from the first epoch on
        for mean, weight in zip(gan.average.generator.weights, gan.generator.weights, strict=True):
            mean.assign(ops.convert_to_numpy(weight))
    what = "critic and generator" if known else "generator"
    gan.start = {"from": str(source), "networks": what}
    rest = "" if known else "; the critic begins anew"
    return f"The {what} begin{'' if known else 's'} with the weights of {path}{rest}."


def _file(source):
    if not source.is_dir():
        if not source.is_file():
            raise FileNotFoundError(
                f"{source}: no such file; expected a run folder, a checkpoint or a generator.h5"
            )
        return source
    found = checkpoint.find(source / "weights")
    if found:
        return found[-1]
    if (source / "generator.h5").is_file():  # a shipped run
        return source / "generator.h5"
    raise FileNotFoundError(f"{source}: holds neither a checkpoint nor a generator.h5")


def _is_checkpoint(path):
    if path.suffix != ".h5":
        return False
    with hdf5.open_checked(path, most_bytes=None) as file:
        return "schema" in file.attrs


def _set_both(gan, path):
    """Sets the networks to those of a checkpoint; returns what differs, and then sets nothing."""
    own = checkpoint.network_variables(gan)
    with hdf5.open_checked(path, most_bytes=None) as file:
        hdf5.check_seal(file)
        arrays = checkpoint.stored_arrays(file).items()
        found = {name: array for name, array in arrays if not name.startswith(_OTHERS)}
        faults = [f"{name} is missing" for name in own if name not in found and _learned(own[name])]
        faults += [
            f"{name} is not known here"
            for name in sorted(found.keys() - own.keys())
            if not name.endswith("seed_generator_state")
        ]
        for name in sorted(own.keys() & found.keys()):
            hdf5.stored_bytes(found[name], name)
            faults += _other_shape(name, found[name], own[name])
        if not faults:
            for name, variable in own.items():
                if _learned(variable):
                    variable.assign(found[name][()])
    return faults


def _set_generator(gan, path):
    """Sets the generator to a saved one; returns what differs, and then sets nothing."""
    own, given = gan.generator.weights, load_generator(path).weights
    if len(own) != len(given):
        return [f"it has {len(given)} arrays of weights, expected {len(own)}"]
    faults = []
    for mine, theirs in zip(own, given, strict=True):
        faults += _other_shape(theirs.path, theirs, mine)
    if not faults:
        for mine, theirs in zip(own, given, strict=True):
            if _learned(mine):
                mine.assign(ops.convert_to_numpy(theirs))
    return faults


def _learned(variable):
    """Whether training changes a variable; not so the colours of the data, and random states."""
    return variable.trainable or variable.name.startswith("moving_")


def _other_shape(name, found, own):
    shape, expected = tuple(found.shape), tuple(own.shape)
    return [] if shape == expected else [f"{one_line(name)} is {shape}, expected {expected}"]
