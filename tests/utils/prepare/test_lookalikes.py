"""Pictures that look the same, and those that do not."""

from PIL import Image, ImageDraw

from tests.helpers.preparing import drawing
from utils.prepare.lookalikes import near_duplicates, signature


def lines(*positions):
    image = Image.new("RGB", (64, 64), "white")
    for x in positions:
        ImageDraw.Draw(image).line((x, 0, x, 63), "black", 3)
    return image


def test_drawings_of_few_lines_do_not_all_look_the_same():
    signatures = [signature(lines(x, x + 20)) for x in (5, 12, 20, 30, 38)]
    assert near_duplicates(signatures) == []
    signatures.append(signature(lines(12, 32)))
    assert near_duplicates(signatures) == [(0.0, 1, 5)]
    assert near_duplicates([]) == []


def test_near_duplicates_across_blocks(monkeypatch):
    monkeypatch.setattr("utils.prepare.lookalikes._BLOCK", 3)
    signatures = [signature(drawing(seed)) for seed in (0, 1, 2, 3, 4, 1, 1, 4)]
    assert near_duplicates(signatures) == [(0.0, 1, 5), (0.0, 1, 6), (0.0, 4, 7)]


def test_colours_tell_near_duplicates_apart():
    assert (
        near_duplicates([signature(Image.new("RGB", (8, 8), colour)) for colour in ("red", "teal")])
        == []
    )
