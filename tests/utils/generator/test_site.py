"""What stands around the page: the runtime's package, the folder, the directions."""

import base64
import hashlib

import numpy as np
import pytest

from models.WGANGP import WGANGP
from tests.helpers.small import TINY
from utils.drawing.latents import principal_directions
from utils.files import new_folder
from utils.generator import web
from utils.generator.web import find_runtime, write_site


def test_directions_are_those_of_the_first_layers_matrix():
    generator = WGANGP(**TINY).generator
    kernel = np.diag([1.0, 5.0, 3.0, 2.0, 4.0])[:, :, None].repeat(26, 2).reshape(5, 130)[:, :128]
    generator.layers[1].kernel.assign(kernel)
    found = principal_directions(generator, 8)
    assert found.shape == (5, 5) and found.dtype == np.float32
    assert np.allclose(found, np.eye(5)[[1, 4, 2, 3, 0]], atol=1e-3)


def test_a_runtime_that_is_not_the_one_pinned(tmp_path, monkeypatch):
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
    with pytest.raises(OSError, match=r"npm could not fetch .* \(npm error network\); with a"):
        find_runtime(None)
    npm.write_text('#!/bin/sh\nprintf forged > "$4/onnxruntime-web.tgz"\n')
    with pytest.raises(ValueError, match=r"tgz: not onnxruntime-web@.*damaged; expected sha512"):
        find_runtime(None)
    assert list((tmp_path / "cache").iterdir()) == []  # what is wrong is not kept
    forged = base64.b64encode(hashlib.sha512(b"forged").digest()).decode()
    monkeypatch.setattr(web, "SHA512", forged)
    assert find_runtime(None).read_bytes() == b"forged"
    npm.unlink()
    assert find_runtime(None).read_bytes() == b"forged"  # kept


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    with pytest.raises(ValueError, match="photos: is there already; expected the name of a new"):
        write_site(None, tmp_path / "photos", "")
    assert [file.name for file in tmp_path.rglob("*")] == ["photos", "a.jpg"]


def site(folder):
    """A folder with what tells a site of ours from others."""
    (folder / "runtime").mkdir(parents=True)
    (folder / "site.json").write_text('{"made_by": "generate.py web"}')
    for name in ("index.html", "generator.onnx", "runtime/LICENSE.txt"):
        (folder / name).write_text("old")
    return folder


def test_a_site_is_replaced_as_a_whole(tmp_path):
    with new_folder(site(tmp_path / "site"), web.check_site_folder) as beside:
        (beside / "index.html").write_text("new")
    assert [file.name for file in tmp_path.rglob("*")] == ["site", "index.html"]
    assert (tmp_path / "site" / "index.html").read_text() == "new"


def test_a_site_that_somebody_added_to_is_left_alone(tmp_path):
    for name in ("CNAME", "runtime/photo.jpg"):
        folder = site(tmp_path / name.replace("/", "_"))
        web.check_site_folder(folder)
        (folder / name).touch()
        with pytest.raises(ValueError, match="is there already; expected"):
            web.check_site_folder(folder)
    foreign = site(tmp_path / "foreign")
    for words in ("{}", "[]", "no JSON"):
        (foreign / "site.json").write_text(words)
        with pytest.raises(ValueError, match="foreign: is there already"):
            web.check_site_folder(foreign)


def test_a_site_that_changed_meanwhile_or_failed_is_left_alone(tmp_path):
    folder = site(tmp_path / "site")
    with (
        pytest.raises(ValueError, match="site: is there already"),
        new_folder(folder, web.check_site_folder),
    ):
        (folder / "CNAME").touch()
    assert (folder / "index.html").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["site"]
