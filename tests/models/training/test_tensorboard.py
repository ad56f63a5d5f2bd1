"""What TensorBoard reads of a run, by TensorBoard's own reader."""

import types

import pytest
from PIL import Image

from models.recipe import Options
from models.training.tensorboard import TensorBoard
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, train


@pytest.fixture(scope="module")
def installed():
    """Skips where there is no TensorBoard."""
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")


def gan(epoch):
    """What the callback asks of a model, 20 epochs old at most, with scores of epoch 5."""
    return types.SimpleNamespace(
        epoch=epoch,
        d_losses=[[i, 1, 2, 3] for i in range(20)],
        g_losses=[i / 2 for i in range(20)],
        scores=[{"epoch": 5, "swd": 0.25}],
    )


def session(folder, first, end):
    """Epochs from `first`, a line of the log every second one, samples every fourth one."""
    callback = TensorBoard(folder, every=2, print_every=4)
    callback.set_model(gan(first))
    callback.on_train_begin()
    for epoch in range(first, end):
        if epoch % 4 == 0:
            Image.new("RGB", (10 * epoch + 2, 10)).save(folder / f"images/sample_{epoch}.png")
        callback.on_epoch_end(epoch)
    callback.on_train_end()


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    scalars = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]}
    images = {tag: [(e.step, e.width) for e in events.Images(tag)] for tag in tags["images"]}
    return scalars, images


@pytest.fixture
def folder(installed, tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("L", (30, 20)).save(tmp_path / "images" / "real.png")
    return tmp_path


def test_a_run_that_was_killed_and_continued_has_every_step_once(folder):
    session(folder, 0, 9)
    session(folder, 6, 11)  # from a checkpoint of six epochs
    scalars, images = read(folder)
    steps = [0, 2, 4, 5, 6, 8, 10]
    assert scalars["losses/critic"] == [(step, step) for step in steps]
    assert scalars["losses/generator"] == [(step, step / 2) for step in steps]
    assert scalars["scores/swd"] == [(5, 0.25)]
    assert {*scalars} == {
        *(f"losses/{name}" for name in ("critic", "real", "fake", "penalty", "generator")),
        "scores/swd",
    }
    assert images == {"real": [(0, 30)], "samples": [(0, 2), (4, 42), (8, 82)]}


def test_a_run_that_began_without_it_has_its_first_epochs_too(folder):
    Image.new("RGB", (2, 10)).save(folder / "images" / "sample_0.png")
    (folder / "images" / "sample_4.png").write_bytes(b"damaged")
    session(folder, 6, 9)
    scalars, images = read(folder)
    assert [step for step, _ in scalars["losses/real"]] == [0, 2, 4, 5, 6, 8]
    assert images == {"real": [(0, 30)], "samples": [(0, 2), (8, 82)]}


def test_a_training_writes_it_where_it_is_asked_to(installed, tiny_zip, tmp_path):
    model = WGANGP(**TINY)
    train(model, tiny_zip, tmp_path, 3, tensorboard=True)
    scalars, images = read(tmp_path)
    expected = [row[0] for row in model.d_losses]
    assert [value for _, value in scalars["losses/critic"]] == pytest.approx(expected)
    assert [step for step, _ in images["samples"]] == [0, 2]


def test_without_the_package_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"tensorboard needs a package .* pip install tensorboard"):
        Options(tensorboard=True)
    Options()
