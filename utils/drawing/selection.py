"""The critic's choice: of many drawn images, those that the critic of the run scores highest."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from utils.drawing.latents import BATCH, draw_in_batches
from utils.drawing.provenance import LoadedGenerator
from utils.images import to_float

if TYPE_CHECKING:  # a share is checked before a framework is loaded
    import keras


@dataclasses.dataclass(frozen=True)
class Selection:
    """Keeps a share of the images: those with the highest scores of a critic.

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
        """The critic's scores of the images of latents.

        It sees the pixels as they are written, rounded to 8 bits. An image has the same score,
        whichever others are scored in the same call.

        Args:
            loaded: the generator.
            z: float32 (n, z_dim).

        Returns:
            float32 (n,): the higher, the more real to the critic; unbounded, without a unit.

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
                batch = np.zeros((BATCH, *expected), np.float32)
                batch[: len(images)] = to_float(images)
                scores.append(self.critic.predict_on_batch(batch)[: len(images), 0])
                progress.update(len(images))
        return np.concatenate(scores)

    def best(self, scores: np.ndarray) -> np.ndarray:
        """Indices of the images that are kept, in ascending order; of equal scores, the first."""
        descending = np.argsort(-scores, kind="stable")
        return np.sort(descending[: self.count(len(scores))])
