"""One name for one thing: source and documentation use the words of the glossary."""

from __future__ import annotations

import re

import pytest

from helpers.floors import PACKAGE
from helpers.places import ROOT

BANNED = {
    r"Lives": "track table",
    r"(?i:onlookers?)": "observer",
    r"(?i:witness(?:es)?)": "recorder",
    r"(?i:companions?)": "thread",
    r"(?i:glimpses?)": "comparison",
    r"(?i:tapes?)": "recording",
    r"(?i:whoever|nobody|everybody|somebody|anybody)": "what is meant: the caller, every track",
}
"""A former name, which may stand inside of a longer one -> the word to use."""

ALLOWED = {
    ("docs/develop/glossary.md", "companion"),  # it names what to avoid
    ("docs/develop/glossary.md", "onlooker"),
    ("docs/develop/glossary.md", "tape"),
    ("docs/develop/glossary.md", "witness"),
    ("docs/develop/glossary.md", "glimpse"),
    ("docs/develop/glossary.md", "Lives"),
}
"""(file, word) that may stay."""

FILES = [
    *sorted(PACKAGE.rglob("*.py")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("*.md")),
]


def find_words(pattern, text):
    """Whole words, also as a part of a name such as `read_tape` or `TapeReader`."""
    return re.findall(rf"(?<![a-zA-Z])(?:{pattern})(?![a-z])", text)


def search():
    """(file, word, better one) of every former name that is still in use."""
    for path in FILES:
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        for pattern, better in BANNED.items():
            for word in find_words(pattern, text):
                yield name, word, better


def test_no_former_name_is_in_use():
    wrong = {row for row in search() if row[:2] not in ALLOWED}
    assert not wrong


def test_every_exception_is_needed():
    assert {(name, word) for name, word, _ in search()} >= ALLOWED
    assert len(ALLOWED) <= 10


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("class Lives:", 1),
        ("what lives here", 0),
        ("read_tape(TAPE, tapes)", 3),
        ("TapeReader", 1),
        ("tapestry", 0),
        ("Nobody asks", 1),
    ],
)
def test_names_are_found_as_words_and_in_names(text, found):
    assert sum(len(find_words(pattern, text)) for pattern in BANNED) == found
