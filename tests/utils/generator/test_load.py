"""Files by Keras 2 draw the same images as there; each kind of hostile file is refused by name."""

import json
import os
import struct

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from models.networks.tables import build_strip_critic, build_table_generator
from models.networks.weights import initialise
from models.training.outputs import save_network
from tests.helpers import DATA
from tests.helpers.graphs import every_kind, graph_generator, with_weights
from tests.helpers.hostile import altered, assert_refused
from tests.helpers.tables import line_generator, line_picture, masked
from utils.drawing.latents import draw, seed_latents
from utils.generator import load
from utils.generator.layers import KINDS
from utils.generator.load import load_critic, load_generator


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_a_generator_of_keras_2_draws_the_same_images(kind):
    expected = np.load(DATA / f"keras2_{kind}.npz")
    generator = load_generator(DATA / f"keras2_{kind}.h5")
    images = keras.ops.convert_to_numpy(generator(expected["z"]))
    assert expected["images"].shape == (4, 16, 16, 3) and expected["images"].std() > 0.3
    assert np.abs(images - expected["images"]).max() < 1e-5


def test_layers_keep_their_names_and_settings():
    generator = load_generator(DATA / "keras2_functional.h5")
    by_name = {layer.name: layer for layer in generator.layers}
    assert by_name["leaky_re_lu"].negative_slope == pytest.approx(0.2)
    assert by_name["batch_normalization_1"].epsilon == 0.01
    assert by_name["dropout"].rate == 0.3 and by_name["conv2d"].activation.__name__ == "leaky_relu"


def test_masked_variants_are_drawn_neither_here_nor_in_plain_keras(tmp_path):
    """The offset of Rescaling is a nested list, and its 0 and −10⁹ come back as they were."""
    offset = [[0.0] * 8, [0.0] * 3 + [-1e9] + [0.0] * 4, [-1e9] + [0.0] * 7]
    save_network(masked(line_generator(), offset), tmp_path / "masked.h5")
    ours = load_generator(tmp_path / "masked.h5")
    plain = keras.saving.load_model(tmp_path / "masked.h5", compile=False)
    z = seed_latents(list(range(30)), 24)
    levels = z.reshape(-1, 3, 8) + np.array(offset)
    expected = np.stack([line_picture(choice) for choice in levels.argmax(2)])
    assert not np.array_equal(draw(line_generator(), z), expected)
    for network in (ours, plain):
        assert np.array_equal(draw(network, z), expected)
        assert network.get_layer("generator_sharpen").get_config()["offset"] == offset


def test_a_graph_draws_the_same_images_here_and_in_plain_keras(tmp_path):
    network = graph_generator()
    network.get_layer("norm").moving_mean.assign(np.linspace(-1, 1, 30))
    save_network(network, tmp_path / "graph.h5")
    z = np.random.default_rng(0).standard_normal((5, 8), np.float32)
    expected = network.predict(z, verbose=0)
    assert np.ptp(expected) > 0.1
    assert np.allclose(load_generator(tmp_path / "graph.h5").predict(z, verbose=0), expected)
    plain = keras.saving.load_model(tmp_path / "graph.h5", compile=False)
    assert np.allclose(plain.predict(z, verbose=0), expected)


def test_the_networks_of_tables_and_strips_open_here_and_in_plain_keras(tmp_path):
    palette = np.array([[0, 0, 0], [255, 255, 255], [200, 30, 20]], np.uint8)
    generator = build_table_generator((8, 12, 3), 2, 4, palette)
    for thing in range(2):  # random ones may be fainter than the paper
        colours = generator.get_layer(f"generator_colours_{thing}").kernel
        colours.assign(np.full(colours.shape, 9.0) * [1, 2])
    critic = build_strip_critic((8, 12, 3))
    initialise((critic,), 0, "he")
    rng = np.random.default_rng(0)
    z, images = rng.standard_normal((5, 16)), rng.uniform(-1, 1, (5, 8, 12, 3))
    for network, opened, inputs in (
        (generator, load_generator, z.astype(np.float32)),
        (critic, load_critic, images.astype(np.float32)),
    ):
        path = tmp_path / f"{network.name}.h5"
        save_network(network, path)
        expected = network.predict(inputs, verbose=0)
        assert np.ptp(expected) > 0.1
        assert np.allclose(opened(path).predict(inputs, verbose=0), expected, atol=1e-6)
        plain = keras.saving.load_model(path, compile=False)
        assert np.allclose(plain.predict(inputs, verbose=0), expected, atol=1e-6)


