"""`open_checked` tells damage from refusal, and is the only way that HDF5 files are read."""

import ast

import h5py
import numpy as np
import pytest

from tests.helpers import DATA, ROOT
from utils import hdf5

GENERATOR = DATA / "keras2_functional.h5"


def check(path, array=None, **options):
    """Opens a file, and looks at one of its arrays."""
    with hdf5.open_checked(path, **options) as file:
        if array:
            hdf5.stored_bytes(file[array], array)


def test_a_file_in_order_is_opened_for_reading_only():
    with hdf5.open_checked(str(GENERATOR)) as file:
        assert file.mode == "r"
        array = file["model_weights/dense/dense/kernel:0"]
        assert hdf5.stored_bytes(array, "kernel") == array[()].nbytes == 5 * 96 * 4
    assert not file


def test_damage_has_an_error_of_its_own(tmp_path):
    """Also what the HDF5 library notices only in the block, by whichever exception."""
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(hdf5.DamagedFileError, match=r"text\.h5: not an HDF5 file$"):
        check(tmp_path / "text.h5")
    for error in (KeyError("gone"), RuntimeError("two\nlines"), MemoryError()):
        with pytest.raises(hdf5.DamagedFileError) as caught, hdf5.open_checked(GENERATOR):
            raise error
        text = str(caught.value)
        assert text.startswith(f"{GENERATOR}: not an HDF5 file, or a damaged one (")
        assert "\n" not in text and caught.value.__cause__ is error


def test_a_refusal_has_an_error_of_its_own_that_names_the_file(tmp_path):
    with pytest.raises(hdf5.RefusedError, match="is a folder; expected an HDF5 file"):
        check(tmp_path)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("packed", data=np.zeros(100), compression="gzip")
        file["empty"] = h5py.Empty("f4")
    for name, reason in {
        "packed": "'packed' is compressed",
        "empty": "'empty' claims None",
    }.items():
        with pytest.raises(hdf5.RefusedError, match=rf"a\.h5: refused: {reason}"):
            check(tmp_path / "a.h5", name)


def test_an_error_that_a_caller_derives_from_a_refusal_leaves_the_block_as_it_is():
    class MismatchError(hdf5.RefusedError):
        pass

    with pytest.raises(MismatchError, match=r"^other shapes$"), hdf5.open_checked(GENERATOR):
        raise MismatchError("other shapes")


def test_the_largest_size_is_a_parameter():
    size = GENERATOR.stat().st_size
    for accepted in (size, None):
        check(GENERATOR, most_bytes=accepted)
    with pytest.raises(hdf5.RefusedError, match=f"refused: {size} bytes, more than {size - 1}"):
        check(GENERATOR, most_bytes=size - 1)


def test_no_other_module_opens_an_hdf5_file_for_reading():
    """Elsewhere h5py.File is called with a mode that writes."""
    files = [*ROOT.glob("*.py")]
    files += [file for room in ("lines", "models", "utils") for file in (ROOT / room).rglob("*.py")]
    calls = {
        (file.relative_to(ROOT).as_posix(), call.args[1].value if len(call.args) > 1 else "r")
        for file in files
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "h5py.File"
    }
    assert [file for file, mode in calls if mode == "r"] == ["utils/hdf5.py"]
