"""Pictures: layout, the provenance they carry, and that they can be drawn again from it."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from models.WGANGP import WGANGP
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY
from utils.drawing.latents import seed_latents
from utils.drawing.layout import Layout, enlarge, label, without_paper
from utils.drawing.provenance import read_provenance


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


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder with a generator of varied images and what the subcommands made with it."""
    folder = tmp_path_factory.mktemp("pictures")
    WGANGP(**TINY, initial_weights="he").save_model(folder)
    (folder / "generator.h5").rename(folder / "g.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in (
            "images --seeds 0-2,7 --labels --columns 3 --out new",
            "images --seeds 7 --scale 4 --resampling lanczos --transparent --out clear",
            "images --seeds 7 --truncation 0.5 --out short",
            "mix --seeds 7,2 --weights 1 -0.5 --out mix.png",
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


@pytest.mark.parametrize(
    "name",
    [
        "new/seed_7.png",
        "new/grid.png",
        "clear/seed_7.png",
        "short/seed_7.png",
        "mix.png",
        "mix_row.png",
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
        "again.png",
        "--overwrite",
    ]
    assert run_here(line, monkeypatch) == 0
    assert capsys.readouterr().out == "again.png: the same pixels\n"
    assert np.array_equal(np.asarray(Image.open("again.png")), before)
    assert read_provenance("again.png").layout == read_provenance(name).layout


def test_again_by_another_generator(pictures, tmp_path, monkeypatch, capsys):
    WGANGP(**TINY, seed=5).save_model(tmp_path)
    picture = pictures / "new" / "seed_7.png"
    monkeypatch.chdir(tmp_path)  # where g.h5, as the picture names it, is not
    assert run_here(["generate.py", "again", str(picture)], monkeypatch) == 2
    assert "was made by g.h5, which has changed or is in no run folder" in capsys.readouterr().err
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
    line = (
        f"generate.py nearest --seeds 2,7 --generator {pictures / 'g.h5'} --data {data} --out n.png"
    )
    monkeypatch.chdir(tmp_path)
    assert run_here(line.split(), monkeypatch) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["seed 2: seed_2.png, at 0.0 of 255", "seed 7: seed_7.png, at 0.0 of 255"]
    assert Image.open(tmp_path / "n.png").size == (4 * 130 + 2, 128 + 14 + 4)
