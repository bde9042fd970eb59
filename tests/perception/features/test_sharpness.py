"""Blur is seen; noise, size and place are not taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mot_dinov3.perception.features.sharpness import UsualSharpness, sharpness


def picture(seed=0):
    """Patches of all sizes, as clothes and faces have them."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.uniform(0, 255, (240 // n, 320 // n)), (320, 240), interpolation=0)
        for n in (4, 10, 30)
    ]
    grey = np.mean(layers, axis=0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


BOXES = np.array([[20, 20, 80, 140], [150, 60, 210, 200]], np.float32)


def test_blur_lowers_it_more_and_more():
    found = [
        sharpness(cv2.GaussianBlur(picture(), (0, 0), sigma), BOXES).mean()
        for sigma in (0.01, 2, 4, 8)
    ]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.4 * found[0]


def test_contrast_alone_does_not_matter():
    half = (picture() // 2 + 60).astype(np.uint8)
    assert sharpness(half, BOXES) == pytest.approx(sharpness(picture(), BOXES), rel=0.05)


def test_boxes_beyond_the_border_and_flat_ones_are_no_problem():
    wild = np.array([[-50, -50, 20, 40], [300, 200, 900, 900], [5, 5, 5, 5],
                     [np.nan, 0, 9, 9]], np.float32)  # fmt: skip
    assert np.isfinite(sharpness(picture(), wild)).all()
    assert sharpness(np.zeros((9, 9, 3), np.uint8), BOXES).tolist() == [0, 0]
    assert len(sharpness(picture(), BOXES[:0])) == 0


def test_only_what_is_far_less_sharp_than_usual_loses_quality():
    usual = UsualSharpness()
    for _ in range(50):
        usual.quality(np.array([0.5, 0.6, 0.55], np.float32))
    assert usual.usual == pytest.approx(0.55, rel=0.1)
    quality = usual.quality(np.array([0.9, 0.5, 0.1], np.float32))
    assert quality[:2].tolist() == [1, 1]
    assert quality[2] == pytest.approx(0.1 / (usual.BLURRED * 0.55), rel=0.15)


def test_a_source_without_any_contrast_is_no_reason_to_refuse_its_crops():
    usual = UsualSharpness()
    for _ in range(3):
        assert usual.quality(np.zeros(2, np.float32)).tolist() == [1, 1]
