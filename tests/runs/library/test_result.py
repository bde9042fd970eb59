"""What the library says about a frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.fakes import boxes
from mot_dinov3 import Tracker
from mot_dinov3.config import DrawConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.result import ResultMaker
from mot_dinov3.values import CONFIRMED, FrameResult, Tracks

IMAGE = np.full((240, 320, 3), 200, np.uint8)
BOXES = np.array([[10, 40, 60, 200, 0.9, 0], [100, 40, 150, 200, 0.8, 2]])
NAMES = {0: "person", 2: "car"}


def follow(*frames, image=IMAGE):
    """The last result of a tracker that gets these boxes, ten frames a second."""
    tracker = Tracker(embedder="none", fps=10, names=NAMES, device="cpu")
    for frame in frames:
        result = tracker.update(frame, image)
    return result


@pytest.fixture
def seen():
    return follow(BOXES, BOXES, BOXES)


@pytest.fixture
def partly_lost():
    """One track is seen, one is lost, and a third one has just begun."""
    new = [[200, 40, 250, 200, 0.9, 0]]
    return follow(BOXES, BOXES, BOXES, np.concatenate([new, BOXES[:1]]))


def test_only_confirmed_tracks_that_are_seen_are_tracks(partly_lost):
    assert partly_lost.tracks.id.tolist() == [1]
    assert partly_lost.tracks.detection.tolist() == [1]
    assert len(partly_lost.all_tracks) == 3
    assert len(partly_lost) == 1


def test_a_result_is_told_in_a_line(seen):
    assert repr(seen) == "<Result of frame 2, 0.200 s: 2 detections, ids [1, 2]>"


def test_a_picture_shows_the_tracks_and_leaves_the_image_alone(seen):
    drawn = seen.plot()
    assert drawn.shape == IMAGE.shape
    assert (IMAGE == 200).all()
    changed = (drawn != IMAGE).any(axis=2)
    assert changed[40, 10:60].all()
    assert not changed[60:190, 65:95].any()


def test_lost_tracks_are_drawn_only_when_asked_for(partly_lost):
    usual, lost = (
        (partly_lost.plot(draw_lost=on) != IMAGE).any(axis=2)[:, 90:160] for on in (False, True)
    )
    assert not usual.any()
    assert lost.any()
    assert not (partly_lost.plot(draw_lost=True) != IMAGE)[:, 195:255].any(), "tentative"


def test_settings_of_drawing_are_those_of_the_tracker_and_of_the_call():
    tracker = Tracker(embedder="none", fps=10, line_thickness=9, device="cpu")
    result = tracker.update(BOXES, IMAGE)
    thick, thin = (
        (result.plot(**more) != IMAGE).any(axis=2).sum() for more in ({}, {"line_thickness": 1})
    )
    assert thick > 2 * thin


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        ({"font_scal": 1}, "plot() has no setting font_scal=."),
        ({"conf": 0.5}, "plot() does not read conf=."),
        ({"font_scale": -1}, "--font-scale must be between 0 and 20"),
    ],
)
def test_a_wrong_setting_of_drawing_is_one_sentence(seen, flags, what):
    with pytest.raises(UsageError) as caught:
        seen.plot(**flags)
    assert what in caught.value.what


def test_trails_show_where_tracks_were():
    tracker = Tracker(embedder="none", fps=10, trails=1, device="cpu")
    for step in range(6):
        result = tracker.update(BOXES[:1] + np.array([20, 0, 20, 0, 0, 0]) * step, IMAGE)
    with_trails, without = (
        (result.plot(labels="none", **more) != IMAGE).any(axis=2)[190:210, 30:100].any()
        for more in ({}, {"trails": 0})
    )
    assert with_trails
    assert not without
    assert [frame.frame_index for frame in result.past] == [0, 1, 2, 3, 4]


def test_the_past_is_kept_as_long_as_trails_are():
    tracker = Tracker(embedder="none", fps=10, trails=0.25, device="cpu")
    for _ in range(9):
        result = tracker.update(BOXES)
    assert [frame.frame_index for frame in result.past] == [5, 6, 7]
    with pytest.raises(UsageError, match=r"plot\(trails=2\) draws frames that were not kept"):
        follow(BOXES).plot(trails=2)


def test_a_track_that_is_not_seen_is_none_whatever_its_state():
    tracks = Tracks(
        id=np.array([1, 2]),
        xyxy=np.zeros((2, 4), np.float32),
        score=np.ones(2, np.float32),
        class_id=np.zeros(2, np.int64),
        state=np.full(2, CONFIRMED, np.int8),
        fresh=np.zeros(2, bool),
        detection=np.array([-1, 0]),
    )
    found = FrameResult(0, 0.0, boxes((0, 0, 9, 9)), tracks)
    assert ResultMaker(DrawConfig()).make(found, None, {}).tracks.id.tolist() == [2]


def test_a_notebook_shows_the_picture(seen):
    picture = cv2.imdecode(np.frombuffer(seen._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(picture, seen.plot())


def test_without_a_picture_there_is_nothing_to_draw_on():
    result = follow(BOXES, image=None)
    assert result._repr_png_() is None
    with pytest.raises(UsageError, match="no picture to draw on"):
        result.plot()
