"""The critic's choice: which seeds are kept, that they draw the same, and what has no critic."""

import keras
import numpy as np
import pytest
from PIL import Image

from models.training.outputs import save_network
from tests.helpers.scripts import run_here
from tests.helpers.small import linear_critic
from utils.drawing import LoadedGenerator, Selection, save_images, seed_latents

# The one latent of seeds 0 to 9: 1.12, 1.73, 1.71, 2.42, −0.87, −1.22, 1.535, 1.522, −2.03, −0.35.
# Seeds 6 and 7 have the same grey, 176 of 255, so the one that comes first is kept.
BRIGHTEST = [3, 1, 2, 6, 7, 0, 9, 4, 5, 8]


def flat_generator():
    """One latent to images of one grey, z/4."""
    z = keras.Input((1,))
    pixels = keras.layers.Dense(16 * 16 * 3, use_bias=False)(z)
    generator = keras.Model(z, keras.layers.Reshape((16, 16, 3))(pixels))
    generator.set_weights([np.full((1, 768), 0.25)])
    return generator


def brightness():
    """A critic whose score is the mean of an image."""
    return linear_critic(np.full(768, 1 / 768))


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """A folder with a generator of greys and a critic that scores brightness."""
    save_network(flat_generator(), tmp_path / "generator.h5")
    save_network(brightness(), tmp_path / "critic.h5")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def images(line, monkeypatch):
    line = f"generate.py images --generator generator.h5 --range tanh {line}"
    return run_here(line.split(), monkeypatch)


def test_the_brightest_are_kept_and_look_as_without_a_choice(run_folder, monkeypatch, capsys):
    assert images("--seeds 0-9 --scale 1 --out all", monkeypatch) == 0
    assert (
        images("--seeds 0-9 --keep 0.4 --labels --columns 2 --scale 1 --out kept", monkeypatch) == 0
    )
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "kept: 4 of 10 images, ranked highest by the critic, grid.png and latents.npz"
    names = {file.name for file in (run_folder / "kept").iterdir()}
    assert names == {*(f"seed_{i}.png" for i in (1, 2, 3, 6)), "grid.png", "latents.npz"}
    for seed in (1, 2, 3, 6):
        name = f"seed_{seed}.png"
        assert (run_folder / "kept" / name).read_bytes() == (run_folder / "all" / name).read_bytes()
    with np.load(run_folder / "kept" / "latents.npz") as file:
        assert file["seeds"].tolist() == [1, 2, 3, 6]
        assert np.array_equal(file["latents"], seed_latents([1, 2, 3, 6], 1))
        greys = np.rint((file["latents"][:, 0] / 4 + 1) * 127.5)  # as in the PNG
        assert np.allclose(file["scores"], greys / 127.5 - 1, atol=1e-6)
    with Image.open(run_folder / "kept" / "grid.png") as grid:
        assert grid.text["seed"] == "1,2,3,6" and grid.size == (2 * 18 + 2, 2 * (16 + 14 + 2) + 2)
    again = ["generate.py", "again", "kept/grid.png", "--generator", "generator.h5"]
    again += ["--range=tanh"]
    assert run_here(again, monkeypatch) == 0
    assert capsys.readouterr().out.endswith("the same pixels\n")


def test_the_order_of_the_seeds_stays(run_folder):
    loaded = LoadedGenerator("generator.h5", flat_generator())
    for keep, kept in {0.43: [3, 7, 1], 0.57: [3, 7, 6, 1]}.items():
        save_images("kept", loaded, "9,3,0,8,7,6,1", selection=Selection(brightness(), keep))
        with np.load("kept/latents.npz") as file:
            assert file["seeds"].tolist() == kept


def test_scores_do_not_depend_on_the_batch():
    loaded = LoadedGenerator("generator.h5", flat_generator())
    selection = Selection(brightness(), 1)
    z = seed_latents(list(range(20)), 1)
    scores = selection.scores(loaded, z)
    assert scores.shape == (20,) and np.argsort(-scores[:10], kind="stable").tolist() == BRIGHTEST
    assert selection.scores(loaded, z[18:19]) == scores[18]


def test_how_many_are_kept():
    scores = np.array([2, 5, 5, 1, 5], np.float32)
    for keep, kept in {
        0.01: [1],
        0.2: [1],
        0.4: [1, 2],
        0.6: [1, 2, 4],
        1: [0, 1, 2, 3, 4],
    }.items():
        assert Selection(None, keep).best(scores).tolist() == kept


@pytest.mark.parametrize("keep", [0, -0.5, 1.01, float("nan")])
def test_a_share_outside_its_range_is_refused(keep):
    with pytest.raises(ValueError, match="keep must be above 0 and at most 1, received"):
        Selection(None, keep)


def test_what_has_no_critic_of_its_own(run_folder, monkeypatch, capsys):
    def refused():
        assert images("--seeds 0-3 --keep 0.5", monkeypatch) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert not (run_folder / "new").exists()
        return line

    z = keras.Input((16, 16, 1))
    grey = keras.Model(z, keras.layers.Dense(1)(keras.layers.Flatten()(z)))
    save_network(grey, run_folder / "critic.h5")
    assert "scores images of (16, 16, 1), but generator.h5 draws (16, 16, 3)" in refused()
    (run_folder / "critic.h5").write_bytes((run_folder / "generator.h5").read_bytes())
    assert "critic.h5: not a critic: it maps (None, 1) to (None, 16, 16, 3); exp" in refused()
    (run_folder / "critic.h5").unlink()
    assert "generator.h5 has no critic.h5 beside it" in refused()
