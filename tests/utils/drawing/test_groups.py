"""Categorical latents: which generators have them, and what is drawn with them."""

import keras
import numpy as np
import pytest
from PIL import Image

from models.training.outputs import save_network
from models.WGANGP import WGANGP
from tests.helpers.graphs import graph_generator
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY
from tests.helpers.tables import line_generator, line_picture, masked
from utils.drawing.latents import draw, latent_groups, seed_latents, truncate
from utils.drawing.walks import mix, orbit, walk

MASK = [[0.0] * 8, [0.0] * 3 + [-1e9] + [0.0] * 4, [-1e9] + [0.0] * 7]


def test_which_generators_have_categorical_latents():
    assert latent_groups(WGANGP(**TINY).generator) is None
    table = latent_groups(line_generator())
    assert table.shape == (3, 8) and table.scale == 1e4 and not table.gaussian
    assert table.allowed.all() and not table.offsets.any()
    both = latent_groups(graph_generator())
    assert both.shape == (2, 4) and both.scale == 100 and both.gaussian
    with_mask = latent_groups(masked(line_generator(), MASK))
    assert np.argwhere(~with_mask.allowed).tolist() == [[1, 3], [2, 0]]
    assert with_mask.offsets[1, 3] == -1e5


def test_layers_that_only_look_like_a_choice():
    def network(scale, axis, shape=(2, 4)):
        z = keras.Input((8,))
        x = keras.layers.Rescaling(scale)(keras.layers.Reshape(shape)(z))
        x = keras.layers.Flatten()(keras.layers.Softmax(axis)(x))
        return keras.Model(z, keras.layers.Reshape((2, 4, 1))(x))

    assert latent_groups(network(100, -1)).shape == latent_groups(network(100, 2)).shape == (2, 4)
    assert latent_groups(network(4, -1)) is None  # soft
    assert latent_groups(network(100, 1)) is None  # over the groups
    assert latent_groups(network(100, -1, (2, 2, 2))) is None


def test_the_choice_is_what_the_generator_draws():
    for generator in (line_generator(), masked(line_generator(), MASK)):
        z = seed_latents(list(range(20)), 24)
        choice = latent_groups(generator).chosen(z)
        expected = np.stack([line_picture(variants) for variants in choice])
        assert np.array_equal(draw(generator, z), expected)
    cut = z.reshape(20, 3, 8)
    assert (cut.argmax(2)[:, 1] == 3).any() and not (choice[:, 1] == 3).any()
    assert np.array_equal(choice[:, 0], cut.argmax(2)[:, 0])


def test_latents_for_a_choice_are_those_of_the_seed_in_another_order():
    generator = masked(line_generator(), MASK)
    groups, z = latent_groups(generator), seed_latents(list(range(8)), 24)
    choice = np.stack([np.arange(8), np.full(8, 4), 1 + np.arange(8) % 7], axis=1)
    chosen = groups.choose(z, choice)
    assert chosen.dtype == np.float32 and np.array_equal(groups.chosen(chosen), choice)
    assert np.array_equal(np.sort(chosen.reshape(8, 3, 8)), np.sort(z.reshape(8, 3, 8)))
    expected = np.stack([line_picture(variants) for variants in choice])
    assert np.array_equal(draw(generator, chosen), expected)


def test_held_latents_change_as_little_as_possible():
    groups = latent_groups(line_generator(2))
    z = np.array([[0.5, 1.5, 2, 0, 1, 1]], np.float32)
    held = groups.hold(z, np.array([[0, 0, 1]]))
    # 32 of the softmax's logits are 0.0032 of the latents.
    assert np.allclose(held, [[1.5032, 1.5, 2, 0, 1, 1.0032]], atol=1e-6)


def shares(groups, z):
    """The softmax of the levels: how much of each variant is drawn, (n, groups, variants)."""
    logits = groups.scale * (groups.levels(z) - groups.levels(z).max(2, keepdims=True))
    return np.exp(logits) / np.exp(logits).sum(2, keepdims=True)


