"""Films: formats, frames, latents; their length needs no memory; failed ones leave no file."""

import signal
import subprocess
import sys
import weakref

import imageio_ffmpeg
import numpy as np
import psutil
import pytest
from PIL import Image

from tests.helpers import ROOT
from tests.helpers.scripts import run_here
from utils.drawing import animations
from utils.drawing.animations import FilmOptions, save_history, save_walk
from utils.drawing.films import write_film
from utils.drawing.latents import draw, seed_latents
from utils.drawing.layout import Layout
from utils.drawing.provenance import LoadedGenerator, read_provenance
from utils.generator.load import load_generator
from utils.runs import find_samples

COLOURS = [(255, 255, 255), (224, 184, 7), (185, 33, 19), (54, 79, 179), (0, 0, 0)]


def flat(size=64):
    """Five frames, each of one colour of the sketch."""
    return [np.full((size, size, 3), colour, np.uint8) for colour in COLOURS]


def mp4_frames(path):
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    width, height = about["size"]
    return about, [np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in reader]


def test_an_mp4_shows_the_colours_that_were_drawn(tmp_path):
    write_film(tmp_path / "a.mp4", flat(), 5, 10)
    about, frames = mp4_frames(tmp_path / "a.mp4")
    assert about["codec"] == "h264" and about["fps"] == 10 and about["size"] == (64, 64)
    assert "yuv420p" in about["pix_fmt"] and "bt709" in about["pix_fmt"]
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert np.abs(frame.mean((0, 1)) - colour).max() < 5


def test_an_mp4_of_odd_size_is_a_pixel_larger(tmp_path):
    write_film(tmp_path / "a.mp4", flat(33), 5, 25)
    about, frames = mp4_frames(tmp_path / "a.mp4")
    assert about["size"] == (34, 34) and len(frames) == 5


def test_a_gif_repeats_and_has_exact_colours(tmp_path):
    write_film(tmp_path / "a.gif", flat(), 5, 20)
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 5 and film.info["loop"] == 0 and film.info["duration"] == 50
        for i, colour in enumerate(COLOURS):
            film.seek(i)
            assert np.abs(np.asarray(film.convert("RGB")).astype(int) - colour).max() <= 3


def test_grey_frames_in_all_formats(tmp_path):
    grey = [frame[:, :, :1] for frame in flat()]
    for name in ("a.mp4", "a.gif", "frames"):
        write_film(tmp_path / name, grey, 5, 25)
    assert sorted(file.name for file in (tmp_path / "frames").iterdir()) == [
        f"frame_{i:05}.png" for i in range(5)
    ]
    assert Image.open(tmp_path / "frames" / "frame_00003.png").getpixel((0, 0)) == 54
    assert abs(int(mp4_frames(tmp_path / "a.mp4")[1][3][0, 0, 1]) - 54) < 5


def test_a_film_holds_one_frame_at_a_time(tmp_path):
    alive, most = weakref.WeakSet(), 0

    class Frame(np.ndarray):
        __hash__ = object.__hash__

    def frames():
        nonlocal most
        for i in range(60):
            frame = np.full((16, 16, 3), i, np.uint8).view(Frame)
            alive.add(frame)
            most = max(most, len(alive))
            yield frame

    for name in ("a.mp4", "a.gif", "frames"):
        write_film(tmp_path / name, frames(), 60, 25)
    assert 0 < most <= 4


def test_a_film_that_fails_keeps_the_old_file(tmp_path):
    (tmp_path / "a.gif").write_text("old")

    def broken():
        yield from flat()
        raise ValueError("no more")

    for name in ("a.gif", "a.mp4", "frames"):
        with pytest.raises(ValueError, match="no more"):
            write_film(tmp_path / name, broken(), 9, 25)
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]
    assert (tmp_path / "a.gif").read_text() == "old"
    with pytest.raises(ValueError, match="needs at least one frame"):
        write_film(tmp_path / "b.gif", [], 0, 25)


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_a_film_whose_ffmpeg_is_killed_keeps_the_old_file(name, tmp_path):
    (tmp_path / name).write_text("old")

    def frames():
        for i in range(200):
            if i == 100:
                (ffmpeg,) = (p for p in psutil.Process().children() if "ffmpeg" in p.name())
                ffmpeg.kill()
            yield np.random.default_rng(i).integers(256, size=(64, 64, 3), dtype=np.uint8)

    with pytest.raises(OSError, match=f"{name}: ffmpeg could not write the film: it ended with -9"):
        write_film(tmp_path / name, frames(), 200, 25)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"


