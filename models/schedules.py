"""What changes while a training goes on: learning rates, the penalty's weight.

All are functions of the epoch and of the planned number of epochs, so a training that is resumed
takes the same values as one that was not stopped.
"""

import math

_LAST_RATE = 0.01  # of the learning rate, at the end of its decay


def rate_factor(epoch: int, epochs: int | None, decay: float, warmup: int) -> float:
    """The factor of both learning rates in an epoch, counted from 0.

    It rises linearly over the first `warmup` epochs and falls linearly to a hundredth over the last
    share `decay` of all epochs.
    """
    factor = min(1.0, (epoch + 1) / (warmup + 1))
    if decay:
        factor *= min(1.0, max(_LAST_RATE, (1 - epoch / epochs) / decay))
    return factor


def describe_extension(epoch: int, before: int, epochs: int, recipe) -> str:
    """Says what happens to the learning rate where a run gets another number of epochs.

    Args:
        epoch: number of epochs done.
        before, epochs: planned, before and now.
        recipe: a `models.recipe.Recipe` whose rate falls.
    """
    decay, warmup = recipe.learning_rate_decay, recipe.warmup
    was, now = (
        rate_factor(max(0, n), end, decay, warmup)
        for n, end in ((epoch - 1, before), (epoch, epochs))
    )
    text = (
        f"{before:,} epochs were planned, and now {epochs:,}: the learning rate goes from "
        f"{was:.0%} to {now:.0%} of its full value, and falls again to the end."
    )
    return f"{text} The images may get worse for a while." if now > was else text


def between(first: float, last: float, epoch: int, epochs: int) -> float:
    """A value that goes from `first` to `last` over all epochs along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * min(1.0, epoch / epochs))) / 2
