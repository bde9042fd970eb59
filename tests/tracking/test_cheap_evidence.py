from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.tracking.association.base import NearPairs
from mot_dinov3.tracking.cheap_evidence import HALF_LIFE_S, CheapGallery

ALL = np.arange(3)
NONE_AWAY = np.zeros(3, np.float32)


def seen(weight=0.5, frames=80, appearance=None):
    """Three tracks that were watched for a while, each with a direction of its own."""
    gallery = CheapGallery(weight)
    rng = np.random.default_rng(0)
    for _ in range(frames):
        vectors = (np.eye(3, 6) if appearance is None else appearance) + 0.1 * rng.standard_normal(
            (3, 6)
        )
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        gallery.update(ALL, vectors.astype(np.float32))
    return gallery


def rate(gallery, rows, columns, vectors=None, away_s=NONE_AWAY):
    vectors = np.eye(3, 6, dtype=np.float32) if vectors is None else vectors
    level = np.full(len(rows), 0.5, np.float32)
    near = NearPairs(np.array(rows), np.array(columns), level, level, level)
    return gallery.rate(near, vectors, away_s)


def test_the_same_gets_cheaper_and_a_stranger_dearer():
    own, other = rate(seen(), [0, 0], [0, 1])
    assert own == pytest.approx(0.5 * (0 - 0.5), abs=0.05)
    assert other == pytest.approx(0.5 * (1 - 0.5), abs=0.05)


def test_it_fades_while_a_track_is_unseen():
    away = np.array([0, HALF_LIFE_S, 0], np.float32)
    now, then = rate(seen(), [0, 1], [0, 1], away_s=away)
    assert then == pytest.approx(now / 2, rel=0.1)


def test_evidence_that_tells_no_two_tracks_apart_counts_nothing():
    alike = np.ones((3, 6)) / np.sqrt(6)
    useless = seen(appearance=alike, frames=400)
    assert useless.reliability < 0.05 < 0.9 < seen().reliability
    assert np.abs(rate(useless, [0, 0], [0, 1])).max() < 0.02


def test_missing_evidence_is_no_evidence():
    gallery = seen()
    vectors = np.full((3, 6), np.nan, np.float32)
    assert rate(gallery, [0, 1], [0, 2], vectors).tolist() == [0, 0]
    before = gallery.mean.copy()
    gallery.update(np.array([0, -1, 1, 2]), vectors)
    np.testing.assert_array_equal(gallery.mean[:3], before)
    assert gallery.known.tolist() == [True, True, True, False]


def test_rows_stay_with_their_tracks():
    gallery = seen()
    gallery.keep(np.array([False, True, True]))
    gallery.update(np.array([-1, -1, 0]), np.eye(1, 6, k=4, dtype=np.float32))
    assert gallery.mean.argmax(axis=1).tolist() == [1, 2, 4]
    assert len(gallery) == 3


def test_no_cost_changes_before_anything_was_seen():
    assert rate(CheapGallery(0.5), [0, 1], [0, 1]).tolist() == [0, 0]
    empty = CheapGallery(0.5)
    empty.keep(np.array([True, False]))
    assert len(empty) == 0
