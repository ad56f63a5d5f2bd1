"""Parts that several messages share, and text from outside made fit for one line."""

import sys

WHAT_HELPS = (
    "try a lower learning rate or a higher grad_weight, or resume from the checkpoint with new "
    "noise (--on-nan rollback)"
)
"""Advice for a training whose weights or losses are NaN or infinite."""


def count(number: int, noun: str) -> str:
    """A number and its noun: "1 image", "2,000 images"; the plural of `noun` takes an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(faults: list[str], most: int) -> str:
    """The first faults of a list for a message, and how many more there are."""
    more = f" and {len(faults) - most} more" if len(faults) > most else ""
    return "; ".join(faults[:most]) + more


def tell(text: str) -> None:
    """Prints what a program is doing where its results, on the standard output, stand alone."""
    print(text, file=sys.stderr)


def one_line(text: object, longest: int = 200) -> str:
    """`text`, often an error or the name of a file, as one line that is safe to print.

    Args:
        text: a string, or an object whose `str` is meant. An error without a message becomes the
            name of its class.
        longest: characters that are kept; a longer text ends in "…".

    Returns:
        `text` with each run of white space as one space and � for what cannot be printed.
    """
    line = " ".join(str(text).split()) or type(text).__name__
    line = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line
    )
    return line if len(line) <= longest else f"{line[:longest]}…"


def drawable(text: object, longest: int = 200) -> str:
    """`one_line`, for Matplotlib: between two dollars it would set a formula, or fail to."""
    return one_line(text, longest).replace("$", r"\$")
