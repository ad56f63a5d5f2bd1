"""Exports, each opened by the program it is for and compared with Keras; and their cards."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from models.networks.fast import build_fast_generator
from models.networks.shapes import Fast
from models.training import outputs
from models.WGANGP import WGANGP
from tests.helpers import DATA, ROOT
from tests.helpers.graphs import graph_generator
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY
from tests.helpers.tables import line_generator, line_picture, masked
from utils.drawing.latents import seed_latents
from utils.generator.card import export_with_card, write_card
from utils.generator.export import FORMATS, export_generator, format_of, megabytes, usage
from utils.generator.load import load_generator

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="exports are written on TensorFlow"
)


@pytest.fixture(scope="module")
def generators(tmp_path_factory):
    """A folder with four generators: ours, by Keras 2, with layers that ours lacks, a graph."""
    folder = tmp_path_factory.mktemp("generators")
    WGANGP(**TINY | {"generator_upsample": [2, 1], "generator_conv_strides": [1, 2]}).save_model(
        folder
    )
    z = x = keras.Input((6,))
    for layer in (
        keras.layers.Dense(3 * 3 * 4, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Reshape((3, 3, 4)),
        keras.layers.UpSampling2D((2, 3), interpolation="bilinear"),
        keras.layers.Dropout(0.5),
        keras.layers.Conv2D(6, 3, padding="same", activation="silu"),
        keras.layers.Conv2DTranspose(4, 4, strides=2, padding="valid", activation="elu"),
        keras.layers.BatchNormalization(),
        keras.layers.UpSampling2D(2, interpolation="nearest"),
        keras.layers.Conv2D(1, 2, activation="tanh", use_bias=False),
    ):
        x = layer(x)
    outputs.save_network(keras.Model(z, x, name="odd"), folder / "odd.h5")
    shutil.copy(DATA / "keras2_functional.h5", folder / "keras2.h5")
    outputs.save_network(graph_generator(), folder / "graph.h5")
    return folder


def executed(code, folder, monkeypatch):
    """Runs the five lines of a card in a folder and returns their variables."""
    monkeypatch.chdir(folder)
    variables = {}
    exec(code, variables)
    return variables


@pytest.mark.parametrize("name", ["generator", "odd", "keras2", "graph"])
@pytest.mark.parametrize("format", [name for name in FORMATS if name != "npz"])
def test_an_export_draws_what_keras_draws(format, name, generators, tmp_path, monkeypatch):
    if format == "tflite":
        pytest.importorskip("ai_edge_litert")
    elif format.startswith("onnx"):
        pytest.importorskip("onnxruntime")
    generator = load_generator(generators / f"{name}.h5")
    z_dim = generator.input_shape[1]
    export = f"g{FORMATS[format].suffix}"
    export_generator(generator, tmp_path / export, format)
    code = usage(format, export, z_dim)
    assert len(code.splitlines()) == 5
    images = executed(code, tmp_path, monkeypatch)["images"]
    expected = np.asarray(generator(seed_latents([7], z_dim)))
    allowed = 2e-2 * 2 if format == "onnx-float16" else 1e-4
    assert images.dtype == np.float32 and images.shape == expected.shape
    assert np.abs(images - expected).max() < allowed and np.ptp(expected) > 1e-3
    batch = executed(code.replace(f"(1, {z_dim})", f"(5, {z_dim})"), tmp_path, monkeypatch)
    expected = np.asarray(generator(batch["z"]))
    assert batch["images"].shape == expected.shape
    assert np.abs(batch["images"] - expected).max() < allowed


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "npz"])
def test_an_export_of_a_masked_generator_draws_the_same_pixels(format, tmp_path, monkeypatch):
    if format == "tflite":
        pytest.importorskip("ai_edge_litert")
    elif format.startswith("onnx"):
        pytest.importorskip("onnxruntime")
    offset = [[0.0] * 8, [0.0] * 3 + [-1e9] + [0.0] * 4, [-1e9] + [0.0] * 7]
    outputs.save_network(masked(line_generator(), offset), tmp_path / "masked.h5")
    export = f"g{FORMATS[format].suffix}"
    export_generator(load_generator(tmp_path / "masked.h5"), tmp_path / export, format)
    code = usage(format, export, 24).replace("(1, 24)", "(50, 24)").splitlines()
    code.insert(3, "z[0, :2] = 5, 5.0017  # less than float16 can tell apart")
    drawn = executed("\n".join(code), tmp_path, monkeypatch)
    assert np.diff(drawn["z"][0, :2].astype(np.float16)).tolist() == [0]
    levels = drawn["z"].reshape(-1, 3, 8) + np.array(offset)
    expected = np.stack([line_picture(choice) for choice in levels.argmax(2)])
    assert np.array_equal(drawn["pixels"], expected)


def test_half_precision_keeps_choices_beside_smooth_latents(tmp_path):
    generator = build_fast_generator(Fast(32, width=1 / 8, groups=4, variants=8))
    export_generator(generator, tmp_path / "g.onnx", "onnx-float16")
    z = seed_latents(list(range(64)), 32)
    z[:, 1] = z[:, 0] + np.float32(1e-4)  # the same number in float16
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(tmp_path / "g.onnx")
    (drawn,) = session.run(None, {"latents": z})
    expected = keras.ops.convert_to_numpy(generator(z))
    assert np.abs(drawn - expected).max() < 0.02


def test_a_layer_that_another_program_computes_differently_is_refused(tmp_path):
    z = x = keras.Input((6,))
    for layer in (
        keras.layers.Reshape((1, 2, 3)),
        keras.layers.UpSampling2D(2, interpolation="bicubic", name="large"),
    ):
        x = layer(x)
    outputs.save_network(keras.Model(z, x), tmp_path / "cubic.h5")
    generator = load_generator(tmp_path / "cubic.h5", "tanh")
    for format in ("onnx", "onnx-float16"):
        with pytest.raises(
            ValueError, match="'large' enlarges by bicubic interpolation, which ONNX"
        ):
            export_generator(generator, tmp_path / "g.onnx", format)
    with pytest.raises(ValueError, match="a layer that TFLite cannot compute without TensorFlow"):
        export_generator(generator, tmp_path / "g.tflite", "tflite")
    assert [file.name for file in tmp_path.iterdir()] == ["cubic.h5"]


def test_float16_is_half_the_size(tmp_path):
    generator = load_generator(DATA / "lines64_best" / "generator.h5")
    export_generator(generator, tmp_path / "a.onnx", "onnx")
    export_generator(generator, tmp_path / "b.onnx", "onnx-float16")
    assert megabytes(tmp_path / "b.onnx") < 0.51 * megabytes(tmp_path / "a.onnx")
    both = megabytes(tmp_path / "a.onnx") + megabytes(tmp_path / "b.onnx")
    assert megabytes(tmp_path) == pytest.approx(both) and 3 < both < 6


def test_the_arrays_and_their_description_suffice_to_draw(tmp_path):
    """A generator in numpy, written by hand from the `.npz` and its `.json`, draws the same."""
    gan = WGANGP(**TINY, initial_weights="he")
    export_generator(gan.generator, tmp_path / "g.npz", "npz")
    about = json.loads((tmp_path / "g.json").read_text())
    x = seed_latents([7], 5)
    with np.load(tmp_path / "g.npz", allow_pickle=False) as weights:
        for before, layer in zip(["latents", *about["layers"]], about["layers"], strict=False):
            arrays = {name: weights[f"{layer['name']}/{name}"] for name in layer["weights"]}
            x = BY_HAND[layer["kind"]](x, layer["settings"], arrays)
            assert layer["inputs"] == [before if before == "latents" else before["name"]]
    assert about["images"] == ["batch", 16, 16, 3] and about["latents"] == ["batch", 5]
    assert np.abs(x - np.asarray(gan.generator(seed_latents([7], 5)))).max() < 1e-4


def test_the_description_of_a_graph_names_the_inputs_of_every_layer(tmp_path):
    export_generator(graph_generator(), tmp_path / "g.npz", "npz")
    layers = json.loads((tmp_path / "g.json").read_text())["layers"]
    inputs = {layer["name"]: layer["inputs"] for layer in layers}
    assert inputs["groups"] == ["latents"] and inputs["both"] == ["one_hot", "latents"]
    assert inputs["logits"] == ["rows_shape", "columns_shape"]
    assert layers[-1]["name"] == "generator_palette"
    written = set()
    for layer in layers:  # each after its inputs
        assert {*layer["inputs"]} <= written | {"latents"}
        written.add(layer["name"])


def _normalised(x, settings, w):
    scale = w["gamma"] / np.sqrt(w["moving_variance"] + settings["epsilon"])
    return (x - w["moving_mean"]) * scale + w["beta"]


def _transposed(x, settings, w):
    """Each pixel adds the kernel, times its value, to the output; the rim is cut off evenly."""
    (_, height, width, _), stride, size = (
        x.shape,
        settings["strides"][0],
        settings["kernel_size"][0],
    )
    output = np.zeros((1, height * stride + size, width * stride + size, settings["filters"]))
    for i in range(height):
        for j in range(width):
            part = output[0, i * stride : i * stride + size, j * stride : j * stride + size]
            part += w["kernel"] @ x[0, i, j]
    rim = (size - stride) // 2
    return output[:, rim : rim + height * stride, rim : rim + width * stride] + w["bias"]


BY_HAND = {
    "Dense": lambda x, _, w: x @ w["kernel"] + w["bias"],
    "Reshape": lambda x, settings, _: x.reshape(-1, *settings["target_shape"]),
    "BatchNormalization": _normalised,
    "LeakyReLU": lambda x, settings, _: np.where(x > 0, x, settings["negative_slope"] * x),
    "Conv2DTranspose": _transposed,
    "Activation": lambda x, settings, _: np.tanh(x),
}


def test_a_full_disk_while_tensorflow_writes_is_one_line(tmp_path, monkeypatch):
    generator = WGANGP(**TINY).generator

    class ResourceExhaustedError(Exception):
        """TensorFlow's, by its name."""

    def fill(*arguments, **options):
        raise ResourceExhaustedError("No space left on device [Op:SaveV2]")

    monkeypatch.setattr("utils.generator.export._export", fill)
    with pytest.raises(OSError, match=r"mine could not be written \(No space left on device\)"):
        export_generator(generator, tmp_path / "mine", "savedmodel")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_holds_something_or_does_not_fit_the_format_is_refused(tmp_path):
    generator = WGANGP(**TINY).generator
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "drawing.png").touch()
    with pytest.raises(ValueError, match="mine: is there already; expected the name of a new fol"):
        export_generator(generator, tmp_path / "mine", "savedmodel")
    for path, format, message in (
        ("g.onnx", "tflite", "expected a file that ends in .tflite for the format tflite"),
        ("g.h5", "savedmodel", "expected a folder without a suffix for the format savedmodel"),
        ("g.onnx", "pdf", "expected one of onnx, onnx-float16, tflite, savedmodel, keras, npz"),
    ):
        with pytest.raises(ValueError, match=message):
            export_generator(generator, tmp_path / path, format)
    assert [file.name for file in tmp_path.rglob("*")] == ["mine", "drawing.png"]
    assert [format_of(name) for name in ("a.NPZ", "a", "b/a.onnx")] == ["npz", "savedmodel", "onnx"]