def test_no_setting_of_any_layer_is_lost_when_a_network_is_saved(tmp_path):
    network = every_kind()
    assert {type(layer).__name__ for layer in network.layers} == KINDS.keys()
    save_network(network, tmp_path / "generator.h5")
    z = np.random.default_rng(0).standard_normal((5, 8), np.float32)
    expected = network.predict(z, verbose=0)
    assert np.ptp(expected) > 0.5
    ours = load_generator(tmp_path / "generator.h5")
    plain = keras.saving.load_model(tmp_path / "generator.h5", compile=False)
    for opened in (ours, plain):
        assert np.allclose(opened.predict(z, verbose=0), expected, atol=1e-5)
        for layer, original in zip(opened.layers[1:], network.layers[1:], strict=True):
            before, after = original.get_config(), layer.get_config()
            for setting in KINDS[type(layer).__name__].settings.keys() & before.keys():
                assert after[setting] == before[setting], (layer.name, setting)


def test_no_setting_of_a_network_in_a_network_is_lost(tmp_path):
    pooling = layers.MaxPooling2D((1, 3), strides=1)
    inner = keras.Sequential([layers.Input((4, 4, 3)), pooling, layers.Activation("tanh")])
    z = keras.Input((8,))
    x = layers.Reshape((4, 4, 3))(layers.Dense(48)(z))
    network = with_weights(keras.Model(z, inner(x), name="generator"))
    save_network(network, tmp_path / "generator.h5")
    z = np.random.default_rng(0).standard_normal((5, 8), np.float32)
    expected = network.predict(z, verbose=0)
    assert expected.shape == (5, 4, 2, 3)
    plain = keras.saving.load_model(tmp_path / "generator.h5", compile=False)
    for opened in (load_generator(tmp_path / "generator.h5"), plain):
        assert np.allclose(opened.predict(z, verbose=0), expected, atol=1e-6)


def test_a_setting_that_is_not_known_is_not_dropped_in_silence(tmp_path):
    z = keras.Input((8,))
    x = layers.Reshape((4, 4, 3))(layers.Dense(48)(z))
    odd = layers.Conv2D(3, 1, data_format="channels_last", name="odd")
    network = keras.Model(z, odd(x))
    odd.get_config = lambda: keras.layers.Conv2D.get_config(odd) | {"later": 0.5, "unused": None}
    save_network(network, tmp_path / "generator.h5")
    with h5py.File(tmp_path / "generator.h5") as file:
        described = json.loads(file.attrs["model_config"])["config"]["layers"][-1]["config"]
    assert described["later"] == 0.5 and "unused" not in described
    with pytest.raises(ValueError, match=r"'odd' .* has later = 0\.5, which is not supported"):
        load_generator(tmp_path / "generator.h5")


