"""Which identities of several runs are one: alike, surely, and never two at once."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.identities import look
from mot_dinov3.runs.identities import joining
from mot_dinov3.runs.identities.book import IdentityRule
from mot_dinov3.runs.identities.joining import ENOUGH, RunTracklet, join_groups
from mot_dinov3.runs.relink.tracklets import Sighting, Tracklet

RULE = IdentityRule(0.7, 0.025)
BOX = (0.0, 0.0, 9.0, 9.0)


def seen(run, angle, begin_s=0.0, *, count=8, kind="person", vectors=None):
    """A tracklet of a run that looks into one direction of a plane."""
    shown = np.tile(look(angle), (count, 1)) if vectors is None else vectors
    known = Tracklet(1, 0, Sighting(begin_s, BOX), Sighting(begin_s + 9, BOX), shown)
    return RunTracklet(run, kind, known)


def joined(*members, groups=None, rule=RULE):
    return join_groups(members, groups or [[row] for row in range(len(members))], rule)


def test_two_of_three_runs_share_a_person_and_a_stranger_stays_one():
    """The stranger is alike beyond the gate, but was there beside the person."""
    found = joined(seen(0, 0), seen(0, 30), seen(1, 4), seen(1, 100), seen(2, 200))
    assert found == [[0, 2], [1], [3], [4]]
    assert joined(seen(0, 0), seen(0, 30, 10), seen(1, 4)) == [[0, 1, 2]]  # control: later


def test_an_identity_of_three_runs_is_one_in_all():
    assert joined(seen(0, 0), seen(1, 20), seen(2, 40), seen(2, 120)) == [[0, 1, 2], [3]]


def test_groups_that_hold_two_who_were_there_at_once_are_never_joined():
    """Each run has its own look; all four are alike beyond the gate."""
    found = joined(seen(0, 0), seen(0, 40), seen(1, 2), seen(2, 38))
    assert found == [[0, 2], [1, 3]]
    assert joined(seen(0, 0), seen(0, 4), seen(1, 2)) == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        pytest.param([seen(0, 0), seen(1, 47)], RULE, id="below the gate"),
        pytest.param([seen(0, 0), seen(1, 30)], IdentityRule(0.9, 0.025), id="below a high gate"),
        pytest.param([seen(0, 0), seen(1, 0, kind="car")], RULE, id="of another class"),
        pytest.param([seen(0, 0), seen(1, 0, count=ENOUGH - 1)], RULE, id="too few embeddings"),
        pytest.param([seen(0, 0), seen(1, 10), seen(1, 11, 20)], IdentityRule(0.99, 0.025),
                     id="two are as much alike"),
    ],
)  # fmt: skip
def test_what_is_in_doubt_stays_apart(members, rule):
    assert [0] in joined(*members, rule=rule)


def test_a_track_that_mixes_two_is_like_none_where_there_is_little_to_compare_with():
    mixed = np.stack([look(a) for a in (-50, -50, -50, -50, 50, 50, 50, 50)])
    assert joined(seen(0, 0), seen(1, 0, vectors=mixed)) == [[0], [1]]
    assert joined(seen(0, 0), seen(1, 0)) == [[0, 1]]


def make_crowd(rng, runs=2, people=10, shift=0.7):
    """People whom every camera sees with its own light: (members, person of each)."""
    faces = rng.normal(size=(people, 16))
    members, who = [], []
    for run in range(runs):
        light = rng.normal(size=16) * shift
        for person in range(people):
            vectors = faces[person] + light + rng.normal(size=(6, 16)) * 0.4
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            members.append(seen(run, 0, vectors=vectors.astype(np.float32)))
            who.append(person)
    return members, np.array(who)


def test_people_are_found_in_spite_of_the_light_of_a_camera(monkeypatch):
    members, who = make_crowd(np.random.default_rng(3))
    found = joined(*members, rule=IdentityRule(0.3, 0.025))
    assert all(len(set(who[group])) == 1 for group in found)
    assert sum(len(group) == 2 for group in found) == 10
    monkeypatch.setattr(joining, "normalise_cameras", lambda vectors, camera: vectors)
    control = joined(*members, rule=IdentityRule(0.3, 0.025))
    assert sum(len(group) == 2 for group in control) < 5


def test_the_order_of_runs_and_tracklets_does_not_matter():
    rng = np.random.default_rng(5)
    members, _ = make_crowd(rng, runs=3)
    rule = IdentityRule(0.4, 0.025)
    expected = {frozenset(group) for group in joined(*members, rule=rule)}
    assert any(len(group) == 3 for group in expected)
    for _ in range(3):
        order = rng.permutation(len(members))
        found = joined(*(members[row] for row in order), rule=rule)
        assert {frozenset(order[group].tolist()) for group in found} == expected


def test_groups_that_are_one_already_stay_one_and_nothing_at_all_is_no_error():
    found = joined(seen(0, 0), seen(0, 90, 20), seen(1, 45), groups=[[0, 1], [2]])
    assert [0, 1] in found or [0, 1, 2] in found
    assert joined() == []
    empty = np.zeros((0, 0), np.float32)
    assert joined(seen(0, 0, vectors=empty), seen(1, 0, vectors=empty)) == [[0], [1]]
