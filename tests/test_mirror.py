"""The tests mirror the package: every source file has a test of its name, or a row in a table."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from helpers.floors import PACKAGE, imported_modules
from helpers.where_tested import TESTED_BY

TESTS = Path(__file__).parent


def parse(path):
    return ast.parse(path.read_text())


def module_of(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in PACKAGE.rglob("*.py")}
SOURCES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("*.py")
    if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.walk(parse(path)))
    or path.name != "__init__.py"
)
FROM_OUTSIDE = ("e2e/", "commands/", "lab/selftest/")
"""Tests of these folders start the whole program, so they import little of what they test."""


def own_test(source):
    """Where the test of a source stands if it has one of its own."""
    path = Path(source)
    return (path.parent / f"test_{path.stem}.py").as_posix()


def rows_of(source):
    return [test for test, names in TESTED_BY.items() if any(fnmatch(source, n) for n in names)]


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_has_one_place_where_it_is_tested(source):
    beside = (TESTS / own_test(source)).exists()
    assert beside or rows_of(source), f"add {own_test(source)}, or a row to helpers/where_tested.py"
    assert len(rows_of(source)) <= 1


@pytest.mark.parametrize("test", TESTED_BY)
def test_every_row_names_a_test_and_sources_that_are_there(test):
    assert (TESTS / test).exists()
    for name in TESTED_BY[test]:
        matches = [source for source in SOURCES if fnmatch(source, name)]
        assert matches, f"{name} does not exist"
        assert not all((TESTS / own_test(source)).exists() for source in matches), name


def module_of(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


@cache
def names_in(path):
    """What a file imports of the package, or names in the rows of a plug-in table."""
    words = path.read_text().replace("(", " ").replace(",", " ").replace('"', " ").split()
    rows = {word.partition(":")[0] for word in words if word.startswith("mot_dinov3.")}
    return {*imported_modules(path), *(row.removeprefix("mot_dinov3.") for row in rows)}


def helpers_of(path):
    """The helper modules that a test imports, and their own."""
    found, left = set(), [path]
    while left:
        for name in re.findall(r"^from helpers\.([\w.]+) import", left.pop().read_text(), re.M):
            helper = TESTS / "helpers" / f"{name.replace('.', '/')}.py"
            if helper.exists() and helper not in found:
                found.add(helper)
                left.append(helper)
    return found


@pytest.mark.parametrize("test", [test for test in TESTED_BY if not test.startswith(FROM_OUTSIDE)])
def test_the_test_of_a_row_comes_to_its_sources(test):
    path = TESTS / test
    reached, left = set(), [path, *helpers_of(path), *path.parent.glob("conftest.py")]
    while left:
        for name in names_in(left.pop()):
            while name and name not in MODULES:
                name = name.rpartition(".")[0]
            if name and name not in reached:
                reached.add(name)
                left.append(MODULES[name])
    named = [s for s in SOURCES for name in TESTED_BY[test] if fnmatch(s, name)]
    sources = [source for source in named if not (TESTS / own_test(source)).exists()]
    assert not [source for source in sources if module_of(PACKAGE / source) not in reached]
