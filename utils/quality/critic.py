"""The critic's scores of training, held-back and generated images: does it learn by heart?"""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from utils.drawing import critic_scores
from utils.loaders import ImageStream
from utils.runs import CRITIC_SCORES

OVERFITTED = 0.5
"""A critic whose `CriticScores.overfitting` is above this has learned its images by heart."""

_NOISE = 3  # standard errors up to which a difference of two means says nothing


@dataclasses.dataclass(frozen=True)
class CriticScores:
    """The critic's scores of three sets of images.

    A critic that learns what real images have in common scores held-back images as it scores those
    that it is trained on. One that learns its images by heart scores them as it scores generated
    ones, and then the generator learns from it to copy or to draw noise.

    Attributes:
        training: of images that the critic is trained on, (n,).
        held_back: of real images that it never sees, (n,).
        generated: of images of the generator, (n,).
    """

    training: np.ndarray
    held_back: np.ndarray
    generated: np.ndarray

    @classmethod
    def measure(
        cls, critic: keras.Model, stream: ImageStream, generated: np.ndarray
    ) -> CriticScores:
        """Scores `generated`, uint8 (n, H, W, C), and at most as many images of each other set."""
        training = stream.first(min(len(generated), stream.training_count))  # no image twice
        held_back = stream.held_back(len(generated))
        return cls(*(critic_scores(critic, images) for images in (training, held_back, generated)))

    def means(self) -> dict[str, float]:
        """The three mean scores by the names of `utils.runs.CRITIC_SCORES`."""
        sets = (self.training, self.held_back, self.generated)
        return {name: float(of.mean()) for name, of in zip(CRITIC_SCORES, sets, strict=True)}

    @property
    def overfitting(self) -> float:
        """How far held-back images are on the way from training to generated ones.

        (training − held back) / (training − generated), of the mean scores: 0 where the critic
        scores both kinds of real images alike, 1 where those that it never saw look generated to
        it. It is 0, too, where one of the two differences is not above three standard errors, which
        is noise.
        """
        real = _clear_difference(self.training, self.held_back)
        whole = _clear_difference(self.training, self.generated)
        return real / whole if real and whole else 0.0


def _clear_difference(a: np.ndarray, b: np.ndarray) -> float:
    """How much larger the mean of `a` is than that of `b`; 0 where that may be noise."""
    difference = a.mean() - b.mean()
    noise = _NOISE * np.sqrt(a.var() / len(a) + b.var() / len(b))
    return float(difference) if difference > noise else 0.0
