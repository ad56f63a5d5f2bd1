"""Zip or folder of images to batches."""

import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from utils.images import to_rgb, to_uint8
from utils.messages import one_line
from utils.sources import MAX_FILE_BYTES, MAX_PIXELS, ArraySource, ImageFiles, ImageSource

MEMORY_LIMIT = 2 * 1024**3
_CHUNK = 256  # images that are floats at a time
_AHEAD = 8  # batches: more than one epoch of five critic updates needs


class ImageStream:
    """Batches of images without end, each image once per pass, every batch full.

    Batch k is a pure function of (`seed`, k): the images at places k·B to k·B + B − 1 of one
    shuffled pass after another. So a training that continues needs to know k and nothing else.

    Args:
        source: an `ImageSource` or `ArraySource`.
        batch_size: images per batch, B.
        seed: of the order.

    Attributes:
        position: number of the batch that `next` gives; it may be set.
        local_slice: which images of that batch `next` gives, from the first of these two numbers up to the
            second; all, unless it is set.
        name: of the file or folder that the images come from; empty for an array.
        fingerprint: of the images, to tell whether a training continues on the same ones.

    Raises:
        ValueError: a batch larger than the data set.
    """

    def __init__(self, source: ImageSource | ArraySource, batch_size: int, seed: int = 0):
        if not 1 <= batch_size <= len(source):
            where = f"{source.name}: " if source.name else ""
            raise ValueError(
                f"{where}batch_size must lie between 1 and the {len(source)} images there are, "
                f"received {batch_size}"
            )
        self.source = source
        self.batch_size = batch_size
        self.seed = seed
        self.position = 0
        self.local_slice = 0, batch_size
        self.name = source.name
        self.fingerprint = source.fingerprint
        self._worker = ThreadPoolExecutor(1)
        self._ahead = {}
        self._order = functools.lru_cache(maxsize=2)(self._shuffled)

    def __iter__(self) -> "ImageStream":
        return self

    def __next__(self) -> tuple[np.ndarray]:
        """The batch at `position`, while the following ones are made in the background."""
        wanted = [(k, *self.local_slice) for k in range(self.position, self.position + _AHEAD)]
        self._ahead = {
            w: self._ahead.get(w) or self._worker.submit(self._images, *w) for w in wanted
        }
        batch = self._ahead[wanted[0]].result()
        self.position += 1
        return batch

    def __getitem__(self, k: int) -> tuple[np.ndarray]:
        """Batch k as `(images,)`: float32 (B, H, W, C) in [-1, 1]."""
        return self._images(k, 0, self.batch_size)

    def _images(self, k: int, first: int, end: int) -> tuple[np.ndarray]:
        places = k * self.batch_size + np.arange(first, end)
        passes, offsets = np.divmod(places, len(self.source))
        indices = [self._order(p)[i] for p, i in zip(passes.tolist(), offsets, strict=True)]
        return (self.source.take(np.array(indices)),)

    def _shuffled(self, number: int) -> np.ndarray:
        """Order of one pass. The final 1 keeps it apart from the noise of training."""
        return np.random.default_rng((self.seed, number, 1)).permutation(len(self.source))


def read_images(
    path: str | os.PathLike,
    image_size: int | None = None,
    count: int | None = None,
    channels: int = 3,
) -> np.ndarray:
    """The images of a zip or of a folder as an array, in the order of their names.

    Args:
        path: a zip, or a folder that may hold folders.
        image_size: width and height in pixels, others are resized; None for those of the first.
        count: how many to read at most; None for all.
        channels: 3, or 1 for grey.

    Returns:
        uint8 (n, image_size, image_size, channels).

    Raises:
        FileNotFoundError, ValueError: as `load_images`.
    """
    files = ImageFiles(path)
    source = ImageSource(files, image_size or files.side(0), 0, channels)
    indices = np.arange(len(source))[:count]
    chunks = [indices[i : i + _CHUNK] for i in range(0, len(indices), _CHUNK)]
    return np.concatenate([to_uint8(source.take(chunk)) for chunk in chunks])


def read_picture(path: str | os.PathLike, image_size: int) -> np.ndarray:
    """One picture as it would come from a zip: uint8 (image_size, image_size, 3).

    Raises:
        FileNotFoundError: nothing stands at `path`.
        ValueError: it does not decode, or is too large to be tried.
    """
    try:
        size = os.stat(path).st_size
        if size > MAX_FILE_BYTES:
            raise ValueError(f"{size} bytes, more than {MAX_FILE_BYTES}")
        with Image.open(path) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ValueError(f"{width}×{height} pixels, more than {MAX_PIXELS}")
            return to_rgb(image, image_size)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: no such file; expected a picture") from error
    except Exception as error:  # Pillow's decoders raise a dozen different types
        raise ValueError(f"{path}: does not decode: {one_line(error)}") from error


def load_images(
    path: str | os.PathLike,
    image_size: int,
    batch_size: int,
    seed: int = 0,
    channels: int = 3,
    memory_limit: int = MEMORY_LIMIT,
) -> ImageStream:
    """Streams the images of a zip or of a folder; the zip is never unpacked to disk.

    Prints how many images were found and how many other files were passed over.

    Args:
        path: a zip, or a folder that may hold folders.
        image_size: width and height of the batches in pixels; other sizes are resized.
        batch_size: images per batch.
        seed: of the order.
        channels: 3, or 1 for grey.
        memory_limit: bytes up to which the decoded images are kept in memory as uint8 (2 GiB: about
            43,000 images of 128 pixels); more than that is decoded as it is needed.

    Returns:
        an endless `ImageStream` of `(images,)`, float32 (B, image_size, image_size, channels) in
        [-1, 1].

    Raises:
        FileNotFoundError: nothing stands at `path`.
        ValueError: not a zip, an empty one, one that would unpack to absurd sizes, or a batch
            larger than the data set. A file that does not decode is named when it is met.
    """
    files = ImageFiles(path)
    stream = ImageStream(ImageSource(files, image_size, memory_limit, channels), batch_size, seed)
    print(f"Found {len(files.names)} images belonging to 1 classes.")
    if files.passed_over:
        print(f"Passed over {len(files.passed_over)} files that are no images.")
    return stream
