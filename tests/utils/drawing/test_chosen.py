"""Latents from files, which may be anybody's: read as data, or refused in one line."""

import os
import zipfile

import numpy as np
import pytest

from utils.drawing.chosen import Chosen, read_latents


def entry(path, name, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


def header(text):
    """An `.npy` of a header alone."""
    padded = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode()


def claims(shape, dtype="<f4"):
    return header(f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}")


def test_latents_are_read_whatever_kind_of_floats_they_are(tmp_path):
    rows = np.arange(6.0).reshape(2, 3) / 4
    for kind in ("<f2", "<f4", ">f8"):
        for order in "CF":
            np.savez(tmp_path / "a.npz", latents=np.asarray(rows, kind, order=order), other=[1])
            read = read_latents(tmp_path / "a.npz")
            assert read.dtype == np.float32 and np.array_equal(read, rows)
    np.savez_compressed(tmp_path / "b.npz", latents=rows[:1])
    chosen = Chosen.of("7-8", [tmp_path / "a.npz", tmp_path / "b.npz"])
    assert np.array_equal(chosen.given, rows[[0, 1, 0]]) and len(chosen) == 5
    assert chosen.names == ["latents_0", "latents_1", "latents_2", "seed_7", "seed_8"]
    assert chosen.labels[2:4] == ["latents 2", "7"] and chosen.seed_text == ""
    assert Chosen.of("7-8").seed_text == "7-8" and Chosen.of("7-8").about() == {"seeds": [7, 8]}


REFUSED = {
    "no zip": (lambda path: path.write_text("no zip"), "not a zip"),
    "a folder": (lambda path: path.mkdir(), "a folder or a device"),
    "a pipe": (os.mkfifo, "a folder or a device"),
    "another entry": (lambda path: np.savez(path, z=np.zeros((1, 2))), "no item named 'latents.np"),
    "one row": (lambda path: np.savez(path, latents=np.zeros(2)), r"expected floats \(n, z_dim\)"),
    "no row": (lambda path: np.savez(path, latents=np.zeros((0, 2))), r"float64 \(0, 2\); expecte"),
    "whole numbers": (lambda path: np.savez(path, latents=np.ones((1, 2), int)), "int64"),
    "NaN": (lambda path: np.savez(path, latents=np.full((1, 2), np.nan)), "not all finite"),
    "too large": (lambda path: np.savez(path, latents=np.full((1, 2), 1e300)), "not all finite"),
    "objects": (
        lambda path: np.savez(path, latents=np.array([[{}]]), allow_pickle=True),
        "its latents are object",
    ),
    "more than it has": (
        lambda path: entry(path, "latents.npy", claims((1000, 1000))),
        "its latents claim 4000000 bytes of ",
    ),
    "a great many": (
        lambda path: entry(path, "latents.npy", claims((100_000, 10**9))),
        "more than 100,000 images or 512 MiB",
    ),
    "too many rows": (
        lambda path: entry(path, "latents.npy", claims((100_001, 1))),
        "more than 100,000 images",
    ),
    "a program": (
        lambda path: entry(path, "latents.npy", header("__import__('os').abort()")),
        "malformed node",
    ),
    "no array": (lambda path: entry(path, "latents.npy", b"hello, it is not one"), "magic string"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_files_are_refused_in_one_line(kind, tmp_path):
    make, message = REFUSED[kind]
    make(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=rf"a\.npz: not read .*{message}") as caught:
        read_latents(tmp_path / "a.npz")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_file_that_is_not_there_and_too_many_images(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.npz: no such file; expected a latents"):
        read_latents(tmp_path / "no.npz")
    np.savez(tmp_path / "a.npz", latents=np.zeros((1, 2)))
    with pytest.raises(ValueError, match="expected at most 100,000 images, received 100,001"):
        Chosen.of("0-99999", [tmp_path / "a.npz"])
