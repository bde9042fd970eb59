"""What a policy gets to see, gathered from a real tracker."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import blank_frame, boxes
from mot_dinov3.config import TrackerConfig
from mot_dinov3.scheduling.planning import (
    build_plan_input,
    find_active_rows,
    get_frame_size,
    mark_poor,
    measure_crowding,
    touches_border,
)
from mot_dinov3.scheduling.policies.base import POOR_QUALITY
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import NO_ROWS, Embeddings, EmbedPlan, Frame


def looks(*rows):
    """Fresh unit vectors from angles in degrees, None where nothing was embedded."""
    fresh = np.array([row is not None for row in rows], bool)
    angle = np.radians([row or 0.0 for row in rows])
    vectors = np.stack((np.cos(angle), np.sin(angle)), axis=1).astype(np.float32)
    return Embeddings(vectors * fresh[:, None], fresh, fresh.copy())


class Story:
    """Feeds a tracker frame by frame and shows what a policy would see."""

    def __init__(self):
        self.tracker, self.frame = Tracker(TrackerConfig()), -1

    def seen(self, *rows):
        self.frame += 1
        self.view = self.tracker.predict(self.frame / 30)
        self.scene = self.tracker.compare(boxes(*rows), self.view)
        frame = blank_frame(self.frame)
        sharp = np.ones(len(rows), np.float32)
        return build_plan_input(
            self.scene, self.view, self.tracker.associator, frame, self.frame, sharp
        )

    def then(self, *angles):
        self.tracker.update(self.scene, looks(*angles), self.view)


A, B = (100, 100, 140, 200), (300, 100, 340, 200)


def test_the_first_frame_knows_no_track():
    scene = Story().seen(A, B)
    assert len(scene) == 2
    assert scene.cost.shape == (2, 0)
    assert scene.returns.shape == (2, 0)
    assert scene.frame_wh == (640, 480)


def test_history_arrives_with_the_track_it_belongs_to():
    story = Story()
    story.seen(A, B)
    story.then(0, 0)
    story.seen(A, B)
    story.then(60, None)
    story.seen(A, B)
    story.then(60, None)
    scene = story.seen(B, A)
    assert scene.track_id.tolist() == [1, 2]
    assert scene.hits.tolist() == [3, 3]
    assert scene.gallery_count.tolist() == [3, 1]
    assert scene.staleness.tolist() == [1, 3]
    assert scene.drift == pytest.approx([0.7 * 0.5, 0.0], abs=1e-4)
    assert scene.frame_index == 3
    assert scene.cost[0, 1] < 0.1
    assert np.isinf(scene.cost[0, 0])


def test_a_lost_track_is_an_offer_to_return_only_if_it_has_a_gallery():
    for angle, offered in ((0, True), (None, False)):
        story = Story()
        for _ in range(3):
            story.seen(A)
            story.then(angle)
        story.seen()
        story.then()
        scene = story.seen((140, 100, 180, 200))
        assert scene.lost_id.tolist() == [1]
        assert len(scene.track_id) == 0
        assert len(find_active_rows(story.view)) == 0
        assert scene.returns.tolist() == [[offered]]
        assert np.isinf(scene.lost_cost[0, 0])


def test_a_lost_track_still_contends_for_its_place():
    story = Story()
    for _ in range(3):
        story.seen(A)
        story.then(0)
    story.seen()
    story.then()
    assert story.seen(A).lost_cost[0, 0] < 0.2


def test_motion_shows_where_a_track_will_be():
    story = Story()
    for step in range(20):
        story.seen((100 + 6 * step, 100, 140 + 6 * step, 200))
        story.then(None)
    scene = story.seen()
    assert scene.ahead_xyxy[0, 0] - scene.track_xyxy[0, 0] == pytest.approx(60, abs=4)


def test_the_nearer_box_covers_the_one_behind_it():
    story = Story()
    story.seen((100, 100, 140, 200), (120, 110, 160, 210), (400, 100, 440, 200))
    overlap, visible = measure_crowding(story.scene)
    common = 20 * 90 / (40 * 100)
    assert visible == pytest.approx([1 - common, 1, 1], abs=1e-5)
    assert overlap == pytest.approx([common / (2 - common)] * 2 + [0], abs=1e-5)


def test_quality_falls_with_confidence_size_and_what_is_outside():
    scene = Story().seen(
        (100, 100, 200, 200, 1.0),
        (300, 100, 400, 200, 0.5),
        (500, 100, 524, 124, 1.0),
        (-50, 300, 50, 400, 1.0),
    )
    assert scene.quality == pytest.approx([1.0, 0.5, 0.5, 0.5])


def test_a_replay_without_pictures_has_no_border():
    empty = Frame(0, 0.0, np.zeros((1, 1, 3), np.uint8))
    assert get_frame_size(empty) == (0, 0)
    assert get_frame_size(blank_frame(0)) == (640, 480)


def test_a_box_at_the_border_is_cut_off_and_worth_half():
    boxes = np.array([[0, 100, 60, 200], [300, 100, 360, 200], [300, 380, 360, 480]], np.float32)
    assert touches_border(boxes, (640, 480)).tolist() == [True, False, True]
    assert not touches_border(boxes, (0, 0)).any()


def test_bad_crops_are_neither_remembered_nor_believed_under_any_policy():
    rows = np.arange(3)
    plan = EmbedPlan(rows, NO_ROWS, NO_ROWS, np.full(3, -1), np.zeros(3, np.int8), poor=rows[:1])
    quality = np.array([0.9, POOR_QUALITY - 0.01, POOR_QUALITY], np.float32)
    assert mark_poor(plan, quality).poor.tolist() == [0, 1]
