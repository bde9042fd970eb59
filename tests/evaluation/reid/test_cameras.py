from __future__ import annotations

import numpy as np
import pytest

from helpers.reciprocal_oracle import unit
from mot_dinov3.evaluation.reid.cameras import FEWEST, normalise_cameras


def test_what_a_camera_adds_is_taken_away():
    rng = np.random.default_rng(0)
    people = unit(rng.normal(size=(40, 32)))
    tint = unit(rng.normal(size=(2, 32)))
    seen = unit(np.concatenate([people + 2 * tint[0], people + 2 * tint[1]]))
    found = normalise_cameras(seen, np.repeat([1, 2], 40))
    own, before = (found[:40] * found[40:]).sum(axis=1), (seen[:40] * seen[40:]).sum(axis=1)
    assert own.mean() > 0.95 > before.mean() + 0.5
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-6)
    assert found.dtype == np.float32


def test_unknown_cameras_and_those_with_few_pictures_stay():
    rows = unit(np.random.default_rng(1).normal(size=(3 * FEWEST - 1, 8)))
    camera = np.array([5] * FEWEST + [6] * (FEWEST - 1) + [-1] * FEWEST)
    found = normalise_cameras(rows, camera)
    assert (found[FEWEST:] == rows[FEWEST:]).all()
    assert (found[:FEWEST] != rows[:FEWEST]).any(axis=1).all()


def test_copies_keep_their_direction():
    rows = unit(np.ones((FEWEST, 4)))
    assert normalise_cameras(rows, np.ones(FEWEST, np.int64)) == pytest.approx(rows)