@pytest.mark.parametrize("ends", ["at once", "at the end"])
def test_an_error_of_ffmpeg_is_one_line(ends, tmp_path, monkeypatch):
    """As from a full disk: it writes a part of the film, and says what happened."""
    ffmpeg = tmp_path / "ffmpeg"
    read = "cat > /dev/null" if ends == "at the end" else "exec < /dev/null"
    ffmpeg.write_text(
        f'#!/bin/sh\nfor last; do :; done\n{read}\necho part > "${{last#file:}}"\n'
        "echo 'Error writing trailer: No space left on device' >&2\nexit 228\n"
    )
    ffmpeg.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(ffmpeg))
    (tmp_path / "films").mkdir()
    frames = [np.zeros((256, 256, 3), np.uint8)] * 50
    with pytest.raises(OSError) as caught:
        write_film(tmp_path / "films" / "a.mp4", frames, 50, 25)
    assert str(caught.value) == (
        f"{tmp_path / 'films' / 'a.mp4'}: ffmpeg could not write the film: Error writing trailer: "
        "No space left on device"
    )
    assert not [*(tmp_path / "films").iterdir()]


def test_a_colon_in_the_name_of_a_film_is_no_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_film("walk-12:30.mp4", flat(), 5, 25)
    assert len(mp4_frames((tmp_path / "walk-12:30.mp4").resolve())[1]) == 5


def film(line, run, folder, monkeypatch):
    monkeypatch.chdir(folder)
    line = f"generate.py {line} --generator {run[1] / 'generator.h5'}"
    assert run_here(line.split(), monkeypatch) == 0


def test_a_loop_begins_at_its_seed_and_ends_one_step_before(run, tmp_path, monkeypatch):
    film("walk --seeds 3,8 --loop --fps 4 --seconds 2 --out loop", run, tmp_path, monkeypatch)
    frames = [read_provenance(tmp_path / "loop" / f"frame_{i:05}.png") for i in range(8)]
    assert not (tmp_path / "loop" / "frame_00008.png").exists()
    assert np.array_equal(frames[0].latents, seed_latents([3], 5))
    assert np.allclose(frames[4].latents, seed_latents([8], 5), atol=1e-6)
    assert np.allclose(frames[1].latents, frames[7].latents, atol=1e-6)  # there and back
    with np.load(tmp_path / "loop" / "latents.npz") as file:
        assert np.array_equal(file["latents"], np.concatenate([f.latents for f in frames]))
        assert file["fps"] == 4 and file["seeds"].tolist() == [3, 8]


def test_walk_and_orbit_write_films_and_their_latents(run, tmp_path, monkeypatch):
    film("walk --seeds 3,8,1 --truncation 0.5 --fps 5 --out w.gif", run, tmp_path, monkeypatch)
    film("orbit --seeds 7 --radius 0 --seconds 1 --out o.mp4", run, tmp_path, monkeypatch)
    with Image.open(tmp_path / "w.gif") as gif, np.load(tmp_path / "w.npz") as file:
        assert gif.n_frames == len(file["latents"]) == 20 and gif.size == (512, 512)
        assert np.allclose(file["latents"][-1], 0.5 * seed_latents([1], 5)[0], atol=1e-6)
    frames = mp4_frames(tmp_path / "o.mp4")[1]
    assert len(frames) == 25 and np.abs(frames[0].astype(int) - frames[24]).max() < 12


