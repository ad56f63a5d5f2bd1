"""Pictures: layout, the provenance they carry, and that they can be drawn again from it."""

import io
import json
import os
import shutil
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from models.WGANGP import WGANGP
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY
from utils.drawing.chosen import Chosen
from utils.drawing.latents import seed_latents
from utils.drawing.layout import Layout, enlarge, label, without_paper
from utils.drawing.pictures import save_zip
from utils.drawing.provenance import LoadedGenerator, read_provenance
from utils.generator import load_generator
from utils.loaders import read_images


def over(picture, paper):
    """An RGBA picture laid over paper of one colour."""
    ground = Image.new("RGBA", picture.shape[1::-1], (*paper, 255))
    return np.asarray(Image.alpha_composite(ground, Image.fromarray(picture)))[:, :, :3]


@pytest.mark.parametrize(("paper", "ground"), [("black", 0), ("white", 255)])
def test_a_picture_without_its_paper_looks_the_same_on_that_paper(paper, ground):
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    image[:4] = ground
    clear = without_paper(image, paper)
    assert np.abs(over(clear, [ground] * 3).astype(int) - image).max() <= 1
    assert (clear[:4, :, 3] == 0).all() and clear[:, :, 3].max() == 255
    half = np.full((1, 1, 1), 255 - 100 if paper == "white" else 100, np.uint8)  # grey, too
    assert without_paper(half, paper).tolist() == [[[255 - ground] * 3 + [100]]]


def test_enlargement():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20
    assert np.array_equal(enlarge(image, 3), image.repeat(3, 0).repeat(3, 1))
    smooth = enlarge(image, 8, "lanczos")
    assert smooth.shape == (16, 16, 3) and len(np.unique(smooth[:, :, 0])) > 8
    assert enlarge(image[:, :, :1], 2, "lanczos").shape == (4, 4, 1)


def test_a_grid_with_labels_and_one_without_paper():
    images = np.full((3, 64, 64, 3), 200, np.uint8)
    layout = Layout(2, columns=2, labels=("0", "7", "123456789012345678901234567890"))
    sheet = layout.picture(images)
    assert sheet.shape == (2 * (128 + 14) + 6, 2 * 128 + 6, 3)
    assert (sheet[2:130, 2:130] == 200).all()
    strips = [sheet[130:144, 2:130], sheet[130:144, 132:260], sheet[274:288, 2:130]]
    assert all(strip.max() > 200 and strip[:, [0, -1]].max() == 96 for strip in strips)
    assert not np.array_equal(strips[0], strips[1])
    long = label(images[0], "x" * 1_000_000)  # in no time: it is cut before it is measured
    assert np.array_equal(long, label(images[0], "x" * 1000))
    clear = Layout(columns=2, transparent="black").picture(images)
    assert clear.shape[2] == 4 and (clear[0] == 0).all()  # the lines of the grid
    with pytest.raises(ValueError, match="of 1,610,612,736 pixels is too large"):
        Layout(512).picture(np.zeros((6, 32, 32, 3), np.uint8))


def test_labels_have_letters_of_many_languages():
    blank, *others = (label(np.zeros((8, 60, 3), np.uint8), text) for text in " ×éλя—")
    assert all((other != blank).any() for other in others)
    assert len({other.tobytes() for other in others[1:]}) == 4  # no two the same empty box


