"""One name for one thing: source and documentation use the words of the glossary."""

from __future__ import annotations

import ast
import re
from functools import cache

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


MESSAGES = {
    r"(?<![Tt]here )\bis no (?!longer\b|better\b|faster\b)": "is not a",
    r"^Check the path": "a remedy that names the path, see `find_path`",
    r"^(Correct|Check) (it|them|the value)\.": "a remedy that names what is to be corrected",
}
"""What no message says -> what it says instead."""
ERRORS = {"error", "problem", "cause", "reason", "failure"}
NAMES_OF_EXCEPTIONS = {"perception/hub/problems.py"}
"""Files that look at the name of an exception's class, and do not show it."""


@cache
def sources():
    """Path below the package, and tree, of every source file but those of the laboratory."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if "lab" not in path.parts]
    return [
        (path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in paths
    ]


def texts_of(tree):
    """Every text of a file that is not a docstring."""
    described = ast.Module | ast.ClassDef | ast.FunctionDef
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, described) and ast.get_docstring(node, clean=False) is not None
    }
    for node in ast.walk(tree):
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if text and node not in docstrings:
            yield node.value


@pytest.mark.parametrize("pattern", MESSAGES)
def test_messages_say_it_better(pattern):
    found = [(name, t) for name, tree in sources() for t in texts_of(tree) if re.search(pattern, t)]
    assert not found, f"say: {MESSAGES[pattern]}"


def shows_class_name(node):
    """Whether a placeholder in a text is the name of an exception's class."""
    value = node.value if isinstance(node, ast.FormattedValue) else None
    if not (isinstance(value, ast.Attribute) and isinstance(value.value, ast.Call)):
        return False
    what = value.value.args[0] if value.value.args else None
    return value.attr == "__name__" and getattr(what, "id", "") in ERRORS


def test_no_message_shows_the_name_of_an_exception():
    found = {name for name, tree in sources() if any(map(shows_class_name, ast.walk(tree)))}
    assert found == NAMES_OF_EXCEPTIONS
