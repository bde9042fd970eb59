"""Tracks are followed where the detector is not asked, or sees nothing of them."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import FakeClock, blank_frame
from helpers.searching import build, person, run
from mot_dinov3.config import SchedulerConfig, SearchConfig, TrackConfig, TrackerConfig
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.searching import TRY_AFTER, SearchCosts
from mot_dinov3.tracking.unseen import UnseenTracks
from mot_dinov3.values import CONFIRMED, LOST, SEARCHED, TENTATIVE

STEP_PX = 4
LOST_SOON = {"tracker": TrackerConfig(max_lost_s=0.5, reid_s=0.5)}
WALK = [[person(100 + STEP_PX * n), person(400)] for n in range(60)]


def walks(index, shown):
    """The true places of who was shown: the left one walks, the others stand."""
    return (person(100 + STEP_PX * index) if shown[0] < 390 else tuple(shown)), 0.9


def unsure(index, shown):
    return person(20), 0.3


def without(script, row, frames):
    """The script with detections of one row left out in some frames."""
    return [
        [box for n, box in enumerate(boxes) if (n, index) not in {(row, f) for f in frames}]
        for index, boxes in enumerate(script)
    ]


def states(result):
    return dict(zip(result.tracks.id.tolist(), result.tracks.state.tolist(), strict=True))


def test_the_detector_is_asked_in_every_third_frame_and_tracks_go_on_between():
    tracker = build(WALK, walks, det_every="3")
    results = run(tracker, 10)
    assert tracker.detector.asked == [0, 3, 6, 9]
    for result in results:
        detected = result.frame_index % 3 == 0
        assert states(result) == dict.fromkeys([1, 2], CONFIRMED if detected else SEARCHED)
        assert len(result.detections) == (2 if detected else 0)
        assert result.tracks.detection.tolist() == ([0, 1] if detected else [-1, -1])
        assert result.tracks.xyxy[0, 0] == pytest.approx(100 + 4 * result.frame_index, abs=4)
        assert ("detect" in result.stage_ms) == detected
        assert ("search" in result.stage_ms) != detected
    assert tracker.frames == 10
    assert tracker.search.searcher.asked.keys() == {1, 2, 4, 5, 7, 8}


def test_each_is_shown_as_it_was_in_the_frame_before_it_is_searched_and_forgotten_when_seen():
    tracker = build(WALK, walks, det_every="3")
    run(tracker, 5)
    searcher = tracker.search.searcher
    assert searcher.shown == [(0, 1), (0, 2), (3, 1), (3, 2)]
    assert searcher.forgotten == [1, 2]


def test_to_be_asked_twice_changes_nothing():
    tracker, plain = (build(WALK, walks, det_every="3") for _ in range(2))
    for index in range(9):
        frame = blank_frame(index)
        assert [tracker.wants_detection(frame) for _ in range(3)] == [index % 3 == 0] * 3
        tracker.step(frame)
    run(plain, 9)
    assert tracker.detector.asked == plain.detector.asked == [0, 3, 6]


def test_a_find_that_is_not_sure_leaves_the_track_where_it_is_expected():
    tracker = build(WALK, walks, det_every="6")
    run(tracker, 13)
    tracker.search.searcher.where = unsure
    result = tracker.step(blank_frame(13))
    assert states(result) == {1: SEARCHED, 2: SEARCHED}
    assert result.tracks.xyxy[:, 0] == pytest.approx([100 + 4 * 13, 400], abs=3)
    np.testing.assert_array_equal(result.tracks.xyxy, tracker.tracker.boxes)


def test_a_track_that_walks_out_of_the_picture_is_no_longer_shown_there():
    def leaves(index, shown):
        return person(500 + 6 * index), 0.9

    script = [[person(500 + 6 * n)] for n in range(16)]
    shown = [states(result)[1] for result in run(build(script, leaves, det_every="15"), 24)]
    assert shown[16:19] == [SEARCHED] * 3
    assert shown[22:] == [LOST] * 2, "its middle was at 640 in frame 20"


def rescued(script, where=walks, looks=None, frames=20, **search):
    tracker = build(script, where, looks, rescue=True, **search)
    return tracker, run(tracker, frames)


GAP = range(8, 14)


def test_a_track_that_misses_its_detection_is_carried_through_the_gap():
    tracker, results = rescued(without(WALK, 0, GAP))
    for result in results:
        expected = SEARCHED if result.frame_index in GAP else CONFIRMED
        assert states(result) == {1: expected, 2: CONFIRMED}
        assert result.tracks.xyxy[0, 0] == pytest.approx(100 + 4 * result.frame_index, abs=2)
    assert list(tracker.search.searcher.asked) == list(GAP)
    assert tracker.search.searcher.asked[8] == [1], "who is seen is not searched"


def test_without_rescue_it_is_lost():
    tracker = build(without(WALK, 0, GAP), walks, det_every="1")
    assert [states(result)[1] for result in run(tracker, 20)][8:14] == [LOST] * 6


def test_a_find_that_is_not_sure_rescues_nothing():
    _, results = rescued(without(WALK, 0, GAP), unsure)
    assert [states(result)[1] for result in results][8:14] == [LOST] * 6


def test_a_rescue_ends_after_so_many_frames():
    _, results = rescued(without(WALK, 1, range(8, 60)), rescue_max=5, frames=20)
    assert [states(result)[2] for result in results][8:15] == [SEARCHED] * 5 + [LOST] * 2


def test_the_searched_are_rescued_between_detections_as_long_as_in_them():
    tracker = build(without(WALK, 1, range(7, 60)), walks, det_every="2", rescue=True, rescue_max=6)
    shown = [states(result).get(2) for result in run(tracker, 20)]
    last = max(n for n, state in enumerate(shown) if state == SEARCHED)
    assert shown[8] == SEARCHED
    assert last <= 14


def test_a_track_without_an_id_is_not_rescued():
    script = [row + ([person(550)] if n == 5 else []) for n, row in enumerate(WALK)]
    tracker, results = rescued(script)
    assert states(results[5])[-3] == TENTATIVE
    assert not tracker.search.searcher.asked


def red_on_the_left(box):
    return np.eye(8)[0 if box[0] < 300 else 1]


def test_a_find_that_looks_otherwise_is_refused():
    script = without(WALK, 0, GAP)

    def strays(index, shown):
        return person(330, 300), 0.9

    _, results = rescued(script, strays, red_on_the_left)
    assert [states(result)[1] for result in results][8:14] == [LOST] * 6
    _, results = rescued(script, walks, red_on_the_left)
    assert [states(result)[1] for result in results][8:14] == [SEARCHED] * 6
    assert states(results[15]) == {1: CONFIRMED, 2: CONFIRMED}


def strays_by(dy):
    return lambda index, shown: (person(100 + STEP_PX * index, 100 + dy), 0.9)


def test_a_find_off_its_prediction_needs_an_embedder():
    _, results = rescued(without(WALK, 0, GAP), strays_by(25))
    assert states(results[8])[1] == LOST
    _, results = rescued(without(WALK, 0, GAP), strays_by(25), red_on_the_left)
    assert states(results[8])[1] == SEARCHED


def test_a_find_that_looks_right_is_refused_far_from_its_prediction():
    _, results = rescued(without(WALK, 0, GAP), strays_by(60), red_on_the_left)
    assert states(results[8])[1] == LOST


def test_an_embedder_that_cannot_tell_lets_no_find_off_its_prediction_pass(monkeypatch):
    def say_nothing(unseen, tracks, found, vectors):
        return np.full(len(found), np.nan, np.float32)

    monkeypatch.setattr(UnseenTracks, "compare", say_nothing)
    _, results = rescued(without(WALK, 0, GAP), strays_by(25), red_on_the_left)
    assert states(results[8])[1] == LOST
    _, results = rescued(without(WALK, 0, GAP), walks, red_on_the_left)
    assert states(results[8])[1] == SEARCHED


def test_a_find_that_is_a_track_that_was_seen_is_refused():
    def strays(index, shown):
        return person(404), 0.9

    _, results = rescued(without(WALK, 0, GAP), strays, lambda box: np.eye(8)[0])
    assert states(results[8]) == {1: LOST, 2: CONFIRMED}


def test_a_find_whose_middle_is_outside_is_refused():
    script = [[person(300, 300 + 5 * n)] if n < 22 else [] for n in range(40)]
    _, results = rescued(
        script, lambda index, shown: (person(300, 300 + 5 * index), 0.9), frames=40
    )
    assert [states(result).get(1) for result in results][22:27] == [SEARCHED] * 4 + [LOST], (
        "its middle is at 480 then"
    )


CROWD = [[person(60 * n, 40) for n in range(8)]] * 6 + [[]] * 12


@pytest.mark.parametrize(("budget_ms", "least", "most"), [(0.0, 8, 8), (10.0, 1, 3), (1000, 8, 8)])
def test_rescue_takes_no_more_of_a_frame_than_it_may(budget_ms, least, most):
    tracker = build(
        CROWD, lambda index, shown: (tuple(shown), 0.9), costs_ms=(0.0, 3.0), rescue=True,
        rescue_budget_ms=budget_ms, rescue_max=60,
    )  # fmt: skip
    run(tracker, 18)
    searched = [len(ids) for ids in tracker.search.searcher.asked.values()][-8:]
    assert least <= min(searched)
    assert max(searched) <= most


def test_what_is_gone_is_forgotten():
    """A searcher may keep the picture that showed a target last."""
    script = without(WALK, 1, range(8, 60))
    tracker = build(script, walks, det_every="2", rescue=True, rescue_max=5,
                    stages=LOST_SOON)  # fmt: skip
    results = run(tracker, 60)
    assert results[-1].tracks.id.tolist() == [1]
    assert 2 in tracker.search.searcher.forgotten
    assert tracker.search.searcher.known.keys() <= {1}


def auto(script, where=walks, **more):
    return build(script, where, det_every="auto", **more)


def test_auto_waits_in_a_quiet_scene_and_detects_where_finds_are_not_sure():
    tracker = auto(WALK, det_max=10)
    run(tracker, 31)
    assert tracker.detector.asked == [0, 10, 20, 30]
    tracker = auto([[person(100), person(300), person(500)]] * 40, unsure, det_max=10)
    run(tracker, 20)
    assert tracker.detector.asked[:3] == [0, 2, 4]


def test_auto_detects_where_the_picture_changes_beside_what_is_known():
    tracker = auto(WALK, det_max=20)
    frames = [blank_frame(index) for index in range(12)]
    for frame in frames[5:]:
        frame.image[300:420, 250:320] = 200
    for frame in frames:
        tracker.step(frame)
    assert tracker.detector.asked == [0, 5]


def paced(costs_ms, target_fps=0.0, frames=60, **more):
    """A run whose stages take what the clock says."""
    clock = FakeClock()
    stages = {"scheduler": SchedulerConfig(target_fps=target_fps)} if target_fps else {}
    tracker = build(WALK * 3, lambda index, shown: (tuple(shown), 0.9), clock=clock,
                    costs_ms=costs_ms, stages=stages, det_every="auto", **more)  # fmt: skip
    for index in range(frames):
        before_s = clock.now_s
        result = tracker.step(blank_frame(index))
        took_ms = (clock.now_s - before_s) * 1000
        stage = "search" if len(result.detections) == 0 else "detect"
        tracker.search._took_ms = (took_ms, 0.0) if stage == "detect" else (0.0, took_ms)
        tracker.pace(took_ms)
    return tracker.detector.asked


def test_where_searching_costs_more_than_a_detection_it_is_detected():
    assert len(paced((5.0, 9.0))) > 50
    assert len(paced((20.0, 2.0))) < 15


def test_a_detection_for_cost_counts_as_one():
    tracker = auto(WALK, det_max=10)
    run(tracker, 5)
    tracker.search._costs.is_dear = lambda targets: True
    run(tracker, 1, first=5)
    tracker.search._costs.is_dear = lambda targets: False
    run(tracker, 20, first=6)
    assert tracker.detector.asked == [0, 5, 15, 25]


def test_stored_boxes_cost_nothing_and_say_nothing_of_cost():
    tracker = auto(WALK)
    assert tracker.search._weighs_costs
    tracker.detector.repeated = "stored"
    assert not auto_with(tracker.detector).search._weighs_costs


def auto_with(detector):
    models = Models(detector, searcher=auto(WALK).search.searcher)
    return assemble(TrackConfig(search=SearchConfig(det_every="auto")), models)


def test_what_a_run_journal_says_comes_before_the_policy():
    tracker = build(WALK, walks, det_every="4")
    answers = iter([1, 0, 1, *[None] * 20])

    def admit(ask):
        own, told = ask(), next(answers)
        return own if told is None else told

    tracker.search.admit = admit
    run(tracker, 12)
    assert tracker.detector.asked == [0, 2, 6, 10]


def test_costs_are_medians_and_the_pace_is_a_mean():
    costs = SearchCosts(period_ms=20.0)
    assert costs.least_frames == 1
    assert not costs.is_dear(3)
    paces = [costs.pace(40.0, 35.0, 0.0), costs.pace(10.0, 0.0, 5.0), costs.pace(10.0, 0.0, 5.0)]
    assert paces == [40.0, 25.0, 20.0]
    assert costs.least_frames == 3
    assert SearchCosts(0.0).least_frames == 1
    assert not costs.is_dear(3), "no search was measured"
    costs.model.observe(3, 90.0)
    assert costs.is_dear(3)
    assert not costs.is_dear(0)


def test_a_tracker_without_search_asks_the_detector_always():
    tracker = build(WALK, walks, det_every="3")
    tracker.search = None
    assert all(tracker.wants_detection(blank_frame(n)) for n in range(4))
    run(tracker, 4)
    assert tracker.detector.asked == [0, 1, 2, 3]
    assert "searcher" not in tracker.models
    assert build(WALK, walks, det_every="3").models["searcher"] == "fake"


def test_a_search_that_was_too_dear_is_tried_again():
    costs = SearchCosts(0.0)
    costs.model.observe(3, 90.0)
    for _ in range(5):
        costs.pace(30.0, 30.0, 0.0)
    asked = [costs.is_dear(3) for _ in range(2 * TRY_AFTER)]
    assert asked.count(False) == 2
    assert asked[0]
    costs.model.observe(3, 5.0)
    costs.model.observe(3, 5.0)
    costs.model.observe(3, 5.0)
    assert not costs.is_dear(3)
