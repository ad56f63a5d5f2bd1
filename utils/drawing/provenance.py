"""How a picture was made, kept inside it and beside it, so that it can be made again."""

import base64
import dataclasses
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
from PIL import Image, PngImagePlugin

from utils.drawing.latents import draw
from utils.drawing.layout import Look
from utils.files import replacing
from utils.images import save_picture
from utils.messages import one_line

_KEY = "recipe"
_MOST_LATENTS = 1 << 17  # numbers in one picture; 700 KB of text, of which Pillow reads a megabyte


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that a picture is made from.

    Attributes:
        latents: what the generator was given, truncated already, float32 (n, z_dim).
        generator: path of the `generator.h5`.
        digest: of that file; see `digest`.
        look: how images became a picture.
        seed: in words where the latents come from seeds (`7`, `0-24`), or empty.
    """

    latents: np.ndarray
    generator: str
    digest: str
    look: Look = dataclasses.field(default_factory=Look)
    seed: str = ""

    def save(self, path: str | os.PathLike, picture: np.ndarray) -> None:
        """Writes the picture, uint8 (height, width, C), as a PNG that carries this recipe.

        A picture of more latents than fit (1,310 of 100 numbers) carries all but these.
        """
        about = {
            "generator": self.generator,
            "digest": self.digest,
            "look": dataclasses.asdict(self.look),
        }
        if self.latents.size <= _MOST_LATENTS:
            about["shape"] = self.latents.shape
            about["latents"] = base64.b64encode(self.latents.astype("<f4").tobytes()).decode()
        text = PngImagePlugin.PngInfo()
        if self.seed:
            text.add_text("seed", self.seed)
        text.add_text(_KEY, json.dumps(about))
        save_picture(path, picture, pnginfo=text)

    def by(self, path: str | os.PathLike) -> "Recipe":
        """The same with the generator at `path`."""
        return dataclasses.replace(self, generator=str(path), digest=digest(path))

    def draw(self, generator: keras.Model) -> np.ndarray:
        """The picture, uint8 (height, width, C).

        Raises:
            ValueError: a generator of another number of latents.
        """
        z_dim = generator.input_shape[1]
        if self.latents.shape[1] != z_dim:
            raise ValueError(
                f"the picture was made from {self.latents.shape[1]} numbers per image, this "
                f"generator takes {z_dim}"
            )
        return self.look.picture(draw(generator, self.latents))


def read(path: str | os.PathLike) -> Recipe:
    """The recipe that a PNG carries; it is read as data, and anyone may have written it.

    Raises:
        FileNotFoundError: nothing stands at `path`.
        ValueError: no PNG of ours.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected a PNG by generate.py")
    try:
        with Image.open(path) as image:
            image.load()  # texts may stand behind the pixels
            texts = getattr(image, "text", {})
    except Exception as error:  # Pillow passes on whatever the damage leads to
        raise ValueError(f"{path}: does not decode: {one_line(error)}") from error
    if _KEY not in texts:
        raise ValueError(
            f"{path}: carries no recipe; expected a PNG by generate.py, as it was written (other "
            "programs drop what stands beside the pixels)"
        )
    try:
        about = json.loads(texts[_KEY])
        if "latents" not in about:
            raise ValueError(
                "it shows too many images to carry their latents; see latents.npz beside it"
            )
        numbers = np.frombuffer(base64.b64decode(about["latents"]), "<f4")
        latents = numbers.reshape(about["shape"]).astype(np.float32)
        if latents.ndim != 2 or not np.isfinite(latents).all():
            raise ValueError("its latents are no numbers")
        look = Look(**about["look"] | {"labels": tuple(about["look"]["labels"])})
        if look.labels and len(look.labels) != len(latents):
            raise ValueError("it has another number of labels than of images")
        names = str(about["generator"]), str(about["digest"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: its recipe is damaged: {one_line(error)}") from error
    return Recipe(latents, *names, look, texts.get("seed", ""))


def find_generator(
    recipe: Recipe, picture: str | os.PathLike, named: str | os.PathLike | None
) -> Path:
    """The generator to make a picture again with: `named`, or the very one that made it.

    Raises:
        FileNotFoundError: none is named, and the one that made it is gone or has changed.
    """
    if named:
        if digest(named) != recipe.digest:
            print(f"{named} is not the generator that made {picture}, but another")
        return Path(named)
    path = Path(recipe.generator)
    if not path.is_file() or digest(path) != recipe.digest:
        raise FileNotFoundError(
            f"{picture} was made by {one_line(path)}, which is not there or has changed since; "
            "name the generator with --generator"
        )
    return path


def digest(path: str | os.PathLike) -> str:
    """16 hexadecimal digits that tell one `generator.h5` from another."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def save_latents(
    path: str | os.PathLike, chunks: Iterable[np.ndarray], shape: tuple[int, int], **about: object
) -> None:
    """Writes an `.npz` with `latents` and what `about` says, a chunk at a time.

    Args:
        path: of the file.
        chunks: float32 arrays (n, z_dim), `shape` in all.
        shape: number of latents and z_dim.
        about: arrays, or what becomes one.
    """
    with replacing(path) as beside, zipfile.ZipFile(beside, "w") as archive:
        with archive.open("latents.npy", "w", force_zip64=True) as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for chunk in chunks:
                file.write(chunk.astype("<f4").tobytes())
        for name, value in about.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(value), allow_pickle=False)
