"""Which images are drawn: latents of files, seeds; their names and labels."""

from __future__ import annotations

import dataclasses
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from utils.drawing.latents import MOST_SEEDS, parse_seeds, truncate
from utils.drawing.provenance import LoadedGenerator
from utils.messages import count, one_line

_ENTRY = "latents.npy"  # of the .npz files that this program writes
_MOST_BYTES = 1 << 29  # of the latents in one file
_PART = 1024  # images whose latents are made at a time
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The images to draw: first those of latents from files, then those of seeds.

    Attributes:
        given: latents from files, float32 (k, z_dim); None without any.
        numbers: of these latents in the order of the files, from 0.
        seeds: whole numbers.
        text: the seeds as a person wrote them, such as `0-24,100`.
    """

    given: np.ndarray | None = None
    numbers: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()
    text: str = ""

    @classmethod
    def of(cls, seeds: str = "", files: Sequence[str | os.PathLike] = ()) -> Chosen:
        """Reads the latents of files and the seeds of a text for `parse_seeds`.

        Raises:
            FileNotFoundError, ValueError: as `read_latents` and `parse_seeds`, latents of different
                lengths, or more than `MOST_SEEDS` images.
            OSError: a file cannot be read.
        """
        numbers = tuple(parse_seeds(seeds)) if seeds else ()
        if not files:
            return cls(seeds=numbers, text=seeds)
        arrays = [read_latents(path) for path in files]
        for path, array in zip(files, arrays, strict=True):
            if array.shape[1] != arrays[0].shape[1]:
                raise ValueError(
                    f"{path}: its latents have {count(array.shape[1], 'number')} each, and those "
                    f"of {files[0]} have {arrays[0].shape[1]:,}; expected files of one generator"
                )
        given = np.concatenate(arrays)
        if len(given) + len(numbers) > MOST_SEEDS:
            images = count(len(given) + len(numbers), "image")
            raise ValueError(f"expected at most {MOST_SEEDS:,} images, received {images}")
        return cls(given, tuple(range(len(given))), numbers, seeds)

    def __len__(self) -> int:
        return len(self.numbers) + len(self.seeds)

    @property
    def names(self) -> list[str]:
        """Of files: `latents_0`, `seed_7`."""
        return [f"latents_{i}" for i in self.numbers] + [f"seed_{seed}" for seed in self.seeds]

    @property
    def labels(self) -> list[str]:
        """For pictures: `latents 0`, `7`."""
        return [f"latents {i}" for i in self.numbers] + [str(seed) for seed in self.seeds]

    @property
    def seed_texts(self) -> list[str]:
        """The seed of each image, for its provenance; empty for latents of files."""
        return [""] * len(self.numbers) + [str(seed) for seed in self.seeds]

    @property
    def seed_text(self) -> str:
        """The seeds for the provenance of a grid; empty where some images have no seed."""
        return "" if self.numbers else self.text

    def about(self) -> dict[str, list]:
        """What a file of these latents says of them: their seeds, or names where some have none."""
        return {"names": self.names} if self.numbers else {"seeds": list(self.seeds)}

    def take(self, indices: Sequence[int]) -> Chosen:
        """Some of the images, by their indices in ascending order."""
        k = len(self.numbers)
        rows = [i for i in indices if i < k]
        seeds = tuple(self.seeds[i - k] for i in indices if i >= k)
        given = self.given[rows] if rows else None
        numbers = tuple(self.numbers[i] for i in rows)
        return Chosen(given, numbers, seeds, ",".join(map(str, seeds)))

    def latents(self, loaded: LoadedGenerator, truncation: float = 1) -> np.ndarray:
        """The latents for a generator, float32 (n, z_dim); see `truncate`.

        Raises:
            ValueError: latents of another generator, which needs more or fewer numbers.
        """
        parts = []
        if self.numbers:
            if self.given.shape[1] != loaded.z_dim:
                raise ValueError(
                    f"the latents have {count(self.given.shape[1], 'number')} each, and "
                    f"{loaded.path} needs {loaded.z_dim:,}; name the generator that they belong to "
                    "with --generator"
                )
            parts.append(truncate(self.given, truncation, loaded.groups))
        if self.seeds:
            parts.append(loaded.latents(list(self.seeds), truncation))
        return np.concatenate(parts)

    def in_parts(self, loaded: LoadedGenerator, truncation: float = 1) -> Iterator[np.ndarray]:
        """Yields `latents` of up to 1,024 images at a time, for more than memory holds."""
        for first in range(0, len(self), _PART):
            part = self.take(range(first, min(first + _PART, len(self))))
            yield part.latents(loaded, truncation)


def chosen(seeds: str | Chosen) -> Chosen:
    """What is given, or the images of a text for `parse_seeds`."""
    return seeds if isinstance(seeds, Chosen) else Chosen.of(seeds)


def read_latents(path: str | os.PathLike) -> np.ndarray:
    """Reads the latents of an `.npz` by this program. It is data only, and need not be trusted.

    Returns:
        float32 (n, z_dim), n from 1 to `MOST_SEEDS`.

    Raises:
        FileNotFoundError: there is no file at `path`.
        ValueError: no such file, a damaged one, or one of more than 512 MiB of latents; latents
            that are no finite numbers in rows.
        OSError: it cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected a latents.npz by generate.py")
    try:
        if not path.is_file():
            raise ValueError("a folder or a device")
        with zipfile.ZipFile(path) as archive, archive.open(_ENTRY) as file:
            rows = _read_rows(file, archive.getinfo(_ENTRY).file_size)
    except OSError:
        raise
    except Exception as error:  # damage makes zipfile and numpy raise a dozen types
        raise ValueError(
            f"{path}: not read ({one_line(error)}); expected a latents.npz by generate.py"
        ) from error
    return rows


def _read_rows(file, size):
    """The array of an `.npy`; what its header claims is checked before any memory is taken."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"an array of format {version}")
    shape, fortran, dtype = _HEADERS[version](file)
    if dtype.kind != "f" or dtype.itemsize > 8 or len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"its latents are {dtype} {shape}; expected floats (n, z_dim)")
    needed = shape[0] * shape[1] * dtype.itemsize
    if shape[0] > MOST_SEEDS or needed > _MOST_BYTES:
        raise ValueError(f"latents of {shape}, more than {MOST_SEEDS:,} images or 512 MiB")
    if needed > size:
        raise ValueError(f"its latents claim {needed} bytes of {size}")
    numbers = np.frombuffer(file.read(needed), dtype)
    with np.errstate(over="ignore"):
        rows = numbers.reshape(shape, order="F" if fortran else "C").astype(np.float32)
    if not np.isfinite(rows).all():
        raise ValueError("its latents are not all finite numbers")
    return rows
