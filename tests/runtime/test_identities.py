"""Every confirmed track counts once, for the class that it had in most frames."""

from __future__ import annotations

from helpers.results import Seen, result_at
from mot_dinov3.runtime.identities import IdentityCounter
from mot_dinov3.values import LOST, TENTATIVE

NAMES = {0: "person", 1: "car"}


def count(*frames, new_of=None):
    counter = IdentityCounter()
    for index, tracks in enumerate(frames):
        counter.add(result_at(index, *tracks).tracks)
    return counter.count(NAMES, new_of)


def test_a_track_counts_once_in_its_most_frequent_class():
    car, wrong = Seen(id=1, class_id=1), Seen(id=1, class_id=0)
    assert count([wrong, Seen(id=2)], [car], [car, Seen(id=3)]) == {"person": 2, "car": 1}


def test_only_confirmed_tracks_that_are_seen_count():
    tentative = Seen(id=2, state=TENTATIVE)
    lost = Seen(id=3, state=LOST, seen=False)
    assert count([Seen(id=1), tentative, lost]) == {"person": 1}


def test_tracks_that_were_merged_are_one():
    frames = [Seen(id=1)], [Seen(id=2)], [Seen(id=3, class_id=7)]
    assert count(*frames, new_of={2: 1}) == {"person": 1, "class 7": 1}
