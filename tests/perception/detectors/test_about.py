"""What a model says of itself is only believed as far as it can be written down."""

from __future__ import annotations

from mot_dinov3.perception.detectors.about import About, class_names


def test_names_become_text_that_can_be_written():
    named = {"0": "person", 1: "a\ud800b", 2: 7, 3: "x" * 5000, 4: "人"}
    assert class_names(named) == {0: "person", 1: "a?b", 2: "7", 3: "x" * 100, 4: "人"}


def test_notes_come_back():
    about = About({0: "person"}, "detect", final=True)
    assert About.from_json(about.to_json()) == about
