"""Suspected switches: soon, of one class, and alike or in the same place."""

from __future__ import annotations

import numpy as np

from helpers.reports import FPS, look, recorded, result
from mot_dinov3.outputs.report.suspects import MOST_SUSPECTS, find_high_similarity, find_suspects

HERE, THERE = (10, 10, 50, 110), (400, 10, 440, 110)


def found(run):
    return find_suspects(list(run.tracks.values()), run.frames["time_s"])


def scene(gap, second=HERE, told=(), frames=20, after=20, **more):
    """1 is here for `frames`, then nobody for `gap` frames, then 2 at `second`."""
    first = [result(i, {1: HERE}) for i in range(frames)]
    nobody = [result(frames + i, {}) for i in range(gap)]
    later = [result(frames + gap + i, {2: second}, **more) for i in range(after)]
    return recorded([*first, *nobody, *later], looks={frames + gap: told})


def test_a_newcomer_in_the_same_place_is_suspected():
    (pair,) = found(scene(gap=2))
    assert (pair.ended, pair.begun, pair.ends, pair.begins) == (1, 2, 19, 22)
    assert pair.overlap > 0.9
    assert pair.similarity is None
    assert abs(pair.gap_s - 3 / FPS) < 1e-6


def test_place_is_no_reason_after_a_while_but_looks_are():
    assert found(scene(gap=2 * FPS)) == []
    (pair,) = found(scene(gap=2 * FPS, second=THERE, told=[look(2, like_1=0.95)]))
    assert pair.similarity == 0.95
    assert pair.overlap == 0


def test_neither_looks_nor_place_is_no_suspicion():
    assert found(scene(gap=2, second=THERE, told=[look(2, like_1=0.3)])) == []


def test_after_three_seconds_nobody_is_suspected():
    assert found(scene(gap=4 * FPS, told=[look(2, like_1=0.99)])) == []


def test_who_is_still_there_is_not_suspected():
    frames = [result(i, {1: HERE, **({2: HERE} if i > 5 else {})}) for i in range(20)]
    assert found(recorded(frames)) == []


def test_another_class_is_not_suspected():
    run = scene(gap=2)
    run.tracks[2].class_id = 1
    assert found(run) == []


def test_a_moving_identity_is_sought_where_it_went():
    def at(i, speed=20):
        return tuple(np.add(HERE, (speed * i, 0, speed * i, 0)))

    first = [result(i, {1: at(i)}) for i in range(15)]
    nobody = [result(15 + i, {}) for i in range(4)]
    later = [result(19 + i, {2: at(19 + i)}) for i in range(5)]
    (pair,) = found(recorded([*first, *nobody, *later]))
    assert pair.overlap > 0.9


def test_what_counts_as_high_is_what_the_run_is_used_to():
    run = scene(gap=2)
    run.tracks[1].similarity = [(i, 0.5 + i / 100) for i in range(40)]
    assert 0.5 < find_high_similarity(run.tracks.values()) < 0.6
    assert find_high_similarity([]) == 0.7


def test_the_most_alike_come_first_and_not_too_many():
    many = MOST_SUSPECTS + 20
    frames = [result(0, {i + 1: (50 * i, 0, 50 * i + 40, 90) for i in range(many)}), result(1, {})]
    frames += [result(2 + k, {1000 + i: (50 * i, 0, 50 * i + 40, 90) for i in range(many)})
               for k in range(3)]  # fmt: skip
    told = {2: [look(1000 + i, **{f"like_{i + 1}": 0.7 + i / 1000}) for i in range(many)]}
    pairs = found(recorded(frames, looks=told))
    assert len(pairs) == MOST_SUSPECTS
    assert pairs[0].similarity == max(pair.similarity for pair in pairs) == 0.7 + (many - 1) / 1000
