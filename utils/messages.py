"""Messages: what several of them say, and words of a stranger's file made fit for one line."""

WHAT_HELPS = (
    "try a lower learning rate or a higher grad_weight, or go back to it and on with other noise "
    "(--on-nan rollback)"
)
"""What a person can do about numbers that are no longer finite."""


def one_line(words: object, most: int = 200) -> str:
    """What `words`, text or an error, say; the name of the error's class where it says nothing."""
    text = " ".join(str(words).split()) or type(words).__name__
    text = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    return text if len(text) <= most else f"{text[:most]}…"


def count(number: int, noun: str) -> str:
    """A number and its noun: "1 image", "2,000 images"; the plural of `noun` takes an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
