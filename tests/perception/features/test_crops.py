from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mot_dinov3.perception.features.crops import CropShape, InputSpec, cpu_batch, crop_windows

SQUARE = InputSpec(64, 64)
UPRIGHT = InputSpec(64, 32)
PLAIN = InputSpec(64, 64, mean=(0.25, 0.5, 0.75), std=(1.0, 1.0, 1.0))
FRAME = (320, 240)


def one_window(box, spec=SQUARE, pad=0.0, square=True):
    windows = crop_windows(np.array([box], np.float32), FRAME, spec, pad, square)
    return windows.source[0].tolist(), windows.target[0].tolist()


def test_a_square_window_grows_the_short_side_about_the_centre():
    assert one_window([100, 100, 120, 160]) == ([80, 100, 140, 160], [0, 0, 64, 64])


def test_padding_adds_its_share_on_each_side():
    source, _ = one_window([100, 100, 120, 140], pad=0.25, square=False)
    assert source == [95, 90, 125, 150]


def test_a_window_that_follows_the_box_fills_the_input():
    source, target = one_window([-20, 50, 20, 90], UPRIGHT, square=False)
    assert source == [0, 50, 20, 90]
    assert target == [0, 0, 32, 64]


def test_a_square_at_the_border_keeps_its_place_and_proportions():
    source, target = one_window([-32, 100, 32, 164])
    assert source == [0, 100, 32, 164]
    assert target == [32, 0, 64, 64]


def test_what_the_frame_lacks_has_the_models_mean_colour(picture):
    windows = crop_windows(np.array([[-32, 100, 32, 164]], np.float32), FRAME, PLAIN, 0.0, True)
    batch = cpu_batch(picture, windows, PLAIN)
    assert not batch[0, :, :, :32].any()
    assert batch[0, :, :, 32:].any(axis=0).all()


def test_pixels_are_rgb_scaled_and_normalised():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:] = (51, 102, 204)
    windows = crop_windows(np.array([[0, 0, 20, 20]], np.float32), (20, 20), PLAIN, 0.0, True)
    red, green, blue = cpu_batch(image, windows, PLAIN)[0, :, 30, 30].tolist()
    assert (red, green, blue) == pytest.approx((0.8 - 0.25, 0.4 - 0.5, 0.2 - 0.75), abs=1e-6)


def test_a_crop_of_the_inputs_own_size_is_copied_pixel_by_pixel(picture):
    spec = InputSpec(64, 64, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), rescale=1.0)
    windows = crop_windows(np.array([[10, 20, 74, 84]], np.float32), FRAME, spec, 0.0, True)
    batch = cpu_batch(picture, windows, spec)
    expected = picture[20:84, 10:74, ::-1].transpose(2, 0, 1)
    np.testing.assert_array_equal(batch[0], expected)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([np.nan, 0, 10, 10], id="not a number"),
        pytest.param([0, 0, np.inf, 10], id="infinite"),
        pytest.param([10, 10, 10, 50], id="no width"),
        pytest.param([50, 10, 20, 60], id="inside out"),
        pytest.param([-50, 10, -1, 60], id="left of the frame"),
        pytest.param([320, 10, 400, 60], id="right of the frame"),
        pytest.param([10, 240, 60, 300], id="below the frame"),
    ],
)
@pytest.mark.parametrize("square", [True, False])
def test_a_box_that_shows_nothing_has_no_window(box, square):
    boxes = np.array([[10, 10, 50, 50], box, [60, 60, 90, 90]], np.float32)
    assert crop_windows(boxes, FRAME, SQUARE, 0.12, square).rows.tolist() == [0, 2]


numbers = st.one_of(
    st.floats(-500, 800, width=32), st.floats(width=32), st.sampled_from([0.0, 240.0, 320.0])
)


@settings(max_examples=300, deadline=None)
@given(
    boxes=st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=6),
    pad=st.sampled_from([0.0, 0.12, 4.0]),
    square=st.booleans(),
)
def test_any_boxes_give_windows_inside_frame_and_input(boxes, pad, square):
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    windows = crop_windows(xyxy, FRAME, UPRIGHT, pad, square)
    for inside, (width, height) in ((windows.source, FRAME), (windows.target, (32, 64))):
        assert (inside[:, :2] >= 0).all()
        assert (inside[:, 2:] > inside[:, :2]).all()
        assert (inside[:, 2] <= width).all()
        assert (inside[:, 3] <= height).all()
    assert np.isfinite(xyxy[windows.rows]).all()


@pytest.mark.parametrize("square", [True, False])
def test_a_wild_box_overflows_nothing(square):
    wild = np.array([[0, 0, 3e38, 10], [-3e38, -3e38, 3e38, 3e38]], np.float32)
    windows = crop_windows(wild, FRAME, SQUARE, 4.0, square)
    assert windows.source[1].tolist() == [0, 0, 320, 240]


def test_no_boxes_give_an_empty_batch(picture):
    windows = crop_windows(np.empty((0, 4), np.float32), FRAME, SQUARE, 0.12, True)
    assert cpu_batch(picture, windows, SQUARE).shape == (0, 3, 64, 64)


def test_shrinking_is_antialiased():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    windows = crop_windows(np.array([[0, 0, 256, 256]], np.float32), (256, 256), PLAIN, 0.0, True)
    grey = cpu_batch(stripes, windows, PLAIN)[0, 1] + 0.5
    np.testing.assert_allclose(grey[:, 2:-2], 0.5, atol=0.02)


def test_windows_are_taken_in_parts(picture):
    boxes = np.array([[-20, 30, 60, 150], [100, 50, 180, 230], [10, 10, 30, 22]], np.float32)
    shape = CropShape(SQUARE, pad=0.12, square=True)
    windows = shape.windows(boxes, FRAME)
    whole = cpu_batch(picture, windows, SQUARE)
    parts = [cpu_batch(picture, windows[part], SQUARE) for part in (slice(0, 2), slice(2, 9))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert windows[slice(2, 9)].rows.tolist() == [2]
