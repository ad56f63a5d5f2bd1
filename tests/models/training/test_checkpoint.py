"""A damaged checkpoint is refused in one line, and the model stays as it was."""

import shutil

import h5py
import numpy as np
import pytest

from models.WGANGP import WGANGP
from tests.helpers.small import TINY, state, train
from utils import hdf5
from utils.generator.load import load_critic, load_generator


def replace(name, **how):
    """Puts another array in the place of one."""

    def change(file):
        del file[name]
        file.create_dataset(name, **how)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.attrs.update(epoch=-1), "epoch is -1, expected a whole number from 0"),
        (lambda file: file.attrs.update(epoch=4), r"losses/critic is \(5, 4\), expected \(4, 4\)"),
        (lambda file: file.attrs.update(batches_seen=2.5), "batches_seen is 2.5, expected a whole"),
        (lambda file: file.attrs.update(epoch=np.ones((9, 9))), r"epoch is \[\[1\. 1\."),
        (lambda file: file.attrs.pop("epoch"), "missing epoch"),
        (
            replace("losses/critic", shape=(10**12, 4), dtype="f4"),
            r"'losses/critic' claims \(1000000000000, 4\), and the file does not hold as much",
        ),
        (
            replace("losses/critic", data=np.ones((5, 4)), compression="gzip"),
            "'losses/critic' is compressed, in pieces or in another file",
        ),
        (
            replace("losses/critic", data=b"x"),
            "'losses/critic' is an array of object, not of numbers",
        ),
    ],
)
def test_a_checkpoint_with_a_wrong_entry_is_refused(run, tmp_path, change, message):
    path = tmp_path / "checkpoint_5.h5"
    shutil.copy(run[1] / "weights" / path.name, path)
    with h5py.File(path, "r+") as file:
        del file.attrs["digest"]  # as in a file from before there were digests
        change(file)
    gan = WGANGP(**TINY)
    with pytest.raises(ValueError, match=message) as caught:
        gan.load_weights(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert gan.epoch == 0 and gan.g_losses == []


def test_a_checkpoint_with_damaged_groups_is_refused(run, tmp_path):
    path = tmp_path / "checkpoint_5.h5"
    content = bytearray((run[1] / "weights" / path.name).read_bytes())
    content[content.index(b"HEAP") + 16] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not an HDF5 file, or a damaged one"):
        WGANGP(**TINY).load_weights(path)


@pytest.fixture(scope="module")
def two(tiny_zip, tmp_path_factory):
    """A run folder with checkpoints of 2 and of 3 epochs, and both states."""
    folder = tmp_path_factory.mktemp("two")
    gan = WGANGP(**TINY)
    states = []
    for epochs in (2, 3):
        train(gan, tiny_zip, folder, epochs)
        states.append(state(gan))
    return folder, states


def loaded(folder, gan=None):
    gan = gan or WGANGP(**TINY)
    gan.load_weights(folder / "weights")
    return state(gan)


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_a_flipped_bit_never_gives_other_weights(two, tmp_path, capsys):
    folder, (before, last) = two
    shutil.copytree(folder, tmp_path / "run")
    path = tmp_path / "run" / "weights" / "checkpoint_3.h5"
    content, rng = path.read_bytes(), np.random.default_rng(0)
    gan = WGANGP(**TINY)
    assert equal(loaded(tmp_path / "run", gan), last)
    outcomes = []
    for _ in range(100):
        place, bit = int(rng.integers(len(content))), 1 << int(rng.integers(8))
        damaged = bytearray(content)
        damaged[place] ^= bit
        path.write_bytes(damaged)
        capsys.readouterr()
        now = loaded(tmp_path / "run", gan)
        gave_way = equal(now, before)
        assert gave_way or equal(now, last)  # no byte that is read was changed
        assert ("checkpoint_3.h5" in capsys.readouterr().out) == gave_way
        outcomes.append(gave_way)
    assert np.mean(outcomes) > 0.5


def test_a_checkpoint_with_a_weight_that_is_not_finite_gives_way(two, tmp_path, capsys):
    folder, (before, _) = two
    shutil.copytree(folder, tmp_path / "run")
    with h5py.File(tmp_path / "run" / "weights" / "checkpoint_3.h5", "r+") as file:
        file["critic_score/bias"][0] = np.nan
        hdf5.seal(file)
    assert equal(loaded(tmp_path / "run"), before)
    said = capsys.readouterr().out
    assert "critic_score/bias is not finite" in said and "the one before is loaded" in said


def test_a_checkpoint_without_a_digest_loads_in_silence(two, tmp_path, capsys):
    folder, (_, last) = two
    shutil.copytree(folder, tmp_path / "run")
    with h5py.File(tmp_path / "run" / "weights" / "checkpoint_3.h5", "r+") as file:
        del file.attrs["digest"]
    capsys.readouterr()
    assert equal(loaded(tmp_path / "run"), last)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["generator.h5", "critic.h5"])
def test_a_network_that_was_changed_after_it_was_written_is_refused(two, tmp_path, name):
    shutil.copy(two[0] / name, tmp_path / name)
    load = load_generator if name == "generator.h5" else load_critic
    load(tmp_path / name)
    with h5py.File(tmp_path / name, "r+") as file:
        places = []
        file["model_weights"].visititems(
            lambda where, item: places.append(where) if isinstance(item, h5py.Dataset) else None
        )
        file["model_weights"][places[0]][0] += 1
    with pytest.raises(ValueError, match=f"{name}: .*does not hold what was written"):
        load(tmp_path / name)
