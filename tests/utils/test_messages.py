"""Numbers with their nouns, and texts from outside on one line."""

import pytest

from utils.messages import count, one_line


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 images"), (1, "1 image"), (2, "2 images"), (2000, "2,000 images")],
)
def test_only_one_is_singular(number, expected):
    assert count(number, "image") == expected


def test_a_text_becomes_one_line_that_can_be_printed():
    assert one_line(" two\n lines\t") == "two lines"
    assert one_line("\x1b[31m") == "\N{REPLACEMENT CHARACTER}[31m"
    assert one_line("abcdef", 3) == "abc…"
    assert one_line(ValueError("why")) == "why"
    assert one_line(ValueError()) == "ValueError"