def test_other_frameworks_name_the_one_that_writes_the_format(tmp_path, monkeypatch):
    generator = WGANGP(**TINY).generator
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="written on TensorFlow only: set KERAS_BACKEND=te"):
        export_generator(generator, tmp_path / "g.onnx", "onnx")


def test_the_card_says_what_the_run_left_and_no_more(run, tmp_path, monkeypatch, capsys):
    _, folder = run
    line = f"generate.py export --generator {folder / 'generator.h5'} --out {tmp_path / 'g.keras'}"
    assert run_here(line.split(), monkeypatch) == 0
    assert f"g.keras: keras, 0.0 MB; what it is and five lines to use it: {tmp_path}/card.md" in (
        capsys.readouterr().out
    )
    card = (tmp_path / "card.md").read_text()
    for text in (
        "| draws | RGB images of 16×16 pixels, in [-1, 1], from `latents`: 5 numbers each",
        f"| parameters | {run[0].generator.count_params():,} |",
        "| data | `tiny.zip`, fingerprint ",
        "generator_conv_filters [4, 3]",
        "| trained | 5 epochs (updates of the generator) |",
        "| scores | not known; `python evaluate.py --generator ",
        usage("keras", "g.keras", 5),
    ):
        assert text in card
    (code,) = (part.split("```")[0] for part in card.split("```python\n")[1:])
    pixels = executed(code, tmp_path, monkeypatch)["pixels"]
    assert pixels.shape == (1, 16, 16, 3) and pixels.dtype == np.uint8


