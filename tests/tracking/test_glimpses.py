from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.tracking.glimpses import HALF_LIFE_S, Glimpses

ALL = np.arange(3)
NOBODY_AWAY = np.zeros(3, np.float32)
LEVEL = np.full(3, 0.5, np.float32)


def seen(weight=0.5, frames=80, looks=None):
    """Three tracks that were watched for a while, each with a direction of its own."""
    glimpses = Glimpses(weight)
    rng = np.random.default_rng(0)
    for _ in range(frames):
        vectors = (np.eye(3, 6) if looks is None else looks) + 0.1 * rng.standard_normal((3, 6))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        glimpses.follow(ALL, vectors.astype(np.float32))
    return glimpses


def hint(glimpses, rows, columns, vectors=None, away_s=NOBODY_AWAY):
    vectors = np.eye(3, 6, dtype=np.float32) if vectors is None else vectors
    return glimpses.hint(np.array(rows), np.array(columns), LEVEL[: len(rows)], vectors, away_s)


def test_the_same_gets_cheaper_and_a_stranger_dearer():
    own, other = hint(seen(), [0, 0], [0, 1])
    assert own == pytest.approx(0.5 * (0 - 0.5), abs=0.05)
    assert other == pytest.approx(0.5 * (1 - 0.5), abs=0.05)


def test_it_fades_while_a_track_is_unseen():
    away = np.array([0, HALF_LIFE_S, 0], np.float32)
    now, then = hint(seen(), [0, 1], [0, 1], away_s=away)
    assert then == pytest.approx(now / 2, rel=0.1)


def test_evidence_that_tells_nobody_apart_counts_nothing():
    alike = np.ones((3, 6)) / np.sqrt(6)
    useless = seen(looks=alike, frames=400)
    assert useless.reliability < 0.05 < 0.9 < seen().reliability
    assert np.abs(hint(useless, [0, 0], [0, 1])).max() < 0.02


def test_missing_evidence_is_no_evidence():
    glimpses = seen()
    vectors = np.full((3, 6), np.nan, np.float32)
    assert hint(glimpses, [0, 1], [0, 2], vectors).tolist() == [0, 0]
    before = glimpses.mean.copy()
    glimpses.follow(np.array([0, -1, 1, 2]), vectors)
    np.testing.assert_array_equal(glimpses.mean[:3], before)
    assert glimpses.known.tolist() == [True, True, True, False]


def test_rows_stay_with_their_tracks():
    glimpses = seen()
    glimpses.keep(np.array([False, True, True]))
    glimpses.follow(np.array([-1, -1, 0]), np.eye(1, 6, k=4, dtype=np.float32))
    assert glimpses.mean.argmax(axis=1).tolist() == [1, 2, 4]
    assert len(glimpses) == 3


def test_nothing_is_hinted_before_anything_was_seen():
    assert hint(Glimpses(0.5), [0, 1], [0, 1]).tolist() == [0, 0]
    empty = Glimpses(0.5)
    empty.keep(np.array([True, False]))
    assert len(empty) == 0
