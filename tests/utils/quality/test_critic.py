"""The critic's scores of training, held-back and generated images, by hand."""

import keras
import numpy as np
import pytest

from models.WGANGP import WGANGP
from tests.helpers.small import TINY, linear_critic
from utils.drawing.selection import critic_scores
from utils.loaders import ImageStream
from utils.quality.critic import CriticScores
from utils.sources import ArraySource


def grey(*values):
    """Images of 16 pixels in colour, each of one value."""
    return np.full((len(values), 16, 16, 3), np.array(values).reshape(-1, 1, 1, 1), np.uint8)


def test_scores_of_a_linear_critic():
    """Black is -1 and white 1, so the sum of all weights decides: 768 · 2/768 = 2."""
    critic = linear_critic(np.full(768, 2 / 768, np.float32))
    values = [0, 255, 51] * 7  # more than a batch
    scores = critic_scores(critic, grey(*values))
    assert scores.shape == (21,)
    assert scores == pytest.approx([-2, 2, -1.2] * 7, rel=1e-5)


def test_a_critic_with_batch_norm_scores_in_inference_mode():
    """The score of an image does not depend on the others, and no statistics change."""
    gan = WGANGP(**TINY | {"critic_batch_norm_momentum": 0.9})
    (norm,) = [x for x in gan.critic.layers if isinstance(x, keras.layers.BatchNormalization)]
    norm.moving_mean.assign(np.linspace(-1, 1, 8))
    images = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), np.uint8)
    before = gan.critic.get_weights()
    whole = critic_scores(gan.critic, images)
    assert np.array_equal(whole[:5], critic_scores(gan.critic, images[:5]))
    expected = gan.critic(images / np.float32(127.5) - 1, training=False)
    assert whole == pytest.approx(keras.ops.convert_to_numpy(expected)[:, 0], abs=1e-5)
    assert all(map(np.array_equal, before, gan.critic.get_weights()))


def test_measured_sets():
    """Training images are black, held-back ones white, generated ones of value 51."""
    order = ImageStream(ArraySource(grey(*range(50))), 4, held_back=0.4)
    images = grey(*[0] * 50)
    images[order.held_back(20)[:, 0, 0, 0]] = 255
    stream = ImageStream(ArraySource(images), 4, held_back=0.4)
    critic = linear_critic(np.full(768, 2 / 768, np.float32))
    scores = CriticScores.measure(critic, stream, grey(*[51] * 35))
    assert [len(x) for x in (scores.training, scores.held_back, scores.generated)] == [30, 20, 35]
    assert scores.means() == pytest.approx(
        {"critic_training": -2, "critic_held_back": 2, "critic_generated": -1.2}, rel=1e-5
    )
    few = CriticScores.measure(critic, stream, grey(*[51] * 6))
    assert [len(x) for x in (few.training, few.held_back, few.generated)] == [6, 6, 6]


def scores(training, held_back, generated, spread=0.5, count=500):
    """Scores of three means, half of each `spread` above and half of them below."""
    deviations = np.tile([spread, -spread], count // 2)
    return CriticScores(*(mean + deviations for mean in (training, held_back, generated)))


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ((0.16, -0.54, -0.79), 0.70 / 0.95),  # learned by heart
        ((1.35, 1.11, 0.50), 0.24 / 0.85),
        ((1.53, 1.51, 0.50), 0),  # 0.02 is noise: a standard error is 0.5 · √(2/500) = 0.032
        ((1.0, 0.5, 0.95), 0),  # training and generated images are scored alike
        ((1.0, 0.5, 2.0), 0),  # generated images are scored higher
        ((1.0, 1.5, 0.0), 0),  # held-back images are scored higher
    ],
)
def test_overfitting_by_hand(means, expected):
    assert scores(*means).overfitting == pytest.approx(expected)


def test_few_images_say_less():
    """Three standard errors of 20 images are 3 · 0.5 · √(2/20) = 0.474."""
    assert scores(1.0, 0.5, 0.2, count=20).overfitting == pytest.approx(0.5 / 0.8)
    assert scores(1.0, 0.54, 0.2, count=20).overfitting == 0
    assert scores(1.0, 0.5, 0.54, count=20).overfitting == 0
