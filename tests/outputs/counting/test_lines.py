"""Who crosses a line, which way, and who does not."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.results import Seen, result_at
from mot_dinov3.config import CountConfig
from mot_dinov3.outputs.counting.base import SeenTracks
from mot_dinov3.outputs.counting.lines import KEPT_S, LineCounter
from mot_dinov3.values import LOST, TENTATIVE

pytest.importorskip("supervision")

LEVEL = ((0.0, 50.0), (100.0, 50.0))
"""From left to right: in is up, to smaller y."""
FRAMES_A_SECOND = 25


def at(y, x=50.0, **more):
    """A track whose feet are at (x, y)."""
    return Seen(box=(x - 5, y - 20, x + 5, y), **more)


def cross(frames, ends=LEVEL, **settings):
    """(frame, kind, id) of every event; None is a frame in which nothing is tracked."""
    counter = LineCounter("a", ends, CountConfig(**{"after": 1, **settings}))
    events = []
    for index, tracks in enumerate(frames):
        result = result_at(index, *(tracks or [at(0, id=99, state=LOST, seen=False)]))
        events += counter.count(SeenTracks.of(result))
    counts = counter.get_counts()
    assert (counts.n_in, counts.n_out) == tuple(
        sum(event.kind == way for event in events) for way in ("in", "out")
    )
    return [(event.frame_index, str(event.kind), event.track_id) for event in events]


def test_in_is_to_the_left_of_the_way_along_the_line():
    up, down = [[at(60)], [at(55)], [at(45)]], [[at(40)], [at(45)], [at(55)]]
    assert cross(up) == [(2, "in", 1)]
    assert cross(down) == [(2, "out", 1)]
    assert cross(up, ends=LEVEL[::-1]) == [(2, "out", 1)]
    right = [[at(50, x=40)], [at(50, x=60)]]
    assert cross(right, ends=((50.0, 0.0), (50.0, 100.0))) == [(1, "in", 1)]


def test_who_passes_beside_the_line_does_not_cross_it():
    assert cross([[at(60, x=150)], [at(40, x=150)]]) == []


def test_who_appears_beyond_it_has_not_crossed_it():
    assert cross([[at(40)], [at(39)]]) == []


def test_the_feet_cross_unless_another_point_is_chosen():
    film = [[at(70)], [at(65)], [at(55)], [at(45)], [at(40)], [at(30)]]
    assert cross(film) == [(3, "in", 1)]
    assert cross(film, point="center") == [(2, "in", 1)]
    assert cross(film, point="top") == [(1, "in", 1)]
    assert cross([*film, [at(25)]], point="corners") == [(3, "in", 1)]


def test_standing_on_the_line_counts_once_for_all_its_trembling():
    film = [[at(52)], [at(49)], [at(51)], [at(49)], [at(51)], [at(48)], [at(47)], [at(46)]]
    assert len(cross(film)) == 5
    assert cross(film, after=2) == [(6, "in", 1)]


def test_two_who_cross_in_one_frame_both_count():
    film = [[at(60), at(40, x=80, id=2)], [at(40), at(60, x=80, id=2)]]
    assert cross(film) == [(1, "in", 1), (1, "out", 2)]


@pytest.mark.parametrize(
    "ghost", [{"state": TENTATIVE}, {"state": LOST, "seen": False}, {"seen": False}]
)
def test_only_confirmed_tracks_that_are_seen_count(ghost):
    assert cross([[at(60)], [at(40, **ghost)], [at(60)]]) == []


def test_a_track_that_is_hidden_while_it_crosses_counts_when_it_returns():
    hidden = [at(50, state=LOST, seen=False)]
    assert cross([[at(60)], *[hidden] * 20, [at(40)]]) == [(21, "in", 1)]
    assert cross([[at(60)], *[None] * 20, [at(40)]]) == [(21, "in", 1)]


def test_a_track_that_is_away_for_long_begins_anew():
    away = [None] * (int(KEPT_S * FRAMES_A_SECOND) + 9)
    assert cross([[at(60)], *away, [at(40)], [at(60)]]) == [(len(away) + 2, "out", 1)]


def test_a_box_that_is_not_finite_is_passed_over():
    broken = Seen(box=(np.nan, 1, 2, 3)), Seen(id=2, box=(0, 0, np.inf, 1e30))
    assert cross([[at(60)], [broken[0]], [at(40), broken[1]]]) == [(2, "in", 1)]


def test_crossings_are_counted_by_class():
    counter = LineCounter("a", LEVEL, CountConfig(after=1))
    for index, y in enumerate((60, 40, 60)):
        car = at(100 - y, x=20, id=2, class_id=4)
        counter.count(SeenTracks.of(result_at(index, at(y), car)))
    assert counter.counts == {("in", 0): 1, ("out", 0): 1, ("in", 4): 1, ("out", 4): 1}