def test_a_critic_scores_as_the_trained_network(run, monkeypatch):
    gan, folder = run
    critic = load_critic(folder / "critic.h5")
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3)).astype(np.float32)
    expected = gan.critic.predict(images, verbose=0)
    assert critic.name == "critic" and np.allclose(critic.predict(images, verbose=0), expected)
    monkeypatch.setattr(load, "_build", None)  # what is refused is not built
    with pytest.raises(
        ValueError, match=r"not a critic: it maps \(None, 5\) to \(None, 16, 16, 3\)"
    ):
        load_critic(folder / "generator.h5")
    with pytest.raises(ValueError, match=r"checkpoint_5.h5: holds no .* expected a critic.h5"):
        load_critic(folder / "weights" / "checkpoint_5.h5")
    with pytest.raises(FileNotFoundError, match=r"nix\.h5: no such file"):
        load_critic(folder / "nix.h5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "holds no Keras model"),
        ("[" * 100_000 + "]" * 100_000, "holds no Keras model"),
        ("3", "holds no Keras model"),
        ("[" + " " * 4 * 1024**2 + "]", "its description is longer than 4194304 characters"),
        (None, "holds no Keras model"),
        (7, "its attribute 'model_config' is not text"),
    ],
)
def test_text_that_describes_nothing_is_refused(tmp_path, monkeypatch, text, message):
    path = tmp_path / "text.h5"
    with h5py.File(path, "w") as file:
        if text is not None:
            file.attrs["model_config"] = text
    assert_refused(path, message, monkeypatch)


KERNEL = "model_weights/dense/dense/kernel:0"


def replaced(make):
    """Replaces the first kernel: `make` is called with the file and the old array."""

    def change(model, file):
        old = file[KERNEL][()]
        del file[KERNEL]
        make(file, old)

    return change


def external_link(file, old):
    with h5py.File(file.filename + ".other", "w") as other:
        other["kernel"] = old
    file[KERNEL] = h5py.ExternalLink(file.filename + ".other", "/kernel")


def soft_link(file, old):
    file["elsewhere"] = old
    file[KERNEL] = h5py.SoftLink("/elsewhere")


def external_storage(file, old):
    other = file.filename + ".raw"
    old.tofile(other)
    file.create_dataset(KERNEL, old.shape, old.dtype, external=[(other, 0, old.nbytes)])


def virtual(file, old):
    external_link(file, old)
    del file[KERNEL]
    layout = h5py.VirtualLayout(old.shape, old.dtype)
    layout[:] = h5py.VirtualSource(file.filename + ".other", "kernel", old.shape)
    file.create_virtual_dataset(KERNEL, layout)


def group_in_another_file(model, file):
    del file["model_weights"]
    file["model_weights"] = h5py.ExternalLink("other.h5", "/model_weights")


def group_in_itself(model, file):
    group = file["model_weights/dropout"]
    group["one"] = group["two"] = group


