"""What a model says of itself is only believed as far as it can be written down."""

from __future__ import annotations

import json

import pytest

from mot_dinov3.perception.detectors.about import (
    METADATA,
    About,
    about_from_notes,
    class_names,
    read_notes,
)


def test_names_become_text_that_can_be_written():
    named = {"0": "person", 1: "a\ud800b", 2: 7, 3: "x" * 5000, 4: "人"}
    assert class_names(named) == {0: "person", 1: "a?b", 2: "7", 3: "x" * 100, 4: "人"}


def test_notes_come_back():
    about = About({0: "person"}, "detect", final=True)
    assert About.from_json(about.to_json()) == about
    later = json.dumps({**json.loads(about.to_json()), "noted_by_a_later_version": 1})
    assert About.from_json(later) == about


def test_names_steer_no_terminal():
    assert class_names({0: "a\x1b[2J\n\u202eb"}) == {0: "a?[2J??b"}


@pytest.mark.parametrize("number", [-1, 2**63, "x", 10**6, None])
def test_a_class_with_an_impossible_number_makes_no_notes(number):
    assert about_from_notes({"names": {number: "person"}, "task": "detect"}) is None


@pytest.mark.parametrize("stride", [0, -32, 10**9, "many", 1e999])
def test_an_impossible_stride_makes_no_notes(stride):
    notes = {"names": {0: "person"}, "task": "detect", "stride": stride}
    assert about_from_notes(notes) is None


@pytest.mark.parametrize("text", ["(" * 100_000, "[" * 150 + "]" * 150, "-" * 100_000 + "1"])
def test_notes_that_are_nested_without_end_are_only_text(text):
    assert about_from_notes({"names": text, "task": "detect"}) is None


def test_notes_with_aliases_count_as_none(tmp_path):
    (tmp_path / METADATA).write_text("a: &a [1]\nnames: *a\ntask: detect\n")
    assert read_notes(tmp_path) == {}
    (tmp_path / METADATA).write_text("names: {0: person}\ntask: detect\n")
    assert read_notes(tmp_path) == {"names": {0: "person"}, "task": "detect"}
