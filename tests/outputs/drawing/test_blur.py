"""People made unrecognisable: everything a frame knows of, and nothing left to undo."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.results import Seen, result_at
from mot_dinov3.config import DrawConfig
from mot_dinov3.outputs.drawing import TrackPainter, blur_people
from mot_dinov3.outputs.drawing.blur import CELLS, MOST_CELLS, find_parts, hide_parts
from mot_dinov3.values import Detections, FrameResult, Tracks, TrackState

NAMES = {0: "person", 1: "dog", 2: "Pedestrian"}
BOX = (100, 60, 160, 220)


def noise(height=240, width=320):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def detail(image):
    """Mean difference of neighbouring pixels: about 85 of noise."""
    return np.abs(np.diff(image.astype(int), axis=1)).mean()


def inside(image, box):
    left, top, right, bottom = box
    return image[top:bottom, left:right]


@pytest.mark.parametrize(
    "track",
    [
        Seen(1, BOX),
        Seen(-1, BOX, state=TrackState.TENTATIVE),
        Seen(1, BOX, state=TrackState.LOST, seen=False),
        Seen(1, BOX, class_id=1),
    ],
    ids=["confirmed", "tentative", "lost", "dog"],
)
def test_every_box_loses_its_detail(track):
    image = noise()
    out = blur_people(image, result_at(0, track), NAMES, "boxes")
    assert detail(inside(out, BOX)) < 3
    assert (out[:, :80] == image[:, :80]).all()
    assert (image == noise()).all(), "the frame itself is left alone"


def test_a_detection_without_a_track_loses_its_detail_too():
    found = Detections(
        np.array([BOX], np.float32), np.full(1, 0.1, np.float32), np.zeros(1, np.int64)
    )
    out = blur_people(noise(), FrameResult(0, 0.0, found, Tracks.empty()), NAMES, "boxes")
    assert detail(inside(out, BOX)) < 3


def test_of_a_head_nothing_is_left_and_of_the_legs_all():
    image = noise()
    out = blur_people(image, result_at(0, Seen(1, BOX)), NAMES, "heads")
    assert detail(inside(out, (100, 60, 160, 100))) < 3
    assert (inside(out, (90, 120, 170, 240)) == inside(image, (90, 120, 170, 240))).all()


def test_a_box_that_is_cut_off_at_the_waist_has_a_larger_head():
    bust = (100, 100, 200, 200)
    out = blur_people(noise(), result_at(0, Seen(1, bust)), NAMES, "heads")
    assert detail(inside(out, (100, 100, 200, 158))) < 3


@pytest.mark.parametrize(("class_id", "has"), [(0, True), (2, True), (1, False), (77, True)])
def test_people_have_heads_and_so_may_what_has_no_name(class_id, has):
    parts = find_parts(result_at(0, Seen(1, BOX, class_id=class_id)), NAMES, "heads")
    assert bool(len(parts)) is has


@pytest.mark.parametrize("names", [{}, {0: "moving"}])
def test_what_moves_may_be_a_person(names):
    assert len(find_parts(result_at(0, Seen(1, BOX)), names, "heads")) == 2


def test_what_is_left_are_a_few_mean_colours():
    """However large the box is: two pictures with the same means look the same afterwards."""
    for box in ((0, 0, 40, 100), (0, 0, 300, 200)):
        width, height = box[2], box[3]
        cell = max(min(width, height) / CELLS, max(width, height) / MOST_CELLS)
        assert round(width / cell) * round(height / cell) <= CELLS * MOST_CELLS
        checks = np.indices((height, width)).sum(axis=0) % 2 * 200
        one = np.repeat(checks[..., None], 3, axis=2).astype(np.uint8)
        other = 200 - one
        for image in (one, other):
            hide_parts(image, np.array([box], np.float32))
        np.testing.assert_allclose(one, other, atol=2)


def test_off_costs_nothing():
    image = noise()
    assert blur_people(image, result_at(0, Seen(1, BOX)), NAMES, "off") is image


@pytest.mark.parametrize(
    "box",
    [(-50, -50, 20, 20), (310, 230, 900, 900), (5, 5, 5, 5), (9, 9, 3, 3), (np.nan,) * 4,
     (-1e30, -1e30, 1e30, 1e30), (500, 500, 600, 600)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["boxes", "heads"])
def test_odd_boxes_do_no_harm(box, kind):
    blur_people(noise(), result_at(0, Seen(1, box)), NAMES, kind)


def test_the_painter_blurs_below_its_lines():
    painter = TrackPainter(DrawConfig(blur="boxes", labels="none"))
    out = painter.draw(noise(), result_at(0, Seen(1, BOX)), NAMES)
    assert detail(inside(out, (105, 65, 155, 215))) < 3
