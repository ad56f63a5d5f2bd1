"""README and docs: one document in two languages, whose links, pictures and options exist."""

import re

import pytest

from tests.helpers import ROOT
from tests.helpers.scripts import run_here

ENGLISH = (ROOT / "README.md").read_text()
FRENCH = (ROOT / "README.fr.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "README.fr.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"python (-m [\w.]+|\w+\.py)( [a-z]+)?([^`\n#]*)")


def sections(text):
    """The level and the text of each section."""
    heads = list(re.finditer(r"^(#+) .*$", text, re.MULTILINE))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [(len(head[1]), text[head.end() : end]) for head, end in zip(heads, ends, strict=True)]


def blocks(text):
    """Its indented lines, without what a language says about them."""
    lines = re.findall(r"^ {4}\S.*$", text, re.MULTILINE)
    return [re.split(r" {2,}", line.strip())[0] for line in lines]


def numbers(text):
    """Its numbers, however a language groups their digits."""
    plain = re.sub(r"(?<=\d)[,\u00a0\u202f ](?=\d{3}\b)", "", text)
    return sorted(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d)", ".", plain)))


def test_english_and_french_have_the_same_sections_commands_and_figures():
    ours, theirs = sections(ENGLISH), sections(FRENCH)
    assert [level for level, _ in ours] == [level for level, _ in theirs] and len(ours) > 10
    for (_, one), (_, other) in zip(ours, theirs, strict=True):
        assert blocks(one) == blocks(other)
        links = [re.findall(r"\]\(([^)]+)\)", text) for text in (one, other)]
        assert [link.replace(".fr.md", ".md") for link in links[0]] == links[1]
        assert numbers(one) == numbers(other), one[:200]


def test_the_first_page_is_short():
    assert len(ENGLISH.splitlines()) <= 150 and len(FRENCH.splitlines()) <= 155


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert link.startswith("https://") or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_of_the_commands_exist(page, monkeypatch, capsys):
    helps = {}
    for program, subcommand, rest in COMMAND.findall(page.read_text()):
        name = program.removeprefix("-m ")
        line = [name, *([subcommand.strip()] if name == "generate.py" and subcommand else [])]
        options = re.findall(r"--[a-z][a-z-]*", rest)
        if name in ("venv", "pip") or not options:
            continue
        if tuple(line) not in helps:
            assert run_here([*line, "--help"], monkeypatch) == 0
            helps[tuple(line)] = capsys.readouterr().out
        for option in options:
            assert re.search(rf"{option}\b", helps[tuple(line)]), f"{' '.join(line)} {option}"
