"""What `--searcher` may say, and what is said where it says something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.patches import array
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.perception.searchers.base import Finds, SearcherKind
from mot_dinov3.perception.searchers.factory import (
    SEARCHERS,
    check_searcher,
    create_searcher,
    list_searcher_files,
    searcher_kind,
)


@pytest.mark.parametrize("name", list(SEARCHERS))
def test_every_row_is_a_kind_that_says_what_it_needs(name):
    kind = searcher_kind(name)
    assert isinstance(kind, SearcherKind)
    if not kind.argument:
        searcher = create_searcher(name, "cpu")
        assert 0 < searcher.sure < 1
        assert searcher.title.startswith(name)
        assert searcher.fingerprint
        assert searcher.renew().title == searcher.title


def test_names_are_read_as_people_type_them():
    assert searcher_kind(" FLOW ") is searcher_kind("flow")
    assert searcher_kind("nano:a,b") is searcher_kind("nano")


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("flaw", UnknownNameError, "flaw"),
        ("", UnknownNameError, "searcher"),
        ("flow:3", UsageError, "takes nothing after its name, got '3'"),
        ("nano", UsageError, "names no backbone,head"),
        ("nano: ", UsageError, "names no"),
    ],
)
def test_a_wrong_value_is_refused_with_a_remedy(name, error, said):
    for refuse in (check_searcher, lambda name: create_searcher(name, "cpu")):
        with pytest.raises(error, match=said) as caught:
            refuse(name)
        assert caught.value.fix


def test_the_files_of_a_value_are_known_before_it_is_loaded():
    assert list_searcher_files("nano: ~/a.onnx , b.onnx,") == [
        Path("~/a.onnx").expanduser(), Path("b.onnx"),
    ]  # fmt: skip
    assert list_searcher_files("flow") == []


def test_finds_have_one_row_for_each_target():
    nothing = Finds.nothing(array((1, 2, 3, 4), (5, 6, 7, 8)))
    assert len(nothing) == 2
    assert not nothing.score.any()
    with pytest.raises(ValueError, match="Finds"):
        Finds(array((1, 2, 3, 4)), np.zeros(2, np.float32))
