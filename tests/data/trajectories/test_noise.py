"""Replayed noise: it is that of the detector, in runs, and nothing is seen where nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.moving_together import draw_together
from mot_dinov3.data.trajectories.noise import DetectorNoise

WIDE = np.array([3.0, 0.0, 3.0, 0.0], np.float32)
"""Boxes of 30 pixels that are seen a tenth of their width too far to the right."""


def shifted(**changes):
    one = draw_together(0, frames=20)
    return replace(one, seen=one.truth + WIDE, score=one.score * 0.7, detected=True, **changes)


def test_errors_are_laid_over_other_boxes():
    noise = DetectorNoise.learn([shifted()])
    truth = draw_together(1, frames=50).truth * 2  # boxes of 60 pixels
    seen, score = noise.replay(truth, np.random.default_rng(0))
    np.testing.assert_allclose(seen - truth, np.broadcast_to(WIDE * 2, truth.shape), atol=1e-2)
    np.testing.assert_allclose(score, 0.7, atol=1e-6)


def test_misses_come_in_the_runs_in_which_they_came():
    one = shifted()
    one.seen[8:13] = np.nan
    truth = draw_together(1, frames=20).truth
    seen, score = DetectorNoise.learn([one]).replay(truth, np.random.default_rng(0))
    missed = np.isnan(seen[..., 0])
    assert set(missed.sum(axis=0)) == {5}
    np.testing.assert_array_equal(score == 0, missed)


def test_what_is_absent_is_not_seen():
    truth = draw_together(1, frames=20).truth
    truth[3:9, 2] = np.nan
    seen, score = DetectorNoise.learn([shifted()]).replay(truth, np.random.default_rng(0))
    assert np.isnan(seen[3:9, 2]).all()
    assert (score[3:9, 2] == 0).all()


def test_without_detections_there_is_nothing_to_learn():
    assert DetectorNoise.learn([draw_together(0)]) is None