def test_in_a_walk_one_group_after_another_fades_into_its_new_variant():
    generator = line_generator()
    groups = latent_groups(generator)
    z = seed_latents([3, 8], 24)
    old, new = groups.chosen(z)
    assert (old != new).all()
    assert np.array_equal(walk(z, [0, 1], groups=groups), z)
    for group in range(3):  # in the middle of its change, half of each variant
        (half,) = shares(groups, walk(z, [(2 * group + 1) / 6], groups=groups))
        expected = np.zeros((3, 8))
        for other in range(3):
            expected[other, (new if other < group else old)[other]] = 1
        expected[group] = 0
        expected[group, [old[group], new[group]]] = 0.5
        assert np.allclose(half, expected, atol=2e-3)  # float32 of a latent, times 10⁴
    # Frames between two changes are whole pictures.
    drawn = draw(generator, walk(z, [1 / 3, 2 / 3], groups=groups))
    assert np.array_equal(drawn[0], line_picture([new[0], old[1], old[2]]))
    assert np.array_equal(drawn[1], line_picture([new[0], new[1], old[2]]))


def test_the_pace_of_a_change_is_the_easing():
    groups = latent_groups(line_generator())
    z = seed_latents([3, 8], 24)
    new = groups.chosen(z)[1, 0]
    # The first change lasts from 0.1 to 0.9 of a third of the time; this is a quarter of it.
    for easing, share in (("linear", 0.25), ("smooth", 3 / 16 - 2 / 64)):
        (quarter,) = shares(groups, walk(z, [0.3 / 3], easing=easing, groups=groups))
        assert abs(quarter[0, new] - share) < 2e-3


def test_groups_that_stay_take_no_time():
    groups = latent_groups(line_generator())
    z = seed_latents([3, 3], 24)
    choice = groups.chosen(z)
    choice[1, 1] = (choice[0, 1] + 1) % 8
    z[1] = groups.choose(z[1:], choice[1:])[0]
    (half,) = shares(groups, walk(z, [0.5], groups=groups))
    assert np.allclose(half[1, choice[:, 1]], 0.5, atol=2e-3)
    assert np.array_equal(half.max(1).round(2), [1, 0.5, 1])


def test_gaussian_latents_move_on_the_sphere_without_a_jump():
    groups = latent_groups(graph_generator())
    z = seed_latents([1, 2], 8)
    assert (groups.chosen(z)[0] != groups.chosen(z)[1]).any()
    times = np.linspace(0, 1, 4001)
    path, plain = walk(z, times, groups=groups), walk(z, times)
    assert np.abs(np.diff(path, axis=0)).max() < groups.margin  # 0.32; a jump would be about 1
    kept = np.isclose(path, plain, atol=1e-6).reshape(-1, 2, 4)
    assert kept.sum(2).min() >= 2  # at most the old and the new variant of a group are moved
    drawn = graph_generator().predict(path[::10], verbose=0)
    assert np.abs(np.diff(drawn, axis=0)).max() < 0.3 * np.ptp(drawn)


def test_an_orbit_changes_a_share_of_the_groups_and_returns():
    generator = masked(line_generator(), MASK)
    groups, (z,) = latent_groups(generator), seed_latents([7], 24)
    old = groups.chosen(z)[0]
    for radius, changed in ((0, 0), (0.3, 1), (0.5, 2), (1, 3)):
        choice = groups.chosen(orbit(z, np.arange(12) / 12, radius, 7, groups))
        assert (choice[6] != old).sum() == changed and (choice[0] == old).all()
        assert ((choice == old) | (choice == choice[6])).all()
        assert groups.allowed[np.arange(3), choice].all()
    at_rest = orbit(z, [0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1], 1, 7, groups)
    far, choice = groups.chosen(at_rest)[3], groups.chosen(at_rest)
    assert (choice == far).sum(1).tolist() == [0, 1, 2, 3, 2, 1, 0]
    assert np.array_equal(choice[1] == far, choice[4] != far)  # the first returns first
    assert np.array_equal(draw(generator, at_rest), [line_picture(variants) for variants in choice])
    assert not np.array_equal(far, groups.chosen(orbit(z, [0.5], 1, 8, groups))[0])


