"""A damaged checkpoint is refused in one line, and the model stays as it was."""

import shutil

import h5py
import numpy as np
import pytest

from models.WGANGP import WGANGP
from tests.helpers.small import TINY


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
