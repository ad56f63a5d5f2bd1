"""Zip or folder of images to batches."""

import functools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from utils import messages
from utils.images import SIZES, Palette, find_palette, fitting_size, height_and_width
from utils.sources import (
    FINER,
    RULES,
    ArraySource,
    ImageFiles,
    ImageSource,
    open_picture,
    read_file,
    to_rgb,
    why_undecodable,
)

MEMORY_LIMIT = 2 * 1024**3
FEWEST_HELD_BACK = 20
"""A mean over fewer held-back images says little; then none are held back."""

_CHUNK = 256  # images that are decoded at a time
_PREFETCH = 8  # batches; an epoch with five critic updates needs five


class ImageStream:
    """Endless batches of images: each image once per pass, every batch full.

    Batch k is a pure function of (`seed`, `held_back`, k): the images at places k·B to k·B + B − 1
    of a sequence of shuffled passes. So k is all that a training needs to resume.

    A share of the images may be held back from all batches. Which ones is drawn at random from
    `seed` and the number of images alone, so every session holds back the same ones.

    Args:
        source: an `ImageSource` or `ArraySource`.
        batch_size: images per batch, B.
        seed: of the order, and of the choice of the images that are held back.
        held_back: share of the images that no batch contains, 0 to 0.5. Where that is fewer than
            `FEWEST_HELD_BACK` images, none are held back.

    Attributes:
        held_back_share: `held_back` as given.
        held_back_count: number of images that are held back.
        training_count: number of the others, the images of a pass.
        position: number of the batch that `next` returns; set it to seek.
        local_slice: (first, end) of the images of a batch that `next` returns; (0, B) unless set.
        name: of the zip or folder; empty for an array.

    Raises:
        ValueError: the batch is larger than the data set, or `held_back` outside its range.
    """

    def __init__(
        self,
        source: ImageSource | ArraySource,
        batch_size: int,
        seed: int = 0,
        held_back: float = 0.0,
    ):
        if not 0 <= held_back <= 0.5:
            raise ValueError(f"held_back must be a share from 0 to 0.5, received {held_back}")
        count = round(held_back * len(source))
        self.held_back_share = held_back
        self.held_back_count = count if count >= FEWEST_HELD_BACK else 0
        self.training_count = len(source) - self.held_back_count
        if not 1 <= batch_size <= self.training_count:
            where = f"{source.name}: " if source.name else ""
            also = f" that are not held back, of {len(source)}" if self.held_back_count else ""
            raise ValueError(
                f"{where}batch_size must be from 1 to the number of images, "
                f"{self.training_count}{also}; received {batch_size}"
            )
        self.source = source
        self.batch_size = batch_size
        self.seed = seed
        self.position = 0
        self.local_slice = 0, batch_size
        self.name = source.name
        # The 3 keeps its random numbers apart from those of training, see `WGANGP.noise`.
        chosen = np.random.default_rng((seed, 0, 3)).permutation(len(source))
        self._held_back = chosen[: self.held_back_count]
        self._training = np.sort(chosen[self.held_back_count :])
        self._worker = ThreadPoolExecutor(1)
        self._prefetched = {}
        self._order = functools.lru_cache(maxsize=2)(self._shuffled)

    def fingerprint(self, rules: int = RULES) -> str:
        """Of the images, to check that a resumed training has the same ones.

        Args:
            rules: of the run, see `utils.sources.ImageFiles.fingerprint_by`.
        """
        return self.source.fingerprint_by(rules)

    def __iter__(self) -> "ImageStream":
        return self

    def __next__(self) -> tuple[np.ndarray]:
        """The `local_slice` of the batch at `position`; the next ones load in the background."""
        numbers = range(self.position, self.position + _PREFETCH)
        slices = [(k, *self.local_slice) for k in numbers]
        self._prefetched = {
            key: self._prefetched.get(key) or self._worker.submit(self._images, *key)
            for key in slices
        }
        batch = self._prefetched[slices[0]].result()
        self.position += 1
        return batch

    def __getitem__(self, k: int) -> tuple[np.ndarray]:
        """Batch k as `(images,)`: float32 (B, H, W, C) in [-1, 1]."""
        return self._images(k, 0, self.batch_size)

    def first(self, count: int, after: int = 0) -> np.ndarray:
        """The first `count` images after some, in training order: uint8 (count, H, W, C)."""
        return self.source.pixels(self._indices(0, after, after + count))

    def held_back(self, count: int) -> np.ndarray:
        """At most `count` of the images that are held back: uint8 (n, H, W, C).

        They are as the source has them, never augmented, and the same ones every time.
        """
        return self.source.pixels(self._held_back[:count])

    def palette(self) -> Palette | None:
        """The colours of the images if they are few, see `utils.images.find_palette`.

        Raises:
            ValueError: a file does not decode.
        """
        return find_palette(self.source.pixels, len(self.source))

    def _images(self, k: int, first: int, end: int) -> tuple[np.ndarray]:
        return (self.source.take(self._indices(k, first, end)),)

    def _indices(self, k: int, first: int, end: int) -> np.ndarray:
        """Numbers of the images at places `first` to `end` - 1 of batch k."""
        places = k * self.batch_size + np.arange(first, end)
        passes, offsets = np.divmod(places, self.training_count)
        return np.array([self._order(p)[i] for p, i in zip(passes.tolist(), offsets, strict=True)])

    def _shuffled(self, number: int) -> np.ndarray:
        """The order of one pass. The 1 keeps its random numbers apart from those of training."""
        rng = np.random.default_rng((self.seed, number, 1))
        return self._training[rng.permutation(self.training_count)]


