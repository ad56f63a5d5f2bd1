"""The site without a browser: its files, the package that it draws with, the folder."""

import base64
import hashlib
import html
import io
import json
import re
import tarfile

import keras
import numpy as np
import pytest

from models.WGANGP import WGANGP
from tests.helpers.small import TINY
from utils.drawing.latents import principal_directions
from utils.files import new_folder
from utils.generator import web
from utils.generator.web import find_runtime, write_site


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A stand-in for the tarball of onnxruntime-web, which is accepted in its place."""
    path = tmp_path / "stand_in.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (*web.RUNTIME, "unused.js"):
            content = f"// {name}".encode()
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    monkeypatch.setattr(web, "SHA512", digest)
    return path


needs_tensorflow = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="ONNX is written on TensorFlow"
)


@needs_tensorflow
@pytest.mark.parametrize("float16", [False, True])
def test_a_site_holds_the_page_the_generator_and_the_runtime(tmp_path, package, float16):
    """Nothing but them, and a second site takes the place of the first."""
    generator, folder = WGANGP(**TINY).generator, tmp_path / "site"
    directions = np.arange(10, dtype=np.float32).reshape(2, 5) / 8
    for title in ("First", "Lines & <b>colours</b>"):
        write_site(generator, folder, title, directions, float16, package)
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    runtime = {f"runtime/{name}" for name in (*web.RUNTIME, "LICENSE.txt")}
    page = {file.name for file in web.PAGE.iterdir()} - {"runtime-LICENSE.txt"}
    assert files == page | runtime | {"site.json", "generator.onnx", "README.md", ".nojekyll"}
    assert (folder / "runtime" / web.RUNTIME[0]).read_text() == f"// {web.RUNTIME[0]}"
    index = (folder / "index.html").read_text(encoding="utf-8")
    assert f"<h1>{html.escape('Lines & <b>colours</b>')}</h1>" in index
    assert '<canvas id="canvas" width="16" height="16"' in index
    assert [f">{size} × {size}</option>" in index for size in (16, 64, 128, 256)] == [True] * 4
    readme = (folder / "README.md").read_text(encoding="utf-8")
    front_matter = '---\ntitle: "Lines & <b>colours</b>"\nsdk: static\napp_file: index.html\n'
    assert readme.startswith(front_matter)
    for file in ("index.html", "app.js", "style.css", "worker.js"):  # nothing from the root
        assert not re.search(r"""["']/(?!/)""", (folder / file).read_text(encoding="utf-8")), file
    about = json.loads((folder / "site.json").read_text())
    assert (about["z_dim"], about["channels"]) == (5, 3)
    assert np.array_equal(about["directions"], directions)
    assert [file.name for file in tmp_path.iterdir() if "part" in file.name] == []


@pytest.mark.parametrize("shape", [(2, 4), (5,)])
def test_directions_must_fit_the_latents(tmp_path, package, shape):
    generator = WGANGP(**TINY).generator
    with pytest.raises(ValueError, match=r"have the shape \(.*\); expected \(n, 5\)"):
        write_site(generator, tmp_path / "site", "", np.zeros(shape, np.float32), runtime=package)
    assert not (tmp_path / "site").exists()


def test_directions_are_those_of_the_first_layers_matrix():
    generator = WGANGP(**TINY).generator
    kernel = np.diag([1.0, 5.0, 3.0, 2.0, 4.0])[:, :, None].repeat(26, 2).reshape(5, 130)[:, :128]
    generator.layers[1].kernel.assign(kernel)
    directions = principal_directions(generator, 8)
    assert directions.shape == (5, 5) and directions.dtype == np.float32
    assert np.allclose(directions, np.eye(5)[[1, 4, 2, 3, 0]], atol=1e-3)


def test_only_the_pinned_runtime_is_accepted_and_kept(tmp_path, monkeypatch):
    """npm, missing or a stand-in, can fail or bring another file."""
    (tmp_path / "a.tgz").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"a.tgz: not onnxruntime-web@[0-9.]+ as it was published"):
        find_runtime(tmp_path / "a.tgz")
    with pytest.raises(FileNotFoundError, match=r"b.tgz: no such file; expected the .tgz of onnx"):
        find_runtime(tmp_path / "b.tgz")
    monkeypatch.setattr(web, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"install Node.js, or name the package's .tgz"):
        find_runtime(None)
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho npm error network >&2\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(OSError, match=r"npm could not download .* \(npm error network\); try"):
        find_runtime(None)
    npm.write_text('#!/bin/sh\nprintf forged > "$4/onnxruntime-web.tgz"\n')
    with pytest.raises(ValueError, match=r"tgz: not onnxruntime-web@.*damaged; expected sha512"):
        find_runtime(None)
    assert list((tmp_path / "cache").iterdir()) == []  # a wrong file is not kept
    forged = base64.b64encode(hashlib.sha512(b"forged").digest()).decode()
    monkeypatch.setattr(web, "SHA512", forged)
    assert find_runtime(None).read_bytes() == b"forged"
    npm.unlink()
    assert find_runtime(None).read_bytes() == b"forged"  # kept


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    with pytest.raises(ValueError, match="photos: is there already; expected the name of a new"):
        write_site(None, tmp_path / "photos", "", None)
    assert [file.name for file in tmp_path.rglob("*")] == ["photos", "a.jpg"]


def site(folder):
    """A folder that is recognised as a site of `write_site`."""
    (folder / "runtime").mkdir(parents=True)
    (folder / "site.json").write_text('{"made_by": "generate.py web"}')
    for name in ("index.html", "generator.onnx", "runtime/LICENSE.txt"):
        (folder / name).write_text("old")
    return folder


def test_a_site_is_replaced_as_a_whole(tmp_path):
    with new_folder(site(tmp_path / "site"), web.check_site_folder) as unfinished:
        (unfinished / "index.html").write_text("new")
    assert [file.name for file in tmp_path.rglob("*")] == ["site", "index.html"]
    assert (tmp_path / "site" / "index.html").read_text() == "new"


def test_a_site_with_a_file_that_somebody_added_is_left_alone(tmp_path):
    for name in ("CNAME", "runtime/photo.jpg"):
        folder = site(tmp_path / name.replace("/", "_"))
        web.check_site_folder(folder)
        (folder / name).touch()
        with pytest.raises(ValueError, match="is there already; expected"):
            web.check_site_folder(folder)
    for name, known in (("readme", "0" * 64), ("earlier", None)):
        folder = site(tmp_path / name)
        (folder / "README.md").write_text("my own")
        about = {"made_by": "generate.py web", "readme": known}
        (folder / "site.json").write_text(json.dumps(about))
        with pytest.raises(ValueError, match=f"{name}: is there already; expected"):
            web.check_site_folder(folder)
    foreign = site(tmp_path / "foreign")
    for content in ("{}", "[]", "no JSON"):
        (foreign / "site.json").write_text(content)
        with pytest.raises(ValueError, match="foreign: is there already"):
            web.check_site_folder(foreign)


def test_a_site_that_changed_while_it_was_written_anew_is_left_alone(tmp_path):
    folder = site(tmp_path / "site")
    with (
        pytest.raises(ValueError, match="site: is there already"),
        new_folder(folder, web.check_site_folder),
    ):
        (folder / "CNAME").touch()
    assert (folder / "index.html").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["site"]
