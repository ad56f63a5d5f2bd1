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

import keras

from utils.drawing import principal_directions
from utils.files import check_new_folder, new_folder, replacing
from utils.generator.export import export_generator
from utils.messages import one_line

ASSETS = Path(__file__).parent / "page"
CACHE = Path(__file__).parents[2] / ".cache"
PACKAGE = "onnxruntime-web@1.30.0"
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""Of its tarball, in base64, as npm publishes it."""
RUNTIME = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)
"""Of the package's `dist`: three for browsers without WebGPU, three for those with it."""

_PAGE = ("app.js", "drawer.js", "worker.js", "latents.js", "pixels.js", "style.css")
_FILES = {"index.html", "site.json", "generator.onnx", *_PAGE} | {
    f"runtime/{name}" for name in (*RUNTIME, "LICENSE.txt")
}
_MARK = "generate.py web"
_SCALES = (1, 4, 8, 16)


def write_site(
    generator: keras.Model,
    folder: str | os.PathLike,
    title: str,
    float16: bool = False,
    runtime: str | os.PathLike | None = None,
) -> None:
    """Writes a page with the generator and all that it needs, for any server of static files.

    Args:
        generator: maps (B, z_dim) to (B, H, W, 1 or 3).
        folder: must be new, or empty, or hold a site that this function wrote and nothing else,
            which is replaced.
        title: of the page.
        float16: the generator at half the size; images differ by some levels of 255.
        runtime: the tarball of `PACKAGE`; None to fetch it once.

    Raises:
        ValueError: a folder that holds something else, or a tarball that is not the one expected.
        OSError: the package could not be fetched.
    """
    check_site_folder(folder)
    tarball = find_runtime(runtime)
    _, height, width, channels = generator.output_shape
    z_dim = generator.input_shape[1]
    with new_folder(folder, check_site_folder) as site:
        for name in _PAGE:
            shutil.copy(ASSETS / name, site)
        sizes = "".join(
            f'<option value="{scale}">{width * scale} × {height * scale}</option>'
            for scale in _SCALES
        )
        page = (ASSETS / "index.html").read_text(encoding="utf-8")
        page = page.format(
            title=html.escape(title),
            about=f"{width}×{height} pixels, from {generator.count_params():,} numbers.",
            width=width,
            height=height,
            sizes=sizes,
        )
        (site / "index.html").write_text(page, encoding="utf-8")
        about = {
            "made_by": _MARK,
            "z_dim": z_dim,
            "channels": channels,
            "directions": principal_directions(generator).tolist(),
        }
        (site / "site.json").write_text(json.dumps(about), encoding="utf-8")
        export_generator(generator, site / "generator.onnx", "onnx-float16" if float16 else "onnx")
        _unpack(tarball, site / "runtime")


def check_site_folder(path: str | os.PathLike) -> None:
    """Raises ValueError where anything but an empty folder or a site of ours stands at `path`."""
    path = Path(path)
    if not _is_site(path):
        check_new_folder(path)


def _is_site(path):
    try:
        about = json.loads((path / "site.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    # A file that somebody added, a CNAME for instance, would be lost.
    found = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()}
    return isinstance(about, dict) and about.get("made_by") == _MARK and found <= _FILES


def find_runtime(named: str | os.PathLike | None) -> Path:
    """The tarball of `PACKAGE`: `named`, or npm's, which is kept for the next time.

    npm does the fetching, since it knows a person's registry, proxy and certificates.

    Raises:
        FileNotFoundError: `named` is not there, or npm is not.
        ValueError: it is another file than the one pinned here.
        OSError: it could not be fetched.
    """
    if named:
        _check(Path(named))
        return Path(named)
    name, _, version = PACKAGE.partition("@")
    kept = CACHE / f"{name}-{version}.tgz"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError(
                f"npm fetches {PACKAGE}, which the page draws with, and was not found: install "
                "Node.js, or name the package's .tgz with --runtime"
            )
        print(f"npm fetches {PACKAGE} (33 MB), once")
        with replacing(kept) as beside:
            _fetch(npm, beside)
            _check(beside)
    _check(kept)
    return kept


def _fetch(npm, path):
    with tempfile.TemporaryDirectory(dir=path.parent) as there:
        command = [npm, "pack", PACKAGE, "--pack-destination", there]
        done = subprocess.run(command, capture_output=True, text=True)
        made = list(Path(there).glob("*.tgz"))
        if done.returncode or not made:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise OSError(
                f"npm could not fetch {PACKAGE} ({one_line(why)}); with a network try again, or "
                "name the package's .tgz with --runtime"
            )
        os.replace(made[0], path)


def _check(tarball):
    if not tarball.is_file():
        raise FileNotFoundError(f"{tarball}: no such file; expected the .tgz of {PACKAGE}")
    found = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if found != SHA512:
        raise ValueError(
            f"{tarball}: not {PACKAGE} as it was published, or damaged; expected sha512 "
            f"{SHA512[:12]}…, found {found[:12]}…"
        )


def _unpack(tarball, folder):
    folder.mkdir()
    with tarfile.open(tarball) as archive:
        for name in RUNTIME:
            with archive.extractfile(f"package/dist/{name}") as file:
                (folder / name).write_bytes(file.read())
    shutil.copy(ASSETS / "runtime-LICENSE.txt", folder / "LICENSE.txt")
