"""Who is in a zone, and for how long."""

from __future__ import annotations

import pytest

from helpers.results import FPS, Seen, result_at
from mot_dinov3.config import CountConfig
from mot_dinov3.outputs.counting.base import SeenTracks
from mot_dinov3.outputs.counting.zones import ZoneCounter
from mot_dinov3.values import LOST

pytest.importorskip("supervision")

YARD = ((0.0, 50.0), (100.0, 50.0), (100.0, 100.0), (0.0, 100.0))


def at(y, x=50.0, **more):
    """A track whose feet are at (x, y)."""
    return Seen(box=(x - 5, y - 20, x + 5, y), **more)


IN, OUT = at(70), at(30)
HIDDEN = at(70, state=LOST, seen=False)
GONE = at(0, id=99, state=LOST, seen=False)


def visit(*frames, **settings):
    """The counter after some frames, and (frame, kind, id, seconds) of every event."""
    counter = ZoneCounter("yard", YARD, CountConfig(**{"after": 1, **settings}))
    events = []
    for index, tracks in enumerate(frames):
        tracks = tracks if isinstance(tracks, list) else [tracks]
        for event in counter.count(SeenTracks.of(result_at(index, *tracks))):
            spent = None if event.seconds is None else round(event.seconds * FPS)
            events.append((event.frame_index, str(event.kind), event.track_id, spent))
    return counter, events


def test_a_visit_has_a_beginning_an_end_and_a_length():
    counter, events = visit(OUT, IN, IN, IN, OUT, OUT)
    assert events == [(1, "enter", 1, None), (4, "leave", 1, 2)]
    assert counter.get_counts().inside == 0
    assert counter.list_seconds() == [(0, 1, pytest.approx(2 / FPS))]


def test_the_seconds_of_several_visits_add_up_and_the_last_one_may_go_on():
    counter, events = visit(IN, IN, OUT, IN, IN, IN)
    assert [kind for _, kind, _, _ in events] == ["enter", "leave", "enter"]
    assert counter.list_seconds() == [(0, 1, pytest.approx(3 / FPS))]
    assert (counter.get_counts().inside, counter.get_counts().entered) == (1, 2)


def test_a_step_over_the_border_counts_after_some_frames():
    counter, events = visit(OUT, IN, OUT, IN, IN, OUT, IN, OUT, OUT, after=2)
    assert events == [(4, "enter", 1, None), (8, "leave", 1, 3)]
    assert counter.list_seconds() == [(0, 1, pytest.approx(3 / FPS))]


def test_a_track_that_is_lost_inside_stays_there_until_it_is_removed():
    counter, events = visit(IN, IN, HIDDEN, HIDDEN, GONE)
    assert events == [(0, "enter", 1, None), (4, "leave", 1, 1)]
    counter, events = visit(IN, HIDDEN, HIDDEN, IN, IN)
    assert events == [(0, "enter", 1, None)]
    assert counter.list_seconds() == [(0, 1, pytest.approx(4 / FPS))]


def test_a_track_that_returns_outside_has_left_when_it_was_last_seen_inside():
    _, events = visit(IN, IN, HIDDEN, HIDDEN, OUT)
    assert events == [(0, "enter", 1, None), (4, "leave", 1, 1)]


def test_most_at_once_and_all_of_them():
    other = at(80, x=20, id=2, class_id=3)
    counter, _ = visit([IN, other], [IN], GONE, at(60, id=5))
    assert counter.most == 2
    assert [track_id for _, track_id, _ in counter.list_seconds()] == [1, 2, 5]
    assert counter.counts["enter", 3] == counter.counts["leave", 3] == 1


def test_the_border_belongs_to_the_zone_and_what_is_beyond_does_not():
    assert visit(at(100))[1]
    assert not visit(at(101), at(70, x=101), at(49))[1]


def test_a_box_is_in_the_zone_with_all_its_corners_if_these_count():
    half = Seen(box=(20, 40, 40, 70))
    whole = Seen(box=(20, 55, 40, 70))
    _, events = visit(half, whole, point="corners")
    assert events == [(1, "enter", 1, None)]
