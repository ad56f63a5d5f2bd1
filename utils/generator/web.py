"""A static page that draws with a generator in the visitor's browser."""

import base64
import hashlib
import html
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils.files import check_new_folder, new_folder, read_json, replacing
from utils.generator.export import export_generator
from utils.messages import one_line

if TYPE_CHECKING:
    import keras

    from utils.drawing import LatentGroups

PAGE = Path(__file__).parent / "page"
CACHE = Path(__file__).parents[2] / ".cache"
PACKAGE = "onnxruntime-web@1.30.0"
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""Of the package's tarball, in base64, as npm publishes it."""
RUNTIME = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)
"""Files of the package's `dist`: three for browsers without WebGPU, three for those with it."""

_SCRIPTS = (
    "app.js",
    "address.js",
    "sliders.js",
    "drawer.js",
    "worker.js",
    "latents.js",
    "groups.js",
    "pixels.js",
    "style.css",
)
_README = """\
---
title: {quoted}
sdk: static
app_file: index.html
pinned: false
---

# {title}

{about} The page draws in the visitor's browser, and needs nothing but these files.

- GitHub Pages: push this folder to a repository, and choose its branch under Settings, Pages.
- A static Space of Hugging Face: `hf upload NAME/SPACE . --repo-type space`.
"""
_FILES = {
    "index.html",
    "site.json",
    "generator.onnx",
    "README.md",
    ".nojekyll",  # GitHub Pages takes the files as they are
    *_SCRIPTS,
} | {f"runtime/{name}" for name in (*RUNTIME, "LICENSE.txt")}
_MARK = "generate.py web"
_SCALES = (1, 4, 8, 16)


def write_site(
    generator: "keras.Model",
    folder: str | os.PathLike,
    title: str,
    directions: np.ndarray,
    float16: bool = False,
    runtime: str | os.PathLike | None = None,
    groups: "LatentGroups | None" = None,
) -> None:
    """Writes a page with the generator and everything it needs, for any server of static files.

    GitHub Pages and static Spaces of Hugging Face take the folder as it is.

    Args:
        generator: maps (B, z_dim) to (B, H, W, 1 or 3).
        folder: must be new, or empty, or hold a site by this function and nothing else; that site
            is replaced.
        title: of the page.
        directions: float32 (n, z_dim), one slider each: a value of 1 adds the row to the latents.
        float16: writes the generator at half the size; images differ by a few levels of 255.
        runtime: the tarball of `PACKAGE`; by default npm downloads it, once.
        groups: the generator's categorical latents: a slider for each group goes through its
            variants, without those that are masked.

    Raises:
        ValueError: a folder that holds something else, directions of another shape, or a tarball
            that is not the expected one.
        OSError: the package could not be downloaded.
    """
    check_site_folder(folder)
    z_dim = generator.input_shape[1]
    if directions.ndim != 2 or directions.shape[1] != z_dim:
        raise ValueError(f"directions have the shape {directions.shape}; expected (n, {z_dim})")
    tarball = find_runtime(runtime)
    with new_folder(folder, check_site_folder) as site:
        for name in _SCRIPTS:
            shutil.copy(PAGE / name, site)
        (site / "index.html").write_text(_index(generator, title), encoding="utf-8")
        readme = _readme(generator, title)
        (site / "README.md").write_bytes(readme)
        (site / ".nojekyll").touch()
        about = {
            "made_by": _MARK,
            "readme": hashlib.sha256(readme).hexdigest(),
            "z_dim": z_dim,
            "channels": generator.output_shape[-1],
            "directions": directions.tolist(),
            "groups": groups
            and {
                "scale": groups.scale,
                "gaussian": groups.gaussian,
                "offsets": groups.offsets.tolist(),
            },
        }
        (site / "site.json").write_text(json.dumps(about), encoding="utf-8")
        export_generator(generator, site / "generator.onnx", "onnx-float16" if float16 else "onnx")
        _unpack(tarball, site / "runtime")


def check_site_folder(path: str | os.PathLike) -> None:
    """Raises ValueError where `path` is neither new, nor an empty folder, nor one of our sites."""
    path = Path(path)
    if not _is_site(path):
        check_new_folder(path)


def find_runtime(path: str | os.PathLike | None) -> Path:
    """The tarball of `PACKAGE`: `path`, or npm's, which is kept in `CACHE`.

    npm downloads it, because npm knows a person's registry, proxy and certificates.

    Raises:
        FileNotFoundError: there is no file at `path`, or npm is not installed.
        ValueError: it is not the package that is pinned here.
        OSError: it could not be downloaded.
    """
    if path:
        _check(Path(path))
        return Path(path)
    name, _, version = PACKAGE.partition("@")
    cached = CACHE / f"{name}-{version}.tgz"
    if not cached.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError(
                f"the page draws with {PACKAGE}, which npm downloads, and npm was not found: "
                "install Node.js, or name the package's .tgz with --runtime"
            )
        print(f"npm downloads {PACKAGE} (33 MB), once")
        with replacing(cached) as unfinished:
            _download(npm, unfinished)
            _check(unfinished)
    _check(cached)
    return cached


def _about(generator):
    _, height, width, _ = generator.output_shape
    return f"{width}×{height} pixels, drawn with {generator.count_params():,} parameters."


def _readme(generator, title):
    """The README of the folder, which begins with what a Space reads; its bytes."""
    title = one_line(title)
    quoted = json.dumps(title, ensure_ascii=False)  # as YAML quotes a text, too
    return _README.format(quoted=quoted, title=title, about=_about(generator)).encode()


def _index(generator, title):
    """The HTML of the page."""
    _, height, width, _ = generator.output_shape
    sizes = "".join(
        f'<option value="{scale}">{width * scale} × {height * scale}</option>' for scale in _SCALES
    )
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    return page.format(
        title=html.escape(title),
        about=_about(generator),
        width=width,
        height=height,
        sizes=sizes,
    )


def _is_site(path):
    try:
        about = read_json(path / "site.json")
    except (OSError, ValueError):
        return False
    # A file that somebody added, such as a CNAME, would be lost.
    files = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()}
    ours = isinstance(about, dict) and about.get("made_by") == _MARK and files <= _FILES
    return ours and _readme_is_ours(path / "README.md", about)


def _readme_is_ours(path, about):
    """Whether nobody has changed the README; earlier sites have none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == about.get("readme")
    except FileNotFoundError:
        return True


def _download(npm, path):
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [npm, "pack", PACKAGE, "--pack-destination", folder]
        done = subprocess.run(command, capture_output=True, text=True)
        tarballs = list(Path(folder).glob("*.tgz"))
        if done.returncode or not tarballs:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise OSError(
                f"npm could not download {PACKAGE} ({one_line(reason)}); try again when online, "
                "or name the package's .tgz with --runtime"
            )
        os.replace(tarballs[0], path)


def _check(tarball):
    if not tarball.is_file():
        raise FileNotFoundError(f"{tarball}: no such file; expected the .tgz of {PACKAGE}")
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise ValueError(
            f"{tarball}: not {PACKAGE} as it was published, or damaged; expected sha512 "
            f"{SHA512[:12]}…, found {digest[:12]}…"
        )


def _unpack(tarball, folder):
    folder.mkdir()
    with tarfile.open(tarball) as archive:
        for name in RUNTIME:
            with archive.extractfile(f"package/dist/{name}") as file:
                (folder / name).write_bytes(file.read())
    shutil.copy(PAGE / "runtime-LICENSE.txt", folder / "LICENSE.txt")