def read_images(
    path: str | os.PathLike,
    image_size: int | tuple[int, int] | None = None,
    count: int | None = None,
    channels: int = 3,
) -> np.ndarray:
    """Reads the images of a zip or a folder into an array, sorted by name.

    Args:
        path: a zip, or a folder that may contain folders.
        image_size: (height, width) in pixels, or the side of a square; images of other sizes are
            cropped and resized. None for the size of the first image.
        count: number of images to read at most; None for all.
        channels: 3, or 1 for grey.

    Returns:
        uint8 (n, H, W, channels).

    Raises:
        FileNotFoundError, ValueError: as `load_images`.
    """
    files = ImageFiles(path)
    if image_size is None:
        with files.open(0) as image:
            image_size = image.height, image.width
    source = ImageSource(files, image_size, 0, channels)
    indices = np.arange(len(source))[:count]
    chunks = [indices[i : i + _CHUNK] for i in range(0, len(indices), _CHUNK)]
    return np.concatenate([source.pixels(chunk) for chunk in chunks])


def data_size(path: str | os.PathLike, sizes: Sequence[int] = SIZES) -> int:
    """The size of images that suits a data set: the largest that its first image fills.

    Args:
        path: a zip, or a folder that may contain folders.
        sizes: the choices. Where the image is smaller than all of them, it is the smallest.

    Raises:
        FileNotFoundError, ValueError: as `load_images`; or the first image does not decode.
    """
    with ImageFiles(path).open(0, FINER * max(sizes)) as image:
        side = min(image.size)
    return fitting_size(side, sizes)


def read_picture(path: str | os.PathLike, image_size: int | tuple[int, int]) -> np.ndarray:
    """Reads one picture file as `load_images` reads those of a zip.

    Args:
        path: of the picture.
        image_size: (height, width) in pixels, or the side of a square.

    Returns:
        uint8 (H, W, 3).

    Raises:
        FileNotFoundError: there is no file at `path`.
        ValueError: it does not decode, or has more than 256 MiB or 128 Mi pixels.
    """
    try:
        enough = FINER * max(height_and_width(image_size))
        with open_picture(read_file(path), needed=enough) as image:
            return to_rgb(image, image_size)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: no such file; expected a picture") from error
    except Exception as error:  # Pillow's decoders raise a dozen different types
        raise ValueError(f"{path}: does not decode: {why_undecodable(error)}") from error


def load_images(
    path: str | os.PathLike,
    image_size: int,
    batch_size: int,
    seed: int = 0,
    channels: int = 3,
    memory_limit: int = MEMORY_LIMIT,
    held_back: float = 0.0,
    rules: int = RULES,
) -> ImageStream:
    """Streams the images of a zip or a folder. A zip is never unpacked to disk.

    Prints how many images it found and how many other files it skipped.

    Args:
        path: a zip, or a folder that may contain folders.
        image_size: width and height of the batches in pixels; other sizes are resized.
        batch_size: images per batch, B.
        seed: of the order.
        channels: 3, or 1 for grey.
        memory_limit: bytes up to which the decoded images are cached in memory as uint8 (2 GiB:
            about 43,000 images of 128 pixels); a larger data set is decoded again in each pass.
        held_back: share of the images that no batch contains, see `ImageStream`.
        rules: which files count as images: of a run that was begun, `utils.runs.data_rules`.

    Returns:
        an endless `ImageStream` of `(images,)`, float32 (B, image_size, image_size, channels) in
        [-1, 1].

    Raises:
        FileNotFoundError: there is no file or folder at `path`.
        ValueError: not a zip, no images in it, one that unpacks to more than 256 MiB, or what
            `ImageStream` refuses. A file that does not decode raises it in `next`.
    """
    files = ImageFiles(path, rules=rules)
    source = ImageSource(files, image_size, memory_limit, channels)
    stream = ImageStream(source, batch_size, seed, held_back)
    print(f"Found {len(files.names)} images belonging to 1 classes.")
    if files.skipped:
        print(f"Skipped {messages.count(len(files.skipped), 'file')}: not images.")
    if files.outside:
        print(files.describe_links())
    return stream
