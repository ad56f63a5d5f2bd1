"""The critic's choice: of many drawn images, those that the critic of the run scores highest."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from utils.drawing.latents import batch_size, draw_in_batches
from utils.drawing.provenance import LoadedGenerator
from utils.images import to_float

if TYPE_CHECKING:  # a share is checked before a framework is loaded
    import keras


def critic_scores(critic: keras.Model, images: np.ndarray) -> np.ndarray:
    """The scores of images, in inference mode.

    The critic always gets batches of one size, the last one padded with zeros, so that an image has
    the same score, whichever others are scored in the same call.

    Args:
        critic: maps (B, H, W, C) in [-1, 1] to scores (B, 1).
        images: uint8 (n, H, W, C).

    Returns:
        float32 (n,): the higher, the more real to the critic; unbounded, without a unit.
    """
    scores, size = [], batch_size(critic)
    for i in range(0, len(images), size):
        rows = images[i : i + size]
        batch = np.zeros((size, *images.shape[1:]), np.float32)
        batch[: len(rows)] = to_float(rows)
        scores.append(critic.predict_on_batch(batch)[: len(rows), 0])
    return np.concatenate(scores)


@dataclasses.dataclass(frozen=True)
class Selection:
    """Keeps a share of the images: those with the highest scores of a critic.

    Discriminator rejection sampling (Azadi et al. 2019, arXiv:1810.06758) rejects at random, so
    that what remains is distributed like the data. This keeps the top instead: what the critic
    likes best becomes more frequent, and variety is lost. So it helps a generator that draws some
    images right, and not one that draws none.

    Attributes:
        critic: maps images (B, H, W, C) in [-1, 1] to scores (B, 1). It should come from the same
            epoch as the generator, see `utils.runs.find_critic`.
        keep: the share, above 0 and at most 1.

    Raises:
        ValueError: another share.
    """

    critic: keras.Model
    keep: float

    def __post_init__(self):
        if not 0 < self.keep <= 1:
            raise ValueError(f"keep must be above 0 and at most 1, received {self.keep}")

    def count(self, images: int) -> int:
        """How many of some images are kept: the nearest whole number, at least 1."""
        return max(1, round(self.keep * images))

    def scores(self, loaded: LoadedGenerator, z: np.ndarray) -> np.ndarray:
        """`critic_scores` of the images of latents, of the pixels as they are written.

        Args:
            loaded: the generator.
            z: float32 (n, z_dim).

        Raises:
            ValueError: a critic of images of another shape.
        """
        expected = self.critic.input_shape[1:]
        if expected != tuple(loaded.image_shape):
            raise ValueError(
                f"the critic scores images of {expected}, but {loaded.path} draws "
                f"{tuple(loaded.image_shape)}; give the critic of the same run"
            )
        scores = []
        with tqdm(total=len(z), unit=" images", desc="Scoring") as progress:
            for images in draw_in_batches(loaded.network, z):
                scores.append(critic_scores(self.critic, images))
                progress.update(len(images))
        return np.concatenate(scores)

    def best(self, scores: np.ndarray) -> np.ndarray:
        """Indices of the images that are kept, in ascending order; of equal scores, the first."""
        descending = np.argsort(-scores, kind="stable")
        return np.sort(descending[: self.count(len(scores))])