def test_a_card_never_overwrites_another_one(tmp_path):
    generator = WGANGP(**TINY).generator
    bare = tmp_path / "elsewhere" / "generator.h5"  # a folder without the files of a run
    (tmp_path / "card.md").write_text("my own")
    names = [
        write_card(tmp_path / n, generator, bare, "keras").name for n in ("a.keras", "a.keras")
    ]
    assert names == ["a.keras.card.md"] * 2 and (tmp_path / "card.md").read_text() == "my own"
    (tmp_path / "card.md").unlink()
    cards = [
        write_card(tmp_path / name, generator, bare, "keras") for name in ("b.keras", "c.keras")
    ]
    assert [card.name for card in cards] == ["card.md", "c.keras.card.md"]
    assert write_card(tmp_path / "b.keras", generator, bare, "keras") == Path(cards[0])
    assert cards[0].read_text().count("| not known |") == 3


HUB = """\
---
license: other  # yours to state: see huggingface.co/docs/hub/repositories-licenses
license_name: not-stated
library_name: keras
pipeline_tag: unconditional-image-generation
tags:
- gan
- wgan-gp
---
<!-- generate.py export: g.keras -->
# g.keras
"""


def test_a_card_begins_with_what_hugging_face_reads(tmp_path):
    generator, source = WGANGP(**TINY).generator, tmp_path / "generator.h5"
    card = write_card(tmp_path / "g.keras", generator, source, "keras")
    first = card.read_text()
    assert first.startswith(HUB) and "whatever its maker says" in first
    for format in FORMATS:
        other = write_card(tmp_path / "o", generator, source, format).read_text()
        expected = {"tflite": "litert", "savedmodel": "tensorflow", "npz": "numpy"}
        library = expected.get(format, format.removesuffix("-float16"))
        assert f"\nlibrary_name: {library}\n" in other
    assert write_card(tmp_path / "g.keras", generator, source, "keras") == card
    assert card.read_text() == first


