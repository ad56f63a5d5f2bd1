"""Scenes, pixels and the zip, against files made by Processing."""

import hashlib
import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from lines.archive import ZipWriter
from lines.dataset import Seen, draw, write_zip
from lines.judge.pixels import structure
from lines.png import encode_png
from lines.render import render
from lines.scene import CALLS_PER_SCENE, Line, ProcessingRandom, random_scene
from tests.helpers import DATA, ROOT


def test_render_equals_processing_on_every_stored_scene():
    stored = np.load(DATA / "processing_scenes.npz")
    for rows, expected in zip(stored["scenes"], stored["images"], strict=True):
        scene = [Line(("vertical", "horizontal")[int(o)], p, int(c)) for o, p, c in rows]
        assert np.count_nonzero(render(scene) != expected) == 0


def test_command_line_equals_the_sketch_after_random_seed_1(tmp_path):
    path = tmp_path / "some" / "seed1.zip"
    arguments = ["--seed", "1", "--count", "60", "--allow-duplicates", "--out", path]
    subprocess.run([sys.executable, "-m", "lines", *arguments], cwd=ROOT, check=True)
    expected = np.load(DATA / "processing_seed1.npz")["images"]
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [f"seed1/{i:05d}.png" for i in range(60)]
        images = [np.asarray(Image.open(archive.open(name))) for name in archive.namelist()]
    assert np.array_equal(images, expected)


def test_command_line_refuses_in_one_line(tmp_path):
    command = [sys.executable, "-m", "lines", "--out", tmp_path / "x.zip"]
    for wrong in (["--weight", "0"], ["--weight", "39"], ["--count", "0"], ["--size", "3"]):
        done = subprocess.run([*command, *wrong], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 2
        assert done.stderr.startswith("python -m lines: error: ") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_random_matches_java():
    # new java.util.Random(42).nextFloat(), three times, as Java 17 prints them in hexadecimal.
    random = ProcessingRandom(42)
    expected = ["0x1.74833ap-1", "0x1.bfd14p-5", "0x1.5dcf76p-1"]
    assert [random.random(1) for _ in range(3)] == [float.fromhex(value) for value in expected]
    assert ProcessingRandom(-7).random(1) == float.fromhex("0x1.1394a8p-2")


def test_skip_equals_calling():
    for steps in (0, 1, 2, 7, 60, 12345):
        called, skipped = ProcessingRandom(9), ProcessingRandom(9)
        for _ in range(steps):
            called.random(1)
        skipped.skip(steps)
        assert called.state == skipped.state


def test_image_i_needs_no_earlier_image():
    random = ProcessingRandom(5)
    random.skip(777 * CALLS_PER_SCENE)
    (png,) = draw(5, 777, 1, 128, 5)
    assert png == draw(5, 770, 8, 128, 5)[7]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), render(random_scene(random)))


@pytest.mark.parametrize("weight", [0, -1, 39, 2.5])
def test_render_refuses_weights_that_were_not_measured(weight):
    with pytest.raises(ValueError, match=r"1 to 38, received"):
        render((), weight=weight)


def test_even_weight_covers_the_outer_pixels_by_half():
    row = render([Line("vertical", 8.9, 0)], size=16, weight=4)[5, :, 0]
    assert row.tolist() == [0] * 6 + [127, 255, 255, 255, 127] + [0] * 5


def test_png_holds_any_picture():
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(image)))), image)


def test_output_zip_is_what_the_program_writes(tmp_path):
    path = tmp_path / "output.zip"
    write_zip(path)
    assert path.read_bytes() == (ROOT / "output.zip").read_bytes()
    assert path.stat().st_size <= 6_000_000


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


def test_repeats_of_seed_1_are_passed_over(tmp_path):
    assert write_zip(tmp_path / "x.zip", seed=1) == 1
    assert write_zip(tmp_path / "x.zip", seed=1, allow_duplicates=True) == 0


def test_few_pictures_are_taken_for_another():
    seen = Seen()
    pictures = [b"%d" % i for i in range(50_000)]
    assert sum(seen.add(picture) for picture in pictures) <= 30  # 5 are to be expected
    assert all(seen.add(picture) for picture in pictures)


def test_more_pictures_than_there_are(tmp_path):
    with pytest.raises(ValueError, match="at most 8192"):
        write_zip(tmp_path / "x.zip", count=8193, size=8)


def test_a_failed_run_leaves_the_old_zip(tmp_path, monkeypatch):
    path = tmp_path / "x.zip"
    path.write_text("precious")
    monkeypatch.setattr("lines.dataset.encode_png", lambda image: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_zip(path, count=3)
    assert [file.name for file in tmp_path.iterdir()] == ["x.zip"]
    assert path.read_text() == "precious"


def test_zip_of_more_entries_than_16_bits_count(tmp_path):
    with open(tmp_path / "many.zip", "wb") as file:
        archive = ZipWriter(file)
        for i in range(70_000):
            archive.write(f"{i}.txt", b"%d" % i)
        archive.close()
    with zipfile.ZipFile(tmp_path / "many.zip") as archive:
        assert len(archive.namelist()) == 70_000
        assert archive.read("69999.txt") == b"69999"


def test_structure_counts_lines():
    lines = [Line("vertical", 20, 0), Line("horizontal", 60, 1), Line("horizontal", 90, 2)]
    right = render(lines)
    one_missing = render([Line("vertical", 20, 0), Line("vertical", 60, 1), lines[1]])
    broken = right.copy()
    broken[60:100, :80] = 0
    blurred = (np.roll(right, 3, 0) / 2 + np.roll(right, -3, 0) / 2).astype(np.uint8)
    black = np.zeros_like(right)
    images = np.stack([right, one_missing, broken, blurred, black])
    assert [structure(images[i : i + 1]) for i in range(5)] == [1, 0, 0, 0, 0]
    assert structure(images) == pytest.approx(0.2)
