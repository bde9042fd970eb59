"""How like their past identities look: compared before it is learned, forgotten in time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mot_dinov3.outputs.appearance import (
    MOST_NAMED,
    MOST_REMEMBERED,
    REMEMBERED_S,
    AppearanceHistory,
)
from mot_dinov3.values import CONFIRMED, Detections, Embeddings, FrameResult, Tracks

EAST, NORTH = (1.0, 0.0), (0.0, 1.0)


def frame(time_s, seen, fresh=True):
    """A result in which identity i of `seen` looks like seen[i]."""
    n = len(seen)
    boxes = np.tile(np.array([[0, 0, 9, 9]], np.float32), (n, 1))
    rows = np.arange(n)[::-1].copy()
    vectors = np.array(list(seen.values()), np.float32).reshape(n, -1)[rows]
    flags = np.full(n, fresh)
    score, class_id = np.ones(n, np.float32), np.zeros(n, np.int64)
    tracks = Tracks(np.array(list(seen), np.int64), boxes, score, class_id,
                    np.full(n, CONFIRMED, np.int8), flags, rows)  # fmt: skip
    told = Embeddings(vectors, flags, np.ones(n, np.bool_))
    return FrameResult(0, time_s, Detections(boxes, score, class_id), tracks, embeddings=told)


def between(angle):
    return math.cos(angle), math.sin(angle)


def test_an_embedding_is_compared_with_what_came_before_it():
    likeness = AppearanceHistory()
    (first,) = likeness.update(frame(0.0, {5: EAST}))
    assert math.isnan(first.similarity)
    assert first.resembles == ()
    (second,) = likeness.update(frame(0.1, {5: between(1.0)}))
    assert second.similarity == pytest.approx(math.cos(1.0), abs=1e-5)
    (third,) = likeness.update(frame(0.2, {5: between(1.0)}))
    assert second.similarity < third.similarity < 1


def test_a_newcomer_is_compared_with_who_left_not_with_who_is_there():
    likeness = AppearanceHistory()
    likeness.update(frame(0.0, {1: EAST, 2: between(0.2), 3: NORTH}))
    looks = likeness.update(frame(1.0, {3: NORTH, 9: EAST}))
    newcomer = next(look for look in looks if look.track_id == 9)
    assert newcomer.resembles == (
        (1, pytest.approx(1.0)),
        (2, pytest.approx(math.cos(0.2), abs=1e-5)),
    )


def test_only_the_likest_are_named():
    likeness = AppearanceHistory()
    likeness.update(frame(0.0, {n: between(n / 10) for n in range(1, 9)}))
    (look,) = likeness.update(frame(1.0, {20: EAST}))
    assert [other for other, _ in look.resembles] == [1, 2, 3][:MOST_NAMED]


def test_who_left_long_ago_is_forgotten():
    likeness = AppearanceHistory()
    likeness.update(frame(0.0, {1: EAST}))
    likeness.update(frame(REMEMBERED_S + 1, {2: NORTH}))
    (look,) = likeness.update(frame(REMEMBERED_S + 2, {3: EAST}))
    assert [other for other, _ in look.resembles] == [2]


def test_who_is_seen_without_an_embedding_is_not_forgotten():
    likeness = AppearanceHistory()
    likeness.update(frame(0.0, {1: EAST}))
    for second in range(1, 30):
        assert likeness.update(frame(float(second), {1: EAST}, fresh=False)) == []
    (look,) = likeness.update(frame(30.0, {1: EAST}))
    assert look.similarity == pytest.approx(1.0)


def test_memory_is_bounded_however_many_come():
    likeness = AppearanceHistory()
    for n in range(MOST_REMEMBERED + 50):
        likeness.update(frame(n / 1000, {n + 1: EAST}))
    assert len(likeness._known) == MOST_REMEMBERED


def test_nothing_is_told_without_embeddings():
    result = frame(0.0, {1: EAST})
    bare = FrameResult(0, 0.0, result.detections, result.tracks)
    assert AppearanceHistory().update(bare) == []
    unknown = FrameResult(0, 0.0, result.detections, result.tracks, embeddings=Embeddings.none(1))
    assert AppearanceHistory().update(unknown) == []