def test_a_licence_that_its_maker_stated_is_kept(tmp_path):
    """In the generator's own card, or by hand in the card of an earlier export."""
    generator, source = WGANGP(**TINY).generator, tmp_path / "run" / "generator.h5"
    source.parent.mkdir()
    own = source.with_name("card.md")
    own.write_text("---\nlicense: cc-by-4.0\ntags:\n- mine\n---\n# Mine\n")
    card = write_card(tmp_path / "g.keras", generator, source, "keras")
    text = card.read_text()
    assert text.startswith("---\nlicense: cc-by-4.0\nlibrary_name: keras\n")
    assert "| licence | the program: MIT. The generator: cc-by-4.0 |" in text
    assert text.endswith("## The generator's own card\n\n# Mine\n") and text.count("tags:") == 1
    card.write_text(HUB.replace("other  # yours", "cc0-1.0  # mine"))
    text = write_card(tmp_path / "g.keras", generator, source, "keras").read_text()
    assert text.startswith("---\nlicense: cc0-1.0\nlibrary_name: keras\n")
    own.write_text("---\nlicense: [a, b]\n  - evil: |\n---\n# Mine\n")
    card.unlink()
    assert write_card(tmp_path / "g.keras", generator, source, "keras").read_text().startswith(HUB)
    card.write_text("<!-- generate.py export: g.keras -->\n# g.keras\n")  # of an earlier version
    assert write_card(tmp_path / "g.keras", generator, source, "keras") == card


