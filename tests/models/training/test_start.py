"""A new run that begins with the weights of another."""

import json
import shutil

import numpy as np
import pytest

from models.training.outputs import resume
from models.training.start import start_from
from models.WGANGP import WGANGP
from tests.helpers.small import TINY, state, train
from utils import runs


def equal(a, b):
    return all(map(np.array_equal, a.get_weights(), b.get_weights()))


@pytest.mark.parametrize("source", ["", "weights/checkpoint_5.h5", "generator.h5"])
def test_a_run_begins_with_the_weights_of_another(run, tmp_path, tiny_zip, source):
    before, folder = run
    model = TINY | {"generator_average": 100, "critic_learning_rate": 0.001}
    gan = WGANGP(**model)
    fresh = WGANGP(**model)
    said = start_from(gan, tmp_path / "new", folder / source)
    assert equal(gan.generator, before.generator) and gan.epoch == 0 and not gan.d_losses
    assert equal(gan.average.generator, before.generator)
    assert equal(gan.critic, fresh.critic if source == "generator.h5" else before.critic)
    assert ("the critic begins anew" in said) == (source == "generator.h5")
    optimisers = [name for name in state(gan) if "optimiser" in name]
    assert all(np.array_equal(state(gan)[name], state(fresh)[name]) for name in optimisers)


def test_the_same_command_continues_and_so_does_one_without_the_option(run, tmp_path, tiny_zip):
    new = tmp_path / "new"
    gan = WGANGP(**TINY)
    start_from(gan, new, run[1])
    train(gan, tiny_zip, new, 2)
    start = {"from": str(run[1]), "networks": "critic and generator"}
    assert json.loads((new / "params.json").read_text())["start"] == runs.read_start(new) == start
    for epochs, option in ((3, "gone"), (4, None)):
        again = WGANGP(**TINY)
        resume(again, new)
        if option:
            assert str(run[1]) in start_from(again, new, option)
        train(again, tiny_zip, new, epochs)
        assert runs.read_start(new) == start and again.epoch == epochs


def test_what_cannot_be_begun_with_is_refused_and_nothing_is_changed(run, tmp_path):
    folder = run[1]
    wide = WGANGP(**TINY | {"critic_conv_filters": [4, 16], "generator_conv_filters": [8, 3]})
    fresh = state(wide)
    with pytest.raises(
        ValueError, match=r"other networks .* critic_conv_1/kernel is \(3, 3, 4, 8\)"
    ):
        start_from(wide, tmp_path, folder)
    with pytest.raises(ValueError, match=r"generator_conv_1/\w+ is .*, expected .* --width must"):
        start_from(wide, tmp_path, folder / "generator.h5")
    plain = WGANGP(**TINY | {"generator_batch_norm_momentum": None})
    with pytest.raises(ValueError, match="generator_batch_norm_0/beta is not known here"):
        start_from(plain, tmp_path, folder)
    with pytest.raises(ValueError, match="it has 14 arrays of weights, expected 6"):
        start_from(plain, tmp_path, folder / "generator.h5")
    assert all(np.array_equal(value, fresh[name]) for name, value in state(wide).items())
    gan = WGANGP(**TINY)
    with pytest.raises(FileNotFoundError, match="holds neither a checkpoint nor a"):
        start_from(gan, tmp_path, tmp_path)
    with pytest.raises(FileNotFoundError, match="expected a run folder, a checkpoint or a gen"):
        start_from(gan, tmp_path, tmp_path / "void")
    (tmp_path / "text.h5").write_text("nonsense")
    with pytest.raises(ValueError, match="not an HDF5 file"):
        start_from(gan, tmp_path, tmp_path / "text.h5")
    shutil.copytree(folder, tmp_path / "old")
    gan.load_weights(tmp_path / "old" / "weights")
    with pytest.raises(
        ValueError, match="began with weights of its own; --start-from begins a new"
    ):
        start_from(gan, tmp_path / "old", folder)
