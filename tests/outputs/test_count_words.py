"""What was counted, in words."""

from __future__ import annotations

from mot_dinov3.outputs.count_words import (
    count_crossings,
    describe_classes,
    describe_directions,
    describe_stays,
)
from mot_dinov3.values.run_facts import ZoneFacts

LINE = {"in": {"person": 3, "car": 1200}, "out": {}}


def test_classes_and_directions():
    assert describe_classes(LINE["in"]) == "person 3, car 1,200"
    assert describe_directions(LINE) == "in: person 3, car 1,200"
    assert count_crossings(LINE) == (1203, 0)
    assert count_crossings({}) == (0, 0)


def test_stays_name_the_longest_of_all_classes():
    seconds = {"person": {"1": 2.0, "4": 9.0}, "car": {"2": 1.0}}
    zone = ZoneFacts({"person": 3, "car": 1}, {"person": 3}, 2, seconds)
    text = "3 identities, at most 2 at once; 4.0 s each on average, 9.0 s at most (ID 4)"
    assert describe_stays(zone) == text
    assert describe_stays(ZoneFacts({}, {}, 0, {})) == ""