def test_the_card_that_is_shipped_states_the_licence_of_the_project():
    card = (ROOT / "run" / "gan" / "0000_lines64" / "card.md").read_text()
    assert card.startswith("---\nlicense: mit\nlibrary_name: keras\n")
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_a_card_says_what_a_table_knows(tmp_path):
    generator = graph_generator()
    params = {"model": {"networks": "places", "things": 3}}
    (tmp_path / "params.json").write_text(json.dumps(params))
    card = write_card(tmp_path / "g.onnx", generator, tmp_path / "generator.h5", "onnx").read_text()
    assert "| knows | that its images are made of rows and columns, show 3 independent" in card
    (tmp_path / "params.json").write_text("{}")
    card = write_card(tmp_path / "g.onnx", generator, tmp_path / "generator.h5", "onnx").read_text()
    assert "| knows |" not in card


def test_the_card_of_the_shipped_generator_has_its_scores_and_its_own_card(tmp_path):
    source = DATA / "lines64_best" / "generator.h5"
    card = write_card(tmp_path / "g.onnx", load_generator(source), source, "onnx").read_text()
    assert "| scores | of 10000 images: validity 0.0432, " in card
    assert "| trained | 80,000 epochs, as planned |" in card
    assert card.endswith((source.parent / "card.md").read_text())


def test_an_export_and_its_card_are_one_call(tmp_path):
    generator = WGANGP(**TINY).generator
    card = export_with_card(generator, tmp_path / "generator.h5", tmp_path / "g.npz")
    assert card == tmp_path / "card.md"
    assert f"| exported from | `{tmp_path.name}/generator.h5`, as npz |" in card.read_text()
    assert str(tmp_path) not in card.read_text()  # others need not know where it lay
    assert {file.name for file in tmp_path.iterdir()} == {"card.md", "g.json", "g.npz"}
    export_with_card(generator, tmp_path / "generator.h5", tmp_path / "h.onnx", "onnx-float16")
    assert "as onnx-float16 |" in (tmp_path / "h.onnx.card.md").read_text()
    with pytest.raises(ValueError, match=r"g\.pdf: expected a name that ends in \.keras, \.npz"):
        export_with_card(generator, tmp_path / "generator.h5", tmp_path / "g.pdf")


def test_a_run_of_one_epoch_has_one_epoch_on_its_card(tmp_path):
    (tmp_path / "losses.csv").write_text("epoch,critic\n0,1\n")
    source = tmp_path / "generator.h5"
    card = write_card(tmp_path / "g.npz", WGANGP(**TINY).generator, source, "npz")
    assert "| trained | 1 epoch (updates of the generator) |" in card.read_text()


def test_the_formats_are_known_before_a_framework_is_loaded():
    """A command line lists them, and refuses an unknown suffix, at once."""
    code = (
        "import sys; from utils.generator import FORMATS, export_with_card, format_of\n"
        "assert [format_of(f'g{format.suffix}') for format in FORMATS.values()]\n"
        "print({'keras', 'tensorflow', 'torch', 'jax', 'onnx'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("set()\n", "", 0)