def test_each_frame_is_drawn_once(run, tmp_path, monkeypatch):
    """One pass over the frames gives the film, their provenance and their latents."""
    drawn = []

    def counting(network, z):
        drawn.extend(z)
        return draw(network, z)

    monkeypatch.setattr(animations, "draw", counting)
    loaded = LoadedGenerator(run[1] / "generator.h5", load_generator(run[1] / "generator.h5"))
    options = animations.FilmOptions(seconds=4, fps=5, scale=1)
    for name in ("frames", "film.gif"):
        drawn.clear()
        film = animations.save_walk(tmp_path / name, loaded, "3,8", options)
        assert film.frames == len(drawn) == 20 and film.seconds == 4
        with np.load(film.latents) as file:
            assert np.array_equal(file["latents"], drawn)


def test_frames_are_drawn_a_few_at_a_time(run):
    """Memory does not grow with the length: no more latents are taken than the next batch has."""
    taken = []

    def chunks():
        for i in range(1000):
            taken.append(i)
            yield seed_latents(list(range(16)), 5)

    loaded = LoadedGenerator(run[1] / "generator.h5", run[0].generator)
    frames = animations.draw_frames(loaded, chunks(), Layout())
    for _, (z, picture) in zip(range(40), frames, strict=False):
        assert z.shape == (5,) and picture.shape == (16, 16, 3)
    assert taken == [0, 1, 2]


def test_wrong_options_of_a_film():
    for options in ({"seconds": 0}, {"fps": -1}, {"fps": float("nan")}, {"seconds": float("inf")}):
        with pytest.raises(ValueError, match=f"{next(iter(options))}: expected a positive number"):
            animations.FilmOptions(**options)


def test_history_shows_the_samples_in_order(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = f"generate.py history --run {run[1]} --fps 2 --scale 2 --out h"
    assert run_here(line.split(), monkeypatch) == 0
    assert capsys.readouterr().out == f"h: 3 samples of {run[1]}, to epoch 4\n"
    frames = sorted((tmp_path / "h").iterdir())
    assert len(frames) == 3 + 4
    for epoch, frame in zip((0, 2, 4), frames[:3], strict=True):
        sample = np.asarray(Image.open(run[1] / "images" / f"sample_{epoch}.png"))
        assert np.array_equal(np.asarray(Image.open(frame))[:-14], sample.repeat(2, 0).repeat(2, 1))


def test_a_film_that_is_stopped_leaves_nothing(run, tmp_path):
    line = [ROOT / "generate.py", "walk", "--seeds", "1-9", "--seconds", 9999, "--out", "w.mp4"]
    line = [sys.executable, *map(str, line), "--generator", str(run[1] / "generator.h5")]
    process = subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.iterdir()):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "Traceback" not in errors
    assert errors.splitlines()[-1] == "stopped; files that were not finished are not there"
    assert not list(tmp_path.iterdir())


def test_frames_that_no_player_shows_are_refused_before_they_are_drawn(tmp_path, folder):
    loaded = LoadedGenerator(folder / "generator.h5", load_generator(folder / "generator.h5"))
    options = FilmOptions(seconds=1, scale=1000)  # 16,000 × 16,000
    for name in ("a.mp4", "a.gif"):
        with pytest.raises(
            ValueError, match=r"frames of 16000×16000 pixels are too large for a fi"
        ):
            save_walk(tmp_path / name, loaded, "0-1", options)
    with pytest.raises(ValueError, match=r"frames of 56000×38000 pixels are too large for a film"):
        save_history(tmp_path / "a.mp4", find_samples(folder), scale=1000)


def test_a_gif_has_at_most_50_frames_a_second(tmp_path, folder, capsys):
    loaded = LoadedGenerator(folder / "generator.h5", load_generator(folder / "generator.h5"))
    film = save_walk(tmp_path / "a.gif", loaded, "0-1", FilmOptions(seconds=1, fps=60, scale=1))
    assert (film.frames, film.seconds) == (50, 1)
    assert "a GIF of 60 frames a second plays at 10 in browsers; written with 50" in (
        capsys.readouterr().out
    )
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 50 and gif.info["duration"] == 20
    assert save_walk(tmp_path / "a.mp4", loaded, "0-1", FilmOptions(1, 60, 1)).frames == 60
