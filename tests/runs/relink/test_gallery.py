"""Embeddings of an identity: few, and spread over its whole life."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.runs.relink.gallery import SpreadGallery


def filled(count, most=8):
    gallery = SpreadGallery(most)
    for number in range(count):
        gallery.add(np.array([number, 0.0], np.float32))
    return gallery.vectors[:, 0].astype(int).tolist() if count else gallery.vectors


def test_what_fits_is_kept():
    assert filled(0).shape == (0, 0)
    assert filled(1) == [0]
    assert filled(8) == list(range(8))


@pytest.mark.parametrize("count", [9, 20, 33, 100, 1000, 12345])
def test_many_are_spread_evenly_and_bounded(count):
    kept = filled(count)
    assert 4 <= len(kept) <= 8
    steps = set(np.diff(kept).tolist())
    assert len(steps) == 1
    assert kept[0] == 0
    assert count - kept[-1] <= 2 * steps.pop()


def test_a_kept_vector_does_not_follow_the_array_it_came_from():
    gallery, vector = SpreadGallery(), np.array([1.0, 0.0], np.float32)
    gallery.add(vector)
    vector[:] = 0
    assert gallery.vectors.tolist() == [[1.0, 0.0]]
