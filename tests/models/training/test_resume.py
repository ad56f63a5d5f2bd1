"""Runs that were killed resume bit for bit, and errors leave the last checkpoint whole."""

import os
import random
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from models.training import checkpoint
from models.training.outputs import resume
from models.WGANGP import WGANGP
from tests.helpers import ROOT
from tests.helpers.session import MODEL, main
from tests.helpers.small import TINY, check_same_files, contents, lines, train
from utils.runs import folder as runs

EPOCHS = 16


def session(data, folder, *options):
    command = [sys.executable, "-m", "tests.helpers.session", data, folder, EPOCHS, *options]
    return subprocess.Popen([str(part) for part in command], cwd=ROOT, stderr=subprocess.PIPE)


def kill_when(process, happened):
    """`kill -9`, the moment that `happened()`."""
    deadline = time.monotonic() + 120
    while not happened():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.communicate()


def test_a_run_that_was_killed_twice_ends_like_one_that_was_not(tiny_zip, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    main(tiny_zip, whole, EPOCHS)
    epoch = random.randrange(4, EPOCHS - 4)

    def is_far_enough():  # a line is written before the checkpoint of its epoch
        return checkpoint.find(broken / "weights") and lines(broken / "log.txt") >= epoch

    kill_when(session(tiny_zip, broken, "--slowly"), is_far_enough)
    saved = checkpoint.find(broken / "weights")
    unfinished = (broken / "weights").glob
    kill_when(session(tiny_zip, broken, "--slowly"), lambda: list(unfinished(".checkpoint_*")))
    assert list(unfinished(".checkpoint_*")) and checkpoint.find(broken / "weights") == saved
    process = session(tiny_zip, broken)
    assert process.wait() == 0, process.stderr.read().decode()
    check_same_files(whole, broken, f"killed at epoch {epoch}")
    assert {"end.json", "images/sample_15.png"} <= contents(whole).keys()


def test_the_last_undamaged_checkpoint_is_loaded(tiny_zip, tmp_path, capsys):
    train(WGANGP(**TINY), tiny_zip, tmp_path, 4, save_epochs=2)
    (tmp_path / "weights" / "checkpoint_4.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    gan = WGANGP(**TINY)
    gan.load_weights(tmp_path / "weights")
    assert gan.epoch == 2 and "checkpoint_4.h5: not an HDF5 file" in capsys.readouterr().out
    (tmp_path / "weights" / "checkpoint_2.h5").write_bytes(b"")
    with pytest.raises(checkpoint.DamagedError, match=r"checkpoint_2\.h5: not an HDF5 file"):
        gan.load_weights(tmp_path / "weights")


def test_a_run_folder_in_use_is_left_alone(tiny_zip, tmp_path):
    folder = tmp_path / "run"
    process = session(tiny_zip, folder, "--slowly")
    deadline = time.monotonic() + 120
    while not lines(folder / "log.txt"):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    gan = WGANGP(**MODEL)
    with pytest.raises(BlockingIOError, match="in use by another training"):
        train(gan, tiny_zip, folder, EPOCHS)
    with pytest.raises(BlockingIOError, match="in use by another training"):
        runs.set_aside(folder)
    process.kill()  # which ends its lock
    process.communicate()
    assert runs.set_aside(folder) == tmp_path / "run.old1" and not folder.exists()
    assert runs.set_aside(folder) is None


def test_a_model_that_was_loaded_before_others_trained_the_run_loses_nothing(tiny_zip, tmp_path):
    folder = tmp_path / "run"
    train(WGANGP(**TINY), tiny_zip, folder, 2)
    early, other = WGANGP(**TINY), WGANGP(**TINY)
    resume(early, folder)
    other.load_weights(folder / "weights")
    train(other, tiny_zip, folder, 4)
    before = {path.name: path.read_bytes() for path in (folder / "weights").iterdir()}
    with pytest.raises(
        ValueError, match=r"trained up to epoch 4 by another .* after 2 epochs: load"
    ):
        train(early, tiny_zip, folder, 5)
    assert before == {path.name: path.read_bytes() for path in (folder / "weights").iterdir()}
    early.load_weights(folder / "weights" / "checkpoint_2.h5")  # as one asks for it, all the same
    train(early, tiny_zip, folder, 5)
    names = {path.name for path in (folder / "weights").iterdir()}
    assert names == {"checkpoint_2.h5", "checkpoint_5.h5", "left_4.h5"}


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MB: diagrams by Graphviz fit, where that is installed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs Linux and its root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(tiny_zip, small_disk):
    folder = small_disk / "run"
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, folder, 2)
    saved = contents(folder)["weights/checkpoint_2.h5"]
    filling = small_disk / "filling"
    with pytest.raises(OSError, match="No space left"), open(filling, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with pytest.raises(OSError, match=r"No space left on device.*same command continues") as caught:
        train(gan, tiny_zip, folder, 4)
    assert "\n" not in str(caught.value)
    after = contents(folder)
    assert all(np.array_equal(saved[n], a) for n, a in after["weights/checkpoint_2.h5"].items())
    assert not [name for name in after if ".part" in name]
    filling.unlink()
    again = WGANGP(**TINY)
    again.load_weights(folder / "weights")
    train(again, tiny_zip, folder, 4)
    assert lines(folder / "losses.csv") == 5


def test_a_folder_that_vanishes(tiny_zip, tmp_path):
    folder = tmp_path / "drive" / "run"
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, folder, 2)
    unmount = Unmount(folder.parent)
    with pytest.raises(OSError, match=r"vanished during the training.*same command continues"):
        train(gan, tiny_zip, folder, 6, callbacks=[unmount])
    assert not folder.parent.exists()  # nobody made it anew
    unmount.aside.rename(folder.parent)
    again = WGANGP(**TINY)
    again.load_weights(folder / "weights")
    assert again.epoch == 2


class Unmount:
    """A callback that takes the drive away after the third epoch."""

    def __init__(self, drive):
        self.drive, self.aside = drive, drive.with_name("elsewhere")

    def __getattr__(self, name):
        return lambda *arguments, **options: None

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            self.drive.rename(self.aside)


def test_a_folder_that_may_not_be_written(tiny_zip, tmp_path):
    folder = tmp_path / "run"
    gan = WGANGP(**TINY)
    train(gan, tiny_zip, folder, 2)
    if subprocess.run(["chattr", "+i", folder / "weights"], capture_output=True).returncode:
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere, and chattr is not at hand to stop it")
        (folder / "weights").chmod(0o500)
    try:
        with pytest.raises(OSError, match=r"checkpoint_4\.h5 could not be written \("):
            train(gan, tiny_zip, folder, 4)
    finally:
        subprocess.run(["chattr", "-i", folder / "weights"], capture_output=True)
        (folder / "weights").chmod(0o700)
    assert [f.name for f in checkpoint.find(folder / "weights")] == ["checkpoint_2.h5"]
    again = WGANGP(**TINY)
    again.load_weights(folder / "weights")
    assert again.epoch == 2


def poisoned(gan, epochs):
    """Makes the loss of the given epochs no number, once per entry, as a bad batch would."""
    epochs, train_epoch = list(epochs), gan.train_epoch

    def train_epoch_or_fail(*arguments):
        if epochs and gan.epoch == epochs[0]:
            epochs.pop(0)
            gan.critic.get_layer("critic_score").bias.assign([np.nan])
        train_epoch(*arguments)

    gan.train_epoch = train_epoch_or_fail
    return gan


def test_rollback_resumes_from_the_last_checkpoint_with_new_noise(tiny_zip, tmp_path, capsys):
    plain = WGANGP(**TINY)
    train(plain, tiny_zip, tmp_path / "plain", 6, save_epochs=2)
    gan = poisoned(WGANGP(**TINY), [3])
    train(gan, tiny_zip, tmp_path / "run", 6, save_epochs=2, on_nan="rollback")
    assert "Resuming from epoch 2 with new noise." in capsys.readouterr().out
    assert gan.epoch == 6 and gan.rollbacks == 1 and np.isfinite(gan.d_losses).all()
    assert gan.d_losses[:2] == plain.d_losses[:2] and gan.d_losses[2] != plain.d_losses[2]
    assert lines(tmp_path / "run" / "losses.csv") == lines(tmp_path / "run" / "log.txt") + 1 == 7
    again = WGANGP(**TINY)
    again.load_weights(tmp_path / "run" / "weights")
    assert again.rollbacks == 1
    assert not np.array_equal(again.noise(0, 1)[0], plain.noise(0, 1)[0])


def test_weights_that_are_nan_are_not_saved(tiny_zip, tmp_path):
    # The losses are still those from before the update that broke them.
    gan = WGANGP(**TINY)
    train_epoch = gan.train_epoch

    def train_epoch_and_break(*arguments):
        train_epoch(*arguments)
        if gan.epoch == 4:
            gan.generator.get_layer("generator_conv_1").bias.assign(np.full(4, np.nan))

    gan.train_epoch = train_epoch_and_break
    with pytest.raises(FloatingPointError, match="epoch 3 made generator_conv_1/bias no longer"):
        train(gan, tiny_zip, tmp_path, 6, save_epochs=2)
    assert [f.name for f in checkpoint.find(tmp_path / "weights")] == ["checkpoint_2.h5"]
    again = WGANGP(**TINY)
    again.load_weights(tmp_path / "weights")
    assert again.epoch == 2


def test_rollback_before_the_first_save_and_its_end(tiny_zip, tmp_path):
    gan = poisoned(WGANGP(**TINY), [1, 1, 1])
    train(gan, tiny_zip, tmp_path / "a", 2, on_nan="rollback")
    assert gan.rollbacks == 3 and np.isfinite(gan.d_losses).all()
    gan = poisoned(WGANGP(**TINY), [1, 1, 1, 1])
    with pytest.raises(FloatingPointError, match="going back to epoch 0 did not help 3 times"):
        train(gan, tiny_zip, tmp_path / "b", 2, on_nan="rollback")
    with pytest.raises(ValueError, match="on_nan must be one of stop, rollback, received 'go'"):
        train(gan, tiny_zip, tmp_path / "b", 2, on_nan="go")