def test_a_mixture_takes_each_group_from_one_seed_by_weight():
    generator = line_generator()
    groups, z = latent_groups(generator), seed_latents([3, 8], 24)
    chosen = groups.chosen(z)
    assert (chosen[0] != chosen[1]).all()
    for weights, seeds in (([1, 1], [0, 1, 0]), ([1, 2], [1, 0, 1]), ([0, 5], [1, 1, 1])):
        mixture = mix(z, weights, groups)
        assert mixture.dtype == np.float32
        expected = line_picture(chosen[seeds, range(3)])
        assert np.array_equal(draw(generator, mixture[None])[0], expected)
    with pytest.raises(ValueError, match="weights: expected none below 0, because this generator"):
        mix(z, [2, -1], groups)


def test_truncation_keeps_the_choice_and_shortens_the_rest():
    z = seed_latents([1, 2, 3], 8)
    both = latent_groups(graph_generator())
    for factor in (0, 0.001, 0.5, 3):
        shorter = truncate(z, factor, both)
        assert np.array_equal(both.chosen(shorter), both.chosen(z))
        moved = ~np.isclose(shorter, factor * z)
        assert moved.reshape(3, 2, 4).sum(2).max() <= 1
        assert shares(both, shorter).max(2).min() > 0.999  # no mixture
    assert np.array_equal(truncate(z, 1, both), z)
    only_groups = latent_groups(line_generator())
    assert np.array_equal(truncate(seed_latents([1], 24), 0, only_groups), seed_latents([1], 24))
    assert np.array_equal(truncate(z, 0.5), z / 2)


def line(folder, line, monkeypatch):
    monkeypatch.chdir(folder)
    assert run_here(f"generate.py {line} --generator g.h5".split(), monkeypatch) == 0


def test_commands_draw_frames_that_can_be_drawn_again(tmp_path, monkeypatch, capsys):
    save_network(line_generator(), tmp_path / "g.h5")
    line(tmp_path, "walk --seeds 3,8 --fps 4 --out frames", monkeypatch)
    assert "frames: 12 frames, 3 s;" in capsys.readouterr().out  # a second for each group
    with np.load(tmp_path / "frames" / "latents.npz") as file:
        latents = file["latents"]
    drawn = draw(line_generator(), latents)
    assert not np.array_equal(drawn[5], drawn[6])
    frame = tmp_path / "frames" / "frame_00005.png"
    assert np.array_equal(np.asarray(Image.open(frame))[::64, ::64], drawn[5])
    assert run_here(["generate.py", "again", str(frame), "--generator", "g.h5"], monkeypatch) == 0
    assert "the same pixels" in capsys.readouterr().out


def test_a_factor_without_effect_is_said_in_one_line(tmp_path, monkeypatch, capsys):
    save_network(line_generator(), tmp_path / "g.h5")
    line(tmp_path, "images --seeds 7 --truncation 0 --out zero", monkeypatch)
    generator, truncation, _ = capsys.readouterr().out.splitlines()
    assert generator.startswith("Generator: ")
    assert truncation.startswith("--truncation 0 changes nothing: each group of this generator's ")
    line(tmp_path, "images --seeds 7 --out one", monkeypatch)
    assert "truncation" not in capsys.readouterr().out
    zero, one = (Image.open(tmp_path / name / "seed_7.png") for name in ("zero", "one"))
    assert np.array_equal(zero, one)
    line(tmp_path, "mix --seeds 3,8 --out mix.png", monkeypatch)
    assert "mix.png: the mixture" in capsys.readouterr().out
