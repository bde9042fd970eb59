"""Trackers of several cameras around the same models: batches, loans, costs learned once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.fakes import FakeClock, ScriptedDetector, blank_frame, boxes
from mot_dinov3.config import SchedulerConfig, SearchConfig, TrackConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.searchers.predicted import PredictedPlaces
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.group import SystemGroup, Turn
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.sharing import ModularGroup
from mot_dinov3.values import CONFIRMED, SEARCHED

CROP_MS = 3.0
ROW = [(60 * place, 10, 60 * place + 40, 90) for place in range(9)]


class SlowEmbedder:
    """Takes the same time for every crop, on a clock of its own; each box looks different."""

    title, device, fingerprint = "slow", "cpu", "slow weights"
    whole_frame, has_own_cost, has_memory = False, True, False
    dim = 16

    def __init__(self, clock):
        self.clock = clock

    def embed(self, image, xyxy):
        self.clock.now_s += CROP_MS * len(xyxy) / 1000
        out = np.zeros((len(xyxy), self.dim), np.float32)
        out[np.arange(len(xyxy)), (xyxy[:, 0] // 60).astype(int) % self.dim] = 1
        return out


class Counting(ScriptedDetector):
    """Finds the row in pictures that are wide, nobody in others; counts its batches."""

    gains_from_batches = True

    def __init__(self):
        super().__init__([])
        self.batches, self.alone = [], 0

    def find(self, frame):
        return boxes(*ROW) if frame.width > 320 else boxes()

    def detect(self, frame):
        self.alone += 1
        return self.find(frame)

    def detect_batch(self, frames):
        self.batches.append(len(frames))
        return [self.find(frame) for frame in frames]


@pytest.fixture
def clock():
    return FakeClock()


def cameras(clock, count, detector=None, **scheduler):
    """So many trackers around one detector and one embedder, and their group."""
    models = Models(detector or Counting(), SlowEmbedder(clock))
    config = TrackConfig(scheduler=SchedulerConfig(embed_policy="always", **scheduler))
    made = [assemble(config, models, clock=clock) for _ in range(count)]
    group = ModularGroup()
    for one in made:
        group.join(one)
    return made, group


def busy(index):
    return blank_frame(index, width=640)


def quiet(index):
    return blank_frame(index, width=320)


def play(group, turns, frames=40):
    """Step rounds of (tracker, kind of frame); the embedding counts of each tracker."""
    out = [[] for _ in turns]
    for index in range(frames):
        round_ = [Turn(tracker, frame(index)) for tracker, frame in turns]
        for counts, result in zip(out, group.step(round_), strict=True):
            counts.append(result.embed)
    return out


def computed(counts):
    return sum(one.computed for one in counts[10:])


def test_frames_of_one_round_are_detected_as_one_batch(clock):
    detector = Counting()
    (a, b, c), group = cameras(clock, 3, detector)
    group.step([Turn(a, busy(0)), Turn(b, quiet(0)), Turn(c, busy(0))])
    group.step([Turn(b, busy(1))])
    assert detector.batches == [3]
    assert detector.alone == 1, "one frame alone gains nothing"


def test_a_detector_that_gains_nothing_is_asked_frame_by_frame(clock):
    detector = Counting()
    detector.gains_from_batches = False
    (a, b), group = cameras(clock, 2, detector)
    group.step([Turn(a, busy(0)), Turn(b, busy(0))])
    assert (detector.batches, detector.alone) == ([], 2)


def test_results_come_in_the_order_of_the_turns(clock):
    (a, b), group = cameras(clock, 2, budget_ms=4.0)
    play(group, [(a, busy), (b, quiet)], frames=3)
    results = group.step([Turn(a, busy(3)), Turn(b, quiet(3))])
    assert [len(result.detections) for result in results] == [len(ROW), 0]


def test_identities_of_two_cameras_do_not_meet(clock):
    (a, b), group = cameras(clock, 2)
    for index in range(5):
        results = group.step([Turn(a, busy(index)), Turn(b, busy(index))])
    first, second = (sorted(result.tracks.id.tolist()) for result in results)
    assert first == second


def test_together_they_track_as_each_does_alone(clock):
    (a, b), group = cameras(clock, 2, Counting(), budget_crops=2)
    (alone, _), _ = cameras(clock, 2, Counting(), budget_crops=2)
    for index in range(30):
        result, _ = group.step([Turn(a, busy(index)), Turn(b, quiet(index))])
        expected = alone.step(busy(index))
        np.testing.assert_array_equal(result.tracks.id, expected.tracks.id)
        np.testing.assert_array_equal(result.tracks.fresh, expected.tracks.fresh)
        assert result.embed.computed == expected.embed.computed


def test_a_busy_camera_has_what_a_quiet_one_leaves(clock):
    limit = {"budget_ms": 4.0, "hard_budget": True}
    (a, b), group = cameras(clock, 2, **limit)
    shared, nothing = play(group, [(a, busy), (b, quiet)])
    (c, d), group = cameras(clock, 2, **limit)
    apart, other = play(group, [(c, busy), (d, busy)])
    assert computed(nothing) == 0
    assert computed(shared) > 1.5 * computed(apart)
    assert abs(computed(apart) - computed(other)) < 0.1 * computed(apart), "equal need, equal part"
    assert shared[-1].budget_ms == 8.0
    assert apart[-1].budget_ms == 4.0
    assert all(one.embed_ms <= one.budget_ms for one in shared[10:])


def test_a_camera_that_ends_takes_its_part_with_it(clock):
    (a, b), group = cameras(clock, 2, budget_ms=4.0, hard_budget=True)
    play(group, [(a, busy), (b, quiet)], frames=5)
    group.leave(b)
    play(group, [(a, busy)], frames=2)
    assert group.step([Turn(a, busy(9))])[0].embed.budget_ms == 4.0


def test_a_frame_rate_is_kept_for_all_of_them(clock):
    made, group = cameras(clock, 4, target_fps=10.0)
    assert [one.scheduler.budget.period_ms for one in made] == [25.0] * 4
    group.leave(made[0])
    assert made[1].scheduler.budget.period_ms == pytest.approx(100 / 3)
    made[1].pace(10.0)
    assert made[1].scheduler.budget.limit_ms == pytest.approx(100 / 3 - 10)


def test_costs_are_learned_once(clock):
    (a, b), _ = cameras(clock, 2, budget_ms=20.0)
    a.warm_up(busy(0))
    before_s = clock.now_s
    b.warm_up(busy(0))
    assert clock.now_s == before_s
    assert b.scheduler.budget.model is a.scheduler.budget.model
    assert b.scheduler.model.known


class Broken(Counting):
    """Fails on pictures of one width."""

    def detect(self, frame):
        if frame.width == 320:
            raise ModelError("It broke.", fix="Mend it.")
        return self.find(frame)


def test_a_failure_belongs_to_its_camera(clock):
    detector = Broken()
    detector.gains_from_batches = False
    (a, b), group = cameras(clock, 2, detector, budget_ms=4.0)
    good, bad = group.step([Turn(a, busy(0)), Turn(b, quiet(0))])
    assert len(good.detections) == len(ROW)
    assert isinstance(bad, ModelError)
    assert b.scheduler.budget.limit_ms == 4.0


def test_a_batch_that_fails_fails_for_all_in_it(clock):
    detector = Counting()

    def fail(frames):
        raise ModelError("It is full.", fix="Free it.")

    detector.detect_batch = fail
    (a, b), group = cameras(clock, 2, detector)
    results = group.step([Turn(a, busy(0)), Turn(b, quiet(0))])
    assert [str(result.what) for result in results] == ["It is full."] * 2


def test_any_other_system_is_stepped_one_by_one(clock):
    (a, b), _ = cameras(clock, 2)
    group = SystemGroup()
    group.join(a)
    found = group.step([Turn(a, busy(0)), Turn(b, quiet(0))])
    assert [len(result.detections) for result in found] == [len(ROW), 0]
    group.leave(a)


def test_two_cameras_that_do_not_detect_in_every_frame(clock):
    """A batch is made where all of them want one; each is asked about the frames that it wants."""
    detector = Counting()
    models = Models(detector, SlowEmbedder(clock), searcher=PredictedPlaces())
    config = TrackConfig(scheduler=SchedulerConfig(embed_policy="always"))
    group, made = ModularGroup(), []
    for every in ("2", "2", "4"):
        searching = replace(config, search=SearchConfig(det_every=every))
        made.append(assemble(searching, models, clock=clock))
        group.join(made[-1])
    first, second, third = made
    both = [group.step([Turn(first, busy(n)), Turn(second, busy(n))]) for n in range(5)]
    assert (detector.batches, detector.alone) == ([2, 2, 2], 0)
    for n, results in enumerate(both):
        for result in results:
            assert len(result.detections) == (0 if n % 2 else len(ROW))
            assert (result.tracks.state == (SEARCHED if n % 2 else CONFIRMED)).all()
            assert len(result.tracks) == len(ROW)
    for n in range(5, 9):
        group.step([Turn(first, busy(n)), Turn(third, busy(n))])
    assert detector.batches == [2, 2, 2]
    assert detector.alone == 3, "the third in frames 5, the first in 6 and 8"
