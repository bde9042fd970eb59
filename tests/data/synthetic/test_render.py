from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.data.synthetic.paint import Sprite, SpriteCanvas
from mot_dinov3.data.synthetic.render import Stage, Stamp, blend, resize_sprite

GREY, RED, GREEN = 90, (0, 0, 250), (0, 250, 0)


def block(width, height, colour):
    """A solid block with its foot in the middle of its bottom edge, 10 pixels per unit."""
    canvas = SpriteCanvas((width + 2, height + 2), (width / 2 + 1, height + 1), 10)
    half = width / 2
    canvas.polygon([(-half, 0), (-half, -height), (half, -height), (half, 0)], colour)
    return Sprite.of(canvas)


def drawn(*stamps, size=(100, 100)):
    stage = Stage(np.full((*size, 3), GREY, np.uint8))
    stage.draw(list(stamps))
    return stage


def test_a_thing_alone_is_seen_whole_where_it_stands():
    stage = drawn(Stamp(block(2, 3, RED), 50, 80, 10, track_id=7, class_id=1))
    truth = stage.truth()
    assert truth.track_id.tolist() == [7]
    assert truth.class_id.tolist() == [1]
    assert truth.visibility.tolist() == [1.0]
    np.testing.assert_allclose(truth.xyxy[0], [40, 50, 60, 80], atol=1.5)
    assert stage.picture[65, 50].tolist() == list(RED)


def test_the_nearer_one_covers_the_farther_one_whatever_the_order():
    far = Stamp(block(2, 3, RED), 50, 70, 10, track_id=1, class_id=0)
    near = Stamp(block(2, 3, GREEN), 60, 75, 10, track_id=2, class_id=0)
    for stage in (drawn(far, near), drawn(near, far)):
        truth = stage.truth()
        assert stage.picture[60, 55].tolist() == list(GREEN)
        assert truth.visibility[1] == 1.0
        hidden = truth.visibility[0]
        overlap = (10 * 25) / (20 * 30)
        assert hidden == pytest.approx(1 - overlap, abs=0.06)


def test_scenery_hides_and_has_no_truth_of_its_own():
    stage = drawn(
        Stamp(block(2, 3, RED), 50, 70, 10, track_id=1, class_id=0),
        Stamp(block(4, 4, GREEN), 50, 80, 10),
    )
    truth = stage.truth()
    assert truth.track_id.tolist() == [1]
    assert truth.visibility[0] == pytest.approx(0.0, abs=0.05)


def test_the_border_cuts_the_box_and_counts_as_hidden():
    truth = drawn(Stamp(block(4, 2, RED), 0, 60, 10, track_id=1, class_id=0)).truth()
    assert truth.visibility[0] == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(truth.xyxy[0], [0, 40, 20, 60], atol=1.5)


def test_what_is_outside_is_not_in_the_truth():
    assert len(drawn(Stamp(block(2, 3, RED), 300, 60, 10, track_id=1, class_id=0)).truth()) == 0
    assert len(drawn().truth()) == 0


def test_visibility_counts_the_pixels_that_really_show():
    sprite, backdrop = block(2, 3, RED), np.full((100, 100, 3), GREY, np.uint8)
    stage = Stage(backdrop)
    stage.draw([Stamp(sprite, 50, 80, 10, 1, 0), Stamp(block(1, 9, GREEN), 57, 90, 10)])
    red = (stage.picture[..., 2] > 170) & (stage.picture[..., 1] < 130)
    alone = drawn(Stamp(sprite, 50, 80, 10, 1, 0)).picture[..., 2] > 170
    assert stage.truth().visibility[0] == pytest.approx(red.sum() / alone.sum(), abs=0.04)
    assert 0.5 < stage.truth().visibility[0] < 0.8


@pytest.mark.parametrize(("unit_px", "within_px"), [(3.0, 0.4), (7.5, 0.6), (10.0, 0.6), (26, 1.5)])
def test_a_sprite_is_drawn_at_its_size_and_place_to_half_a_pixel_of_its_own(unit_px, within_px):
    canvas = SpriteCanvas((4, 4), (2, 3), 10)
    canvas.ellipse((0, -1), (0.8, 0.8), RED)
    stamp = Stamp(Sprite.of(canvas), 40.3, 60.6, unit_px)
    patch, left, top = resize_sprite(stamp)
    weight = patch[..., 3].astype(float)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    assert (x * weight).sum() / weight.sum() + left == pytest.approx(40.3, abs=within_px)
    middle = 60.6 - unit_px
    assert (y * weight).sum() / weight.sum() + top == pytest.approx(middle, abs=within_px)
    assert weight.sum() / 255 == pytest.approx(np.pi * (0.8 * unit_px) ** 2, rel=0.15)


def test_blending_is_exact_at_the_ends_and_between_in_the_middle():
    part = np.full((1, 3, 3), 100, np.uint8)
    patch = np.array([[[0, 0, 0, 0], [200, 200, 200, 255], [100, 100, 100, 128]]], np.uint8)
    blend(part, patch)
    assert part[0, :, 0].tolist() == [100, 200, pytest.approx(150, abs=1)]
