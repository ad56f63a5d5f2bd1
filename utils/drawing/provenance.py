"""How a picture was made, written into its PNG, so that it can be drawn again."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import PngImagePlugin

from utils.drawing.latents import LatentGroups, draw, latent_groups, seed_latents, truncate
from utils.drawing.layout import Layout
from utils.files import replacing, shared_name
from utils.hdf5 import MAX_FILE_BYTES
from utils.images import save_picture
from utils.messages import count, one_line
from utils.sources import open_picture, why_undecodable

if TYPE_CHECKING:  # a PNG is read before a framework is loaded
    import keras

_KEY = "recipe"  # the name of provenance in PNGs, where older ones have it too
_MOST_LATENTS = 1 << 17  # numbers in one PNG: 700 KB of text; Pillow reads up to a megabyte


@dataclasses.dataclass(frozen=True)
class LoadedGenerator:
    """A generator and the file that it was loaded from, which pictures name.

    Attributes:
        path: of the `generator.h5`.
        network: maps latents (B, z_dim) to images (B, H, W, C) in [-1, 1].
    """

    path: str | os.PathLike
    network: keras.Model

    @functools.cached_property
    def digest(self) -> str:
        """The digest of the file; see `file_digest`."""
        return file_digest(self.path)

    @property
    def z_dim(self) -> int:
        """Numbers per image."""
        return self.network.input_shape[1]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.network.output_shape[1:]

    @functools.cached_property
    def groups(self) -> LatentGroups | None:
        """Its categorical latents; see `latent_groups`."""
        return latent_groups(self.network)

    def latents(self, seeds: list[int], truncation: float = 1) -> np.ndarray:
        """The latents of seeds, float32 (n, z_dim); see `truncate`."""
        return truncate(seed_latents(seeds, self.z_dim), truncation, self.groups)

    def provenance(self, latents: np.ndarray, layout: Layout, seed: str = "") -> Provenance:
        """The provenance of a picture that this generator draws from latents (n, z_dim)."""
        layout = layout.sized((len(latents), *self.image_shape))
        return Provenance(latents, shared_name(self.path), self.digest, layout, seed)


@dataclasses.dataclass(frozen=True)
class Provenance:
    """How a picture was made.

    Attributes:
        latents: the generator's input, float32 (n, z_dim), truncation included.
        generator: name and folder of the `generator.h5`; see `shared_name`.
        digest: of that file; see `file_digest`.
        layout: how the images became one picture.
        seed: the seeds that the latents belong to, as text (`7`, `0-24`); empty if there are none.
    """

    latents: np.ndarray
    generator: str
    digest: str
    layout: Layout = dataclasses.field(default_factory=Layout)
    seed: str = ""

    def save(self, path: str | os.PathLike, picture: np.ndarray) -> None:
        """Writes the picture, uint8 (height, width, C), as a PNG that carries this provenance.

        The latents are left out where they do not fit, beyond 1,310 images of 100 numbers.
        """
        about = {
            "generator": self.generator,
            "digest": self.digest,
            "look": dataclasses.asdict(self.layout),
        }
        if self.latents.size <= _MOST_LATENTS:
            about["shape"] = self.latents.shape
            about["latents"] = base64.b64encode(self.latents.astype("<f4").tobytes()).decode()
        text = PngImagePlugin.PngInfo()
        if self.seed:
            text.add_text("seed", self.seed)
        text.add_text(_KEY, json.dumps(about))
        save_picture(path, picture, pnginfo=text)

    def draw(self, network: keras.Model) -> np.ndarray:
        """Draws the picture with a generator: uint8 (height, width, C).

        Raises:
            ValueError: the generator has another z_dim.
        """
        z_dim = network.input_shape[1]
        if self.latents.shape[1] != z_dim:
            numbers = count(self.latents.shape[1], "number")
            raise ValueError(
                f"the picture was made from {numbers} per image, this generator needs {z_dim}; "
                "name the one that made it with --generator"
            )
        return self.layout.picture(draw(network, self.latents))


def read_provenance(path: str | os.PathLike) -> Provenance:
    """Reads the provenance that a PNG carries. It is data only; the PNG need not be trusted.

    Raises:
        FileNotFoundError: there is no file at `path`.
        ValueError: it is no PNG of this program.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected a PNG by generate.py")
    try:
        with open_picture(path, ("PNG",)) as image:
            image.load()  # texts may follow the pixels
            texts = getattr(image, "text", {})
    except Exception as error:  # Pillow raises many types for damaged files
        raise ValueError(f"{path}: does not decode: {why_undecodable(error)}") from error
    if _KEY not in texts:
        raise ValueError(
            f"{path}: carries no provenance; expected a PNG by generate.py that no other program "
            "has saved again (most drop everything but the pixels)"
        )
    try:
        return _parse(texts[_KEY], texts.get("seed", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: its provenance is damaged: {one_line(error)}") from error


def _parse(text: str, seed: str) -> Provenance:
    about = json.loads(text)
    if "latents" not in about:
        raise ValueError(
            "it has too many images to carry their latents; see latents.npz in its folder"
        )
    numbers = np.frombuffer(base64.b64decode(about["latents"]), "<f4")
    latents = numbers.reshape(about["shape"]).astype(np.float32)
    if latents.ndim != 2 or not np.isfinite(latents).all():
        raise ValueError("its latents are not all finite numbers in rows")
    layout = Layout(**about["look"] | {"labels": tuple(about["look"]["labels"])})
    if layout.labels and len(layout.labels) != len(latents):
        labels, images = count(len(layout.labels), "label"), count(len(latents), "image")
        raise ValueError(f"it has {labels} for {images}")
    seed = one_line(seed) if seed else ""
    return Provenance(latents, str(about["generator"]), str(about["digest"]), layout, seed)


def find_original(
    provenance: Provenance, picture: str | os.PathLike, generators: Iterable[Path]
) -> Path:
    """Finds the generator that made `picture`, whose provenance is given, by its digest.

    What a picture names is never opened: a picture may come from anyone.

    Args:
        provenance: of the picture.
        picture: its path, for the message.
        generators: the files that are looked through; one of the name in the picture first.

    Raises:
        FileNotFoundError: none of them made it.
    """
    for path in sorted(generators, key=lambda path: shared_name(path) != provenance.generator):
        if path.stat().st_size <= MAX_FILE_BYTES and file_digest(path) == provenance.digest:
            return path
    named = one_line(provenance.generator)
    raise FileNotFoundError(
        f"{picture} was made by {named}, which has changed or is in no run folder; name the "
        "generator with --generator"
    )


def file_digest(path: str | os.PathLike) -> str:
    """The first 16 hexadecimal digits of a file's SHA-256, which tell generators apart."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()[:16]


def save_latents(path: str | os.PathLike, latents: np.ndarray, **about: object) -> None:
    """Writes an `.npz` of `latents`, float32 (n, z_dim), and of `about`: numbers, texts, lists."""
    with replacing(path) as beside:
        np.savez(beside, latents=latents.astype("<f4"), **about)