FILES = {
    "external link": (replaced(external_link), "is a link to '"),
    "soft link": (
        replaced(soft_link),
        "'model_weights/dense/dense/kernel:0' is a link to '/elsewhere'",
    ),
    "external group": (group_in_another_file, "is a link to 'other.h5 /model_weights'"),
    "external storage": (replaced(external_storage), "is compressed, in pieces or in another file"),
    "virtual array": (replaced(virtual), "is compressed, in pieces or in another file"),
    "compressed": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=old, compression="gzip")),
        "is compressed, in pieces or in another file",
    ),
    "array never written": (
        replaced(lambda file, old: file.create_dataset(KERNEL, (10**6, 10**6), "f4")),
        "'model_weights/dense/dense/kernel:0' claims (1000000, 1000000), and the file does "
        "not hold as much",
    ),
    "group in itself": (group_in_itself, "more than 5000 entries, or more than 16 in one another"),
    "text for numbers": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=b"x")),
        "is an array of object, not of numbers",
    ),
    "whole numbers": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=old.astype("i4"))),
        "kernel of its layer 'dense' is not an array of finite floats",
    ),
    "not finite": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=old * np.nan)),
        "kernel of its layer 'dense' is not an array of finite floats",
    ),
    "missing weights": (
        replaced(lambda file, old: None),
        "the weights of its layer 'dense' are {}; expected {'kernel': (5, 96)}",
    ),
    "other shape": (
        replaced(lambda file, old: file.create_dataset(KERNEL, data=old.T)),
        "the weights of its layer 'dense' are {'kernel': (96, 5)}; expected {'kernel': (5, 96)}",
    ),
    "weights too many": (
        lambda model, file: file.create_dataset("model_weights/dense/dense/lora:0", data=[1.0]),
        "expected {'kernel': (5, 96)}",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_hostile_file_is_refused_by_name(tmp_path, monkeypatch, kind):
    change, message = FILES[kind]
    assert_refused(altered(tmp_path, change), message, monkeypatch)


def test_arrays_that_share_their_bytes_cannot_claim_more_than_the_file(tmp_path, monkeypatch):
    def change(model, file):
        file["model_weights/big"] = np.zeros(100_000, np.float32)
        for i in range(3):
            file[f"model_weights/again{i}"] = file["model_weights/big"]

    path = altered(tmp_path, change)
    assert_refused(path, "its arrays claim more than the", monkeypatch)


def test_a_lambda_never_runs(tmp_path, monkeypatch):
    mark = str(tmp_path / "mark")

    def draw(x, mark=mark):
        open(mark, "w").close()
        return keras.ops.reshape(x, (-1, 1, 5, 1))

    z = keras.Input((5,))
    images = keras.layers.Lambda(draw)(z)
    model = keras.Model(z, images)
    os.remove(mark)
    model.save(tmp_path / "lambda.h5")
    assert_refused(
        tmp_path / "lambda.h5", "its layer 'Lambda' is unknown; expected one of", monkeypatch
    )
    assert not os.path.exists(mark)


def test_folders_damaged_files_and_files_of_more_than_1_gib_are_refused(tmp_path, monkeypatch):
    assert_refused(tmp_path, "is a folder; expected an HDF5 file", monkeypatch)
    for name, content in {"a.h5": b"", "b.h5": b"hello", "c.h5": b"PK\3\4"}.items():
        (tmp_path / name).write_bytes(content)
        assert_refused(tmp_path / name, "not an HDF5 file", monkeypatch)
    content = (DATA / "keras2_functional.h5").read_bytes()
    (tmp_path / "d.h5").write_bytes(content[: len(content) // 2])
    assert_refused(tmp_path / "d.h5", "not an HDF5 file, or a damaged one (", monkeypatch)
    with open(tmp_path / "e.h5", "wb") as file:
        file.write(content)
        file.truncate(2 * 1024**3)
    assert_refused(tmp_path / "e.h5", "2147483648 bytes, more than 1073741824", monkeypatch)
    with pytest.raises(FileNotFoundError, match=r"nix\.h5: no such file"):
        load_generator(tmp_path / "nix.h5")


def object_of_no_size(content):
    heap = content.index(b"GCOL")
    content[heap + 16 : heap + 32] = bytes(
        16
    )  # free space of size 0: the library never gets past it
    return heap


def tree_in_itself(content):
    tree = content.index(b"TREE")
    content[tree + 5] = 1  # a level above the names
    struct.pack_into("<Q", content, tree + 32, tree)
    return tree


def free_list_in_itself(content):
    heap = content.index(b"HEAP")
    size, offset, start = struct.unpack_from("<QQQ", content, heap + 8)
    assert 16 < offset < size
    struct.pack_into("<QQ", content, start + offset, offset, 16)
    return heap


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (object_of_no_size, "its heap at byte {} has an object of 0 bytes, or too many"),
        (tree_in_itself, "its tree at byte {} does not branch downwards"),
        (free_list_in_itself, "the free list of its heap at byte {} has no end"),
    ],
)
def test_structures_that_would_keep_hdf5_busy_for_ever_are_refused(
    tmp_path, monkeypatch, change, message
):
    content = bytearray((DATA / "keras2_functional.h5").read_bytes())
    position = change(content)
    (tmp_path / "endless.h5").write_bytes(content)
    assert_refused(tmp_path / "endless.h5", message.format(position), monkeypatch)


def test_a_file_of_newer_structures_is_refused(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "new.h5", "w", libver="latest") as file:
        file.attrs["model_config"] = "{}"
    assert_refused(
        tmp_path / "new.h5", "it holds a structure OHDR, which Keras never does", monkeypatch
    )
