"""Losses and penalties: pure functions of scores and of the critic's slopes.

Scores are the critic's, one per image, unbounded: (B, 1). R and F of the log are −mean of the real
scores and the mean of the fake ones.
"""

from collections.abc import Callable

from keras import ops

EPSILON = 1e-12
"""Inside the square root of a norm, whose slope at zero would be infinite."""


def critic_loss(kind: str, real_scores, fake_scores):
    """What the critic minimises, without its penalty, as a scalar.

    `wasserstein`: mean fake − mean real (Algorithm 1 of arXiv:1704.00028). `relativistic`: the mean
    of softplus(fake − real), pair by pair (RpGAN, equation 2 of arXiv:2501.05441).
    """
    if kind == "relativistic":
        return ops.mean(ops.softplus(fake_scores - real_scores))
    return ops.mean(fake_scores) - ops.mean(real_scores)


def generator_loss(kind: str, real_scores, fake_scores):
    """What the generator minimises, as a scalar.

    `wasserstein`: −mean fake; the real scores are not used and may be None. `relativistic`: the
    mean of softplus(real − fake).
    """
    if kind == "relativistic":
        return ops.mean(ops.softplus(real_scores - fake_scores))
    return -ops.mean(fake_scores)


def penalty(kind: str, squared_slopes: Callable, real, fake, mix):
    """The penalty on the critic's slopes, unweighted, as a scalar.

    Args:
        kind: `one-centred` or `zero-centred`.
        squared_slopes: maps images (N, H, W, C) to ‖∇critic(image)‖₂², (N,).
        real, fake: images (B, H, W, C).
        mix: interpolation weights U[0, 1], one per image (B, 1, 1, 1); not used where zero-centred.
    """
    if kind == "one-centred":
        return one_centred(squared_slopes(mix * real + (1 - mix) * fake))
    # R1 and R2: half the mean over real images plus half the mean over generated ones is the mean
    # over both (section 2.2 of arXiv:2501.05441).
    return ops.mean(squared_slopes(alternate(real, fake)))


def one_centred(squares):
    """Mean of (‖∇‖₂ − 1)² over squared norms (B,): equation 3 of arXiv:1704.00028."""
    return ops.mean(ops.square(ops.sqrt(squares + EPSILON) - 1))


def alternate(real, fake):
    """Real and generated images in turn as one batch, (2B, H, W, C).

    Where several devices share a batch, no image then has to move to another one.
    """
    return ops.reshape(ops.stack([real, fake], axis=1), (-1, *real.shape[1:]))
