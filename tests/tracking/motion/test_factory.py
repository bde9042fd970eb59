"""Which motion model a name means."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.situations import box, motion
from mot_dinov3.errors import UnknownNameError, UsageError
from mot_dinov3.tracking.motion.factory import MOTIONS, create_motion
from mot_dinov3.tracking.motion.kalman import KalmanMotion


def test_the_default_is_a_kalman_filter_without_tracks():
    model = create_motion(motion())
    assert isinstance(model, KalmanMotion)
    assert len(model) == 0
    assert model.xyxy().shape == (0, 4)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownNameError) as caught:
        create_motion(motion(motion="kalmann"))
    assert all(name in str(caught.value) for name in MOTIONS)


def test_kalman_takes_no_argument():
    with pytest.raises(UsageError, match="takes no argument"):
        create_motion(motion(motion="kalman:9"))


def test_tracks_are_appended_in_the_order_in_which_they_are_initiated():
    model = create_motion(motion())
    model.initiate(np.array([box(100)], np.float32), np.ones(1, np.float32))
    model.initiate(np.array([box(300), box(500)], np.float32), np.ones(2, np.float32))
    np.testing.assert_allclose(model.xyxy()[:, 0], [100, 300, 500])