FOUND_7 = "found/latents_3.png", "large/seed_7.png"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder with a generator of varied images and what the subcommands made with it."""
    folder = tmp_path_factory.mktemp("pictures")
    WGANGP(**TINY, initial_weights="he").save_model(folder)
    (folder / "generator.h5").rename(folder / "g.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in (
            "images --seeds 0-2,7 --labels --columns 3 --scale 1 --out new",
            "images --seeds 7 --out large",
            "images --latents new/latents.npz --seeds 9 --out found",
            "images --seeds 7 --scale 4 --resampling lanczos --transparent --out clear",
            "images --seeds 7 --truncation 0.5 --out short",
            "mix --seeds 7,2 --weights 1 -0.5 --scale 1 --out mix.png",
            "mix --latents mix.npz --seeds 3 --weights 1 1 2 1 --out again.png",
            "orbit --seeds 7 --radius 0.5 --seconds 0.2 --out frames",
        ):
            assert run_here(f"generate.py {line} --generator g.h5".split(), patch) == 0
    return folder


def test_the_files_of_images(pictures):
    names = {file.name for file in (pictures / "new").iterdir()}
    assert names == {*(f"seed_{i}.png" for i in (0, 1, 2, 7)), "grid.png", "latents.npz"}
    with np.load(pictures / "new" / "latents.npz") as file:
        assert np.array_equal(file["latents"], seed_latents([0, 1, 2, 7], 5))
        assert file["seeds"].tolist() == [0, 1, 2, 7] and file["truncation"] == 1
    with Image.open(pictures / "new" / "seed_7.png") as image:
        assert image.text["seed"] == "7" and image.size == (16, 16)
    with Image.open(pictures / "clear" / "seed_7.png") as image:
        assert image.mode == "RGBA" and image.size == (64, 64)
    assert Image.open(pictures / "new" / "grid.png").size == (3 * 18 + 2, 2 * (16 + 14 + 2) + 2)


def test_single_pictures_and_grids_are_large_enough_to_look_at(pictures):
    """Of 16 pixels: 512 are 32 times as many; a row of five is scaled by round(1024 / 80)."""
    small = np.asarray(Image.open(pictures / "new" / "seed_7.png"))
    large = np.asarray(Image.open(pictures / "large" / "seed_7.png"))
    assert np.array_equal(large, small.repeat(32, 0).repeat(32, 1))
    assert Image.open(pictures / "large" / "grid.png").size == (2 + 1024 + 2,) * 2
    assert Image.open(pictures / "found" / "grid.png").size == (5 * (16 * 13 + 2) + 2, 16 * 13 + 4)
    assert Image.open(pictures / "again.png").size == (512, 512)
    layout = Layout(scale=None)
    sides = {16: 32, 48: 11, 64: 8, 128: 4, 341: 2, 512: 1, 2000: 1}
    assert {side: layout.sized((1, 8, side, 3)).scale for side in sides} == sides
    grid = Layout(scale=None, columns=5)
    assert [grid.sized((n, 64, 64, 3)).scale for n in (1, 2, 25, 1000)] == [16, 8, 3, 1]
    assert read_provenance(pictures / "large" / "seed_7.png").layout.scale == 32


def test_latents_of_files_are_drawn_before_seeds(pictures):
    """The same latents give the same picture under another name, and carry no seed."""
    names = {file.name for file in (pictures / "found").iterdir()}
    expected = {*(f"latents_{i}.png" for i in range(4)), "seed_9.png", "grid.png", "latents.npz"}
    assert names == expected
    found, large = (Image.open(pictures / name) for name in FOUND_7)
    assert np.array_equal(np.asarray(found), np.asarray(large))
    assert "seed" not in found.text and large.text["seed"] == "7"
    assert "seed" not in Image.open(pictures / "found" / "grid.png").text
    with np.load(pictures / "found" / "latents.npz") as file:
        assert np.array_equal(file["latents"], seed_latents([0, 1, 2, 7, 9], 5))
        assert file["names"].tolist()[3:] == ["latents_3", "seed_9"] and "seeds" not in file
    with np.load(pictures / "again.npz") as file:
        weights = np.array([1, 1, 2, 1])
        mixed = (weights @ file["latents"][:4].astype(float)) / 7**0.5
        assert np.allclose(file["latents"][4], mixed, atol=1e-6)
        assert np.array_equal(file["latents"][3], seed_latents([3], 5)[0])
    labels = read_provenance(pictures / "again_row.png").layout.labels
    assert labels == ("1 × latents 0", "1 × latents 1", "2 × latents 2", "1 × 3", "mix")


def test_one_seed_is_one_image_in_every_subcommand(pictures):
    provenance = read_provenance(pictures / "short" / "seed_7.png")
    assert np.array_equal(provenance.latents, np.float32(0.5) * seed_latents([7], 5))
    grid = np.asarray(Image.open(pictures / "new" / "grid.png"))
    row = np.asarray(Image.open(pictures / "mix_row.png"))
    alone = np.asarray(Image.open(pictures / "new" / "seed_7.png"))
    with np.load(pictures / "mix.npz") as file:
        assert file["seeds"].tolist() == [7, 2] and file["weights"].tolist() == [1, -0.5]
        assert np.allclose(
            file["latents"][2] * 1.25**0.5, seed_latents([7], 5) - seed_latents([2], 5) / 2
        )
    assert np.array_equal(grid[34:50, 2:18], alone) and np.array_equal(row[2:18, 2:18], alone)


def test_a_zip_holds_the_pixels_and_the_same_bytes_every_time(
    pictures, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(pictures)
    line = ["generate.py", "images", "--generator", "g.h5", "--latents", "mix.npz"]
    line += ["--seeds", "0-2,7", "--out"]
    for name in ("a.zip", "b.ZIP"):
        assert run_here([*line, str(tmp_path / name)], monkeypatch) == 0
    assert "a.zip: 7 images, each as a PNG\n" in capsys.readouterr().out
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.ZIP").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        entries = archive.infolist()
        assert [entry.filename for entry in entries] == [f"{i:05}.png" for i in range(7)]
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        drawn = [Image.open(io.BytesIO(archive.read(entry))) for entry in entries]
    names = ("new/seed_7", "new/seed_2", "mix", "new/seed_0", "new/seed_1", "new/seed_2")
    for image, name in zip(drawn, (*names, "new/seed_7"), strict=True):
        assert image.text == {}
        assert np.array_equal(np.asarray(image), np.asarray(Image.open(f"{name}.png")))
    assert run_here([*line, str(tmp_path / "a.zip")], monkeypatch) == 2
    assert "a.zip: is there already" in capsys.readouterr().err
    options = ["--overwrite", "--scale", "2", "--labels"]
    assert run_here([*line, str(tmp_path / "a.zip"), *options], monkeypatch) == 2
    assert "a.zip: a zip holds no grid; leave out --labels" in capsys.readouterr().err
    assert run_here([*line, str(tmp_path / "a.zip"), *options[:-1]], monkeypatch) == 0
    assert read_images(tmp_path / "a.zip").shape == (7, 32, 32, 3)


def test_a_zip_that_is_not_finished_is_not_there(pictures, tmp_path):
    loaded = LoadedGenerator(pictures / "g.h5", load_generator(pictures / "g.h5"))
    (tmp_path / "a.zip").write_text("before")
    chosen = Chosen.of("0-2", [pictures / "mix.npz"])
    taken = chosen.take([1, 4])
    assert (taken.names, taken.text, len(taken)) == (["latents_1", "seed_1"], "1", 2)
    with mock.patch("utils.drawing.chosen._PART", 2):
        parts = [*chosen.in_parts(loaded, 0.5)]
    assert [len(part) for part in parts] == [2, 2, 2]
    assert np.array_equal(np.concatenate(parts), chosen.latents(loaded, 0.5))
    with (
        mock.patch(
            "utils.drawing.pictures._drawn", lambda *_: iter([np.zeros((8, 8, 3), "u1"), 1])
        ),
        pytest.raises(TypeError),
    ):
        save_zip(tmp_path / "a.zip", loaded, chosen)
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]
    assert (tmp_path / "a.zip").read_text() == "before"


def test_latents_of_one_image_are_circled_and_of_another_length_refused(
    pictures, monkeypatch, capsys
):
    monkeypatch.chdir(pictures)
    np.savez("one.npz", latents=seed_latents([7], 5))
    np.savez("long.npz", latents=seed_latents([7], 6))
    line = "generate.py orbit --generator g.h5 --seconds 0.2 --scale 1 --out around --latents"
    assert run_here([*line.split(), "one.npz"], monkeypatch) == 0
    assert len(list(Path("around").glob("frame_*.png"))) == 5
    assert run_here([*line.split(), "mix.npz"], monkeypatch) == 2
    assert "an orbit goes around one image, received 3: give" in capsys.readouterr().err
    walk = "generate.py walk --generator g.h5 --seconds 0.2 --scale 1 --out w.gif --latents one.npz"
    assert run_here([*walk.split(), "--seeds", "3"], monkeypatch) == 0
    with np.load("w.npz") as file:
        assert file["names"].tolist() == ["latents_0", "seed_3"]
        assert np.allclose(file["latents"][[0, -1]], seed_latents([7, 3], 5), atol=1e-6)
    assert run_here([*walk.split(), "--overwrite"], monkeypatch) == 2
    assert "needs at least two images, received 1: add --seeds or" in capsys.readouterr().err
    images = "generate.py images --generator g.h5 --out found --latents"
    assert run_here([*images.split(), "long.npz"], monkeypatch) == 2
    assert "the latents have 6 numbers each, and g.h5 needs 5; name" in capsys.readouterr().err
    assert run_here([*images.split(), "one.npz", "long.npz"], monkeypatch) == 2
    assert "long.npz: its latents have 6 numbers each, and those of" in capsys.readouterr().err
    before = Path("found/latents.npz").read_bytes()
    assert run_here([*images.split(), "found/latents.npz"], monkeypatch) == 2
    assert "the latents of these images would take its place" in capsys.readouterr().err
    assert Path("found/latents.npz").read_bytes() == before


@pytest.mark.parametrize(
    "name",
    [
        "new/seed_7.png",
        "new/grid.png",
        "large/seed_7.png",
        "large/grid.png",
        "found/latents_3.png",
        "found/grid.png",
        "clear/seed_7.png",
        "short/seed_7.png",
        "mix.png",
        "mix_row.png",
        "again_row.png",
        "frames/frame_00004.png",
    ],
)
def test_every_picture_is_drawn_again(pictures, name, monkeypatch, capsys):
    monkeypatch.chdir(pictures)
    before = np.asarray(Image.open(name))
    line = [
        "generate.py",
        "again",
        name,
        "--generator",
        "g.h5",
        "--out",
        "once_more.png",
        "--overwrite",
    ]
    assert run_here(line, monkeypatch) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first == "Generator: g.h5, of a run that is not known (no params.json in its folder)"
    assert last == "once_more.png: the same pixels"
    assert np.array_equal(np.asarray(Image.open("once_more.png")), before)
    assert read_provenance("once_more.png").layout == read_provenance(name).layout


def test_again_by_another_generator(pictures, tmp_path, monkeypatch, capsys):
    WGANGP(**TINY, seed=5).save_model(tmp_path)
    picture = pictures / "new" / "seed_7.png"
    monkeypatch.chdir(tmp_path)  # where g.h5, as the picture names it, is not
    assert run_here(["generate.py", "again", str(picture)], monkeypatch) == 2
    assert "/g.h5, which has changed or is in no run folder" in capsys.readouterr().err
    line = ["generate.py", "again", str(picture), "--generator", "generator.h5", "--out", "a.png"]
    assert run_here(line, monkeypatch) == 0
    said = capsys.readouterr().out
    assert "generator.h5 is not the generator that made" in said and "a.png: differs by" in said
    for run in ("0001_a", "0002_b"):
        (tmp_path / "run" / "gan" / run).mkdir(parents=True)
    (tmp_path / "run" / "gan" / "0002_b" / "generator.h5").write_text("another")
    (tmp_path / "generator.h5").rename(tmp_path / "run" / "gan" / "0001_a" / "generator_best.h5")
    assert run_here(["generate.py", "again", "a.png", "--out", "b.png"], monkeypatch) == 0
    assert "b.png: the same pixels" in capsys.readouterr().out


def test_a_picture_that_names_a_file_does_not_make_it_opened(pictures, tmp_path, monkeypatch):
    """Not even to compare its digest: it may be a device, or of any size."""
    monkeypatch.chdir(tmp_path)
    about = json.loads(Image.open(pictures / "new" / "seed_7.png").text["recipe"])
    os.mkfifo("pipe")  # to open it would wait for ever
    text = PngImagePlugin.PngInfo()
    text.add_text("recipe", json.dumps(about | {"generator": str(tmp_path / "pipe")}))
    Image.new("RGB", (8, 8)).save("a.png", pnginfo=text)
    assert run_here(["generate.py", "again", "a.png"], monkeypatch) == 2


def test_again_by_a_generator_of_another_size(pictures, tmp_path, monkeypatch, capsys):
    large = TINY | {"input_dim": (32, 32, 3), "generator_initial_dense_layer_size": (8, 8, 8)}
    WGANGP(**large).save_model(tmp_path)
    picture = pictures / "new" / "seed_7.png"
    monkeypatch.chdir(tmp_path)
    line = ["generate.py", "again", str(picture), "--generator", "generator.h5", "--out", "a.png"]
    assert run_here(line, monkeypatch) == 0
    assert f"a.png: of another size than {picture}" in capsys.readouterr().out
    assert Image.open("a.png").size == (32, 32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about: "no json", "its provenance is damaged"),
        (lambda about: "[]", "its provenance is damaged"),
        (lambda about: json.dumps({k: about[k] for k in about if k != "latents"}), "too many imag"),
        (lambda about: json.dumps(about | {"latents": "AAAA"}), "its provenance is damaged"),
        (
            lambda about: json.dumps(about | {"latents": "/" * 26 + "8="}),
            "not all finite",
        ),
        (lambda about: json.dumps(about | {"look": about["look"] | {"scale": -1}}), "1 to 65536"),
        (lambda about: json.dumps(about | {"look": about["look"] | {"scale": 60000}}), "too large"),
        (lambda about: json.dumps(about | {"look": {"code": "x"}}), "its provenance is damaged"),
        (
            lambda about: json.dumps(about | {"look": about["look"] | {"labels": "ab"}}),
            "2 labels for 1 image",
        ),
        (
            lambda about: json.dumps(about | {"look": about["look"] | {"labels": [7]}}),
            "labels: expected texts, received 7",
        ),
        (
            lambda about: json.dumps(about | {"look": about["look"] | {"columns": True}}),
            "columns: expected a whole number from 1 to 65536, received True",
        ),
        (lambda about: json.dumps(about | {"shape": [5, 1]}), "made from 1 number per image"),
    ],
)
def test_damaged_or_hostile_provenance(pictures, tmp_path, change, message, monkeypatch, capsys):
    monkeypatch.chdir(pictures)
    with Image.open("new/seed_7.png") as image:
        text = PngImagePlugin.PngInfo()
        text.add_text("recipe", change(json.loads(image.text["recipe"])))
        image.save(tmp_path / "odd.png", pnginfo=text)
    line = ["generate.py", "again", str(tmp_path / "odd.png"), "--generator", "g.h5"]
    assert run_here(line, monkeypatch) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert message in said and len(said) < 400


def test_nearest_names_the_training_image(pictures, tmp_path, monkeypatch, capsys):
    """Among the training images are the generated ones themselves, at a distance of 0."""
    data = tmp_path / "data"
    shutil.copytree(pictures / "new", data)
    (data / "grid.png").unlink()
    np.savez(tmp_path / "one.npz", latents=seed_latents([2], 5))
    line = (
        f"generate.py nearest --latents one.npz --seeds 7 --generator {pictures / 'g.h5'} "
        f"--data {data} --out n.png"
    )
    monkeypatch.chdir(tmp_path)
    assert run_here(line.split(), monkeypatch) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1:3] == [
        "latents 0: seed_2.png, at 0.0 of 255",
        "seed 7: seed_7.png, at 0.0 of 255",
    ]
    assert Image.open(tmp_path / "n.png").size == (4 * 130 + 2, 128 + 14 + 4)
