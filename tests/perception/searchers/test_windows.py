"""Windows keep their scale at the border, and cost nothing beyond it."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.perception.searchers.windows import FILL, Window, cut_window, plan_window


def test_a_window_is_a_square_round_the_box():
    window = plan_window(np.array([100, 50, 140, 60], np.float32), 2.0)
    assert window == Window(100, 35, 40)
    box = np.array([[100, 50, 140, 60]], np.float32)
    assert window.enter(box).tolist() == [pytest.approx([0, 0.375, 1, 0.625])]
    assert window.leave(window.enter(box)) == pytest.approx(box)


@pytest.mark.parametrize("size_px", [16, 64, 20])
def test_pixels_are_where_enter_says(size_px):
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:40, 30:50] = 255
    window = Window(20, 10, 40)
    cut = cut_window(image, window, size_px)
    left, top, right, bottom = window.enter(np.array([30, 20, 50, 40], np.float32)) * size_px
    assert cut.shape == (size_px, size_px, 3)
    inside = cut[round(top) : round(bottom), round(left) : round(right)]
    assert inside.min() > 100
    assert float(cut.sum()) == pytest.approx(float(inside.sum()), rel=0.15)


def test_what_the_picture_does_not_have_is_grey():
    image = np.full((40, 40, 3), 200, np.uint8)
    cut = cut_window(image, Window(-20, 0, 40), 20)
    assert (cut[:, :10] == FILL).all()
    assert (cut[:, 10:] == 200).all()
    outside = cut_window(image, Window(500, 500, 40), 20)
    assert (outside == FILL).all()


def test_a_window_far_larger_than_the_picture_costs_nothing():
    image = np.full((40, 40, 3), 200, np.uint8)
    window = plan_window(np.array([-1e9, -1e9, 1e9, 1e9], np.float32), 4.0)
    assert cut_window(image, window, 32).shape == (32, 32, 3)
    flat = plan_window(np.array([5, 5, 5, 5], np.float32), 4.0)
    assert cut_window(image, flat, 32).shape == (32, 32, 3)
