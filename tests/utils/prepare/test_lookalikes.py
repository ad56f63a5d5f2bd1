"""Pictures that look the same, and those that do not."""

from PIL import Image, ImageDraw

from tests.helpers.preparing import drawing
from utils.prepare.lookalikes import look, near_pairs


def lines(*positions):
    image = Image.new("RGB", (64, 64), "white")
    for x in positions:
        ImageDraw.Draw(image).line((x, 0, x, 63), "black", 3)
    return image


def test_drawings_of_few_lines_do_not_all_look_the_same():
    looks = [look(lines(x, x + 20)) for x in (5, 12, 20, 30, 38)]
    assert near_pairs(looks) == []
    looks.append(look(lines(12, 32)))
    assert near_pairs(looks) == [(0.0, 1, 5)]
    assert near_pairs([]) == []


def test_near_pairs_across_blocks(monkeypatch):
    monkeypatch.setattr("utils.prepare.lookalikes._BLOCK", 3)
    looks = [look(drawing(seed)) for seed in (0, 1, 2, 3, 4, 1, 1, 4)]
    assert near_pairs(looks) == [(0.0, 1, 5), (0.0, 1, 6), (0.0, 4, 7)]


def test_colours_tell_near_duplicates_apart():
    assert near_pairs([look(Image.new("RGB", (8, 8), colour)) for colour in ("red", "teal")]) == []
