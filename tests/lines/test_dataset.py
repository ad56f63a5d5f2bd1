"""The zip: its bytes, its repeats, its limits, and what a failure leaves."""

import errno
import hashlib
import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from lines.dataset import draw_pngs, write_zip
from lines.judge.pixels import structure
from lines.render import render
from lines.scene import CALLS_PER_SCENE, ProcessingRandom, random_scene
from tests.helpers import ROOT


def numbered(seed, index, count, size, weight):
    """In place of `draw_pngs`: images that are their own number, in eight bytes."""
    return [i.to_bytes(8, "little") for i in range(index, index + count)]


def test_image_i_needs_no_earlier_image():
    random = ProcessingRandom(5)
    random.skip(777 * CALLS_PER_SCENE)
    (png,) = draw_pngs(5, 777, 1, 128, 5)
    assert png == draw_pngs(5, 770, 8, 128, 5)[7]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), render(random_scene(random)))


def test_output_zip_is_what_the_program_writes(tmp_path):
    path = tmp_path / "output.zip"
    write_zip(path)
    assert path.read_bytes() == (ROOT / "output.zip").read_bytes()
    assert path.stat().st_size <= 6_000_000


def test_bytes_of_64_pixels_stay_the_same(tmp_path):
    """Also where repeats are skipped: six of them, and the digest is that of earlier versions."""
    path = tmp_path / "x64.zip"
    assert write_zip(path, size=64, weight=3) == 6
    expected = "49a022e9f10b7b75102a8d366caa18e496696337bbe945d28e3aac03543a3469"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == expected


def test_entries_hold_nothing_of_the_system(tmp_path):
    """No date, no permissions, no operating system."""
    write_zip(tmp_path / "x.zip", count=3, size=16)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.create_system == entry.external_attr == entry.flag_bits == 0


def test_output_zip_holds_10000_different_images_of_the_law():
    with zipfile.ZipFile(ROOT / "output.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"output/{i:05d}.png" for i in range(10_000)]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        pictures = [Image.open(archive.open(name)) for name in archive.namelist()]
        assert {(picture.mode, picture.size) for picture in pictures} == {("RGB", (128, 128))}
        images = [np.asarray(picture) for picture in pictures]
    assert len({hashlib.sha256(image.tobytes()).digest() for image in images}) == 10_000
    assert structure(np.stack(images[:500])) == 1


def test_one_process_and_several_write_the_same_bytes(tmp_path, monkeypatch):
    write_zip(tmp_path / "a" / "x.zip", count=3000, size=16, weight=3)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    write_zip(tmp_path / "b" / "x.zip", count=3000, size=16, weight=3)
    assert (tmp_path / "a/x.zip").read_bytes() == (tmp_path / "b/x.zip").read_bytes()


def test_the_repeat_of_seed_1_is_skipped(tmp_path):
    assert write_zip(tmp_path / "x.zip", seed=1) == 1
    assert write_zip(tmp_path / "x.zip", seed=1, allow_duplicates=True) == 0


def test_only_equal_images_are_skipped(tmp_path, monkeypatch):
    """Of 50,000 different images none is skipped, and each of their repeats is."""

    def twice(*arguments):
        return [png for png in numbered(*arguments) for _ in range(2)]

    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr("lines.dataset.draw_pngs", twice)
    assert write_zip(tmp_path / "x.zip", count=50_000) == 49_999
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.read("x/49999.png") == (49_999).to_bytes(8, "little")


def test_more_pictures_than_the_sketch_can_draw_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at most 8192"):
        write_zip(tmp_path / "x.zip", count=8193, size=8)


def test_a_failure_leaves_the_old_zip(tmp_path, monkeypatch):
    path = tmp_path / "x.zip"
    path.write_text("precious")
    monkeypatch.setattr("lines.dataset.encode_png", lambda image: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_zip(path, count=3)
    assert [file.name for file in tmp_path.iterdir()] == ["x.zip"]
    assert path.read_text() == "precious"


def test_a_full_disk_leaves_the_old_zip(tmp_path, monkeypatch):
    """The error names the zip. The disk is found full when the data are flushed to it."""

    def full(descriptor):
        assert [file.name for file in tmp_path.iterdir() if file != path] == ["x.zip.part"]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "x.zip"
    path.write_text("precious")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"x\.zip could not be written \(No space left on device\)"):
        write_zip(path, count=3, size=16)
    assert [file.name for file in tmp_path.iterdir()] == ["x.zip"]
    assert path.read_text() == "precious"


def test_more_entries_than_16_bits_count(tmp_path, monkeypatch):
    """The zip then needs zip64 records."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr("lines.dataset.draw_pngs", numbered)
    assert write_zip(tmp_path / "x.zip", count=70_000) == 0
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert len(archive.namelist()) == 70_000
        assert archive.read("x/69999.png") == (69_999).to_bytes(8, "little")
