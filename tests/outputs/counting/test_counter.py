"""All lines and zones of a run together: the frames alone decide what is counted."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from helpers.places import SOURCE
from helpers.results import SIZE, Seen, result_at
from mot_dinov3.config import CountConfig
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.outputs.counting.base import require_supervision
from mot_dinov3.outputs.counting.counter import FrameCounter

NAMES = {0: "person", 1: "car"}
BOTH = CountConfig(line="door=0.5,0,0.5,1", zone="yard=0,0,0.5,0,0.5,1,0,1", after=1)


@pytest.fixture
def walk():
    """A person walks from left to right, a car from right to left; the picture is 64 wide."""
    pytest.importorskip("supervision")
    frames = []
    for index in range(11):
        person = Seen(box=(6 * index, 10, 6 * index + 2, 30))
        car = Seen(id=2, class_id=1, box=(60 - 6 * index, 5, 62 - 6 * index, 40))
        frames.append(result_at(index, person, car))
    return frames


def test_events_carry_what_happened_where_and_to_whom(walk):
    counter = FrameCounter(BOTH)
    counted = [counter.count(result, SIZE).counted for result in walk]
    events = [event for one in counted for event in one.events]
    told = [(e.frame_index, str(e.kind), e.place, e.track_id, e.class_id) for e in events]
    assert told == [
        (0, "enter", "yard", 1, 0),
        (5, "out", "door", 2, 1),
        (5, "enter", "yard", 2, 1),
        (6, "in", "door", 1, 0),
        (6, "leave", "yard", 1, 0),
    ]
    assert events[-1].time_s == pytest.approx(6 / 25)
    assert events[-1].seconds == pytest.approx(5 / 25)


def test_sums_are_kept_by_class_and_by_identity(walk):
    counter = FrameCounter(BOTH)
    for result in walk:
        last = counter.count(result, SIZE).counted
    assert (last.lines[0].n_in, last.lines[0].n_out) == (1, 1)
    assert last.lines[0].ends == ((32.0, 0.0), (32.0, 48.0))
    assert (last.zones[0].inside, last.zones[0].entered) == (1, 2)
    assert counter.describe_lines(NAMES) == {"door": {"in": {"person": 1}, "out": {"car": 1}}}
    (zone,) = counter.describe_zones({0: "person"}).values()
    assert zone.entered == {"person": 1, "class 1": 1}
    assert (zone.left, zone.most) == ({"person": 1}, 2)
    assert zone.seconds["person"] == {"1": pytest.approx(0.2)}
    assert zone.seconds["class 1"] == {"2": pytest.approx(0.2)}


def test_the_first_picture_must_hold_the_lines_and_zones():
    pytest.importorskip("supervision")
    counter = FrameCounter(CountConfig(line="a=0,0,65,3"))
    with pytest.raises(UsageError, match="outside the picture of 64 x 48 pixels"):
        counter.begin(SIZE)


def test_without_the_package_there_is_one_sentence_and_a_remedy(monkeypatch):
    monkeypatch.setattr("mot_dinov3.outputs.counting.base.find_spec", lambda name: None)
    require_supervision(CountConfig())
    with pytest.raises(ModelError, match="--zone needs the package 'supervision'") as missing:
        require_supervision(CountConfig(zone="a=0,0,9,0,9,9"))
    assert "[supervision]" in missing.value.fix


@pytest.mark.skipif(importlib.util.find_spec("supervision") is None, reason="needs supervision")
def test_the_package_is_loaded_only_by_a_run_that_counts():
    code = (
        "import sys, mot_dinov3.outputs.counting.counter as c; from mot_dinov3.config import *;"
        "c.FrameCounter(CountConfig(line='a=0,0,1,1')); assert 'supervision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, check=True)
