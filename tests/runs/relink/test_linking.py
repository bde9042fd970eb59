"""Who continues whom: the limits one by one, chains, and who is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config.tracking.relink import RelinkConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.runs.relink.linking import find_candidates, find_merges
from mot_dinov3.runs.relink.tracklets import Sighting, Tracklet

CONFIG = RelinkConfig(relink=True, similarity=0.5, gap_s=10.0, speed=2.0)
PEOPLE = np.linalg.qr(np.random.default_rng(3).normal(size=(24, 24)))[0].astype(np.float32)


def looks(person, n=8, seed=0):
    """(n, 24) unit rows of one person, a little different each time."""
    rng = np.random.default_rng([person, seed])
    rows = PEOPLE[person] + 0.02 * rng.normal(size=(n, 24))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def box(x, size=40):
    return (x, 100, x + size, 100 + size)


def tracklet(number, person, begin, end, **more):
    """A person who is seen from `begin` (seconds, x) to `end`."""
    vectors = more.get("vectors", looks(person, seed=number))
    (t0, x0), (t1, x1) = begin, end
    return Tracklet(number, more.get("class_id", 0), Sighting(t0, box(x0)),
                    Sighting(t1, box(x1, more.get("size", 40))), vectors)  # fmt: skip


def strangers(first=50):
    """Others in the picture, so that there are neighbourhoods; none of them is continued."""
    return [tracklet(first + n, 10 + n, (0, 100 * n), (100, 100 * n)) for n in range(8)]


def merged(*tracklets, config=CONFIG):
    return {m.old: m.new for m in find_merges([*tracklets, *strangers()], config)}


def test_one_person_in_two_parts_is_one_identity():
    (merge,) = find_merges(
        [tracklet(1, 0, (0, 0), (2, 0)), tracklet(2, 0, (5, 60), (9, 200)), *strangers()], CONFIG
    )
    assert (merge.old, merge.new, merge.after) == (2, 1, 1)
    assert merge.gap_s == pytest.approx(3)
    assert 0.5 <= merge.similarity <= 1


def test_strangers_stay_apart_whatever_the_place():
    assert merged(tracklet(1, 0, (0, 0), (2, 0)), tracklet(2, 1, (2.1, 0), (9, 0))) == {}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"begin": (1.9, 0)}, "both are there at once"),
        ({"begin": (2, 0)}, "they are there in one frame"),
        ({"begin": (12.1, 0)}, "too long"),
        ({"begin": (3, 200)}, "too fast: 5 sizes, 1 + 2 allowed"),
        ({"class_id": 1}, "another class"),
        ({"vectors": np.zeros((0, 0), np.float32)}, "nothing is known of the looks"),
    ],
)
def test_a_limit_keeps_one_look_apart(change, why):
    later = {"begin": (3, 0)} | change
    begin = later.pop("begin")
    two = [tracklet(1, 0, (0, 0), (2, 0)), tracklet(2, 0, begin, (20, 0), **later)]
    assert merged(*two) == {}, why
    two[1] = tracklet(2, 0, (3, 0), (20, 0))
    assert merged(*two) == {2: 1}


def test_a_box_does_not_grow_threefold_behind_a_pillar():
    assert merged(tracklet(1, 0, (0, 0), (2, 0), size=130), tracklet(2, 0, (3, 0), (9, 0))) == {}
    assert merged(tracklet(1, 0, (0, 0), (2, 0), size=70), tracklet(2, 0, (3, 0), (9, 0)))


def test_a_chain_takes_the_first_identity_and_never_overlaps_itself():
    chain = [tracklet(n, 0, (4 * n, 0), (4 * n + 2, 0)) for n in (1, 2, 3, 4)]
    assert merged(*chain) == {2: 1, 3: 1, 4: 1}
    after = {m.old: m.after for m in find_merges([*chain, *strangers()], CONFIG)}
    assert after == {2: 1, 3: 2, 4: 3}


def test_two_that_were_there_at_once_do_not_both_continue_a_third():
    one = tracklet(1, 0, (0, 0), (2, 0))
    twins = [tracklet(2, 0, (3, 0), (9, 0)), tracklet(3, 0, (3, 40), (9, 40))]
    assert len(merged(one, *twins)) == 1


def test_the_order_of_the_list_does_not_matter():
    parts = [tracklet(n, n % 3, (3 * n, 0), (3 * n + 2, 0)) for n in range(1, 10)]
    assert merged(*parts) == merged(*reversed(parts)) != {}


def test_what_is_not_alike_enough_stays_apart():
    two = tracklet(1, 0, (0, 0), (2, 0)), tracklet(2, 0, (3, 0), (9, 0))
    (merge,) = find_merges([*two, *strangers()], CONFIG)
    stricter = RelinkConfig(True, merge.similarity + 0.01, 10.0, 2.0)
    assert merged(*two, config=stricter) == {}
    assert merged(*two, config=RelinkConfig(True, merge.similarity, 10.0, 2.0)) == {2: 1}


def test_nobody_has_nobody_to_merge():
    assert find_merges([], CONFIG) == []
    rows, columns = find_candidates([], CONFIG)
    assert len(rows) == len(columns) == 0


@pytest.mark.parametrize(
    "change", [{"similarity": 1.5}, {"similarity": -0.1}, {"gap_s": 0}, {"speed": -1}]
)
def test_limits_that_make_no_sense_are_refused(change):
    with pytest.raises(UsageError, match="--relink-"):
        RelinkConfig(**change)
