"""What `--classes` may say, and what it answers to a slip."""

from __future__ import annotations

import pytest

from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.classes import resolve_classes

NAMES = {0: "person", 1: "bicycle", 2: "car", 7: "Fire Hydrant"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        (" , ", None),
        ("0", {0}),
        ("person", {0}),
        ("PERSON, 2", {0, 2}),
        (" fire hydrant ,car,", {7, 2}),
    ],
)
def test_ids_and_names_may_be_mixed(text, expected):
    assert resolve_classes(text, NAMES) == expected


def test_a_name_that_is_a_number_wins_over_the_id():
    assert resolve_classes("1", {0: "1", 1: "2"}) == {0}


def test_near_names_are_offered():
    with pytest.raises(UsageError, match="no class 'persn'") as caught:
        resolve_classes("car,persn", NAMES)
    assert caught.value.fix == "Did you mean person?"


@pytest.mark.parametrize("text", ["zebra", "3", "-1", "1.0"])
def test_without_a_near_name_the_known_ones_are_listed(text):
    with pytest.raises(UsageError) as caught:
        resolve_classes(text, NAMES)
    assert "person (0), bicycle (1), car (2), Fire Hydrant (7)" in caught.value.fix


def test_a_long_list_is_cut_short():
    with pytest.raises(UsageError) as caught:
        resolve_classes("zebra", {n: f"thing{n}" for n in range(80)})
    assert "and 68 more" in caught.value.fix
