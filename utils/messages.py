"""Words of a stranger's file in a message: printable, on one line, and not too many."""


def one_line(words: object, most: int = 200) -> str:
    """What `words`, text or an error, say; the name of the error's class where it says nothing."""
    text = " ".join(str(words).split()) or type(words).__name__
    text = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    return text if len(text) <= most else f"{text[:most]}…"
