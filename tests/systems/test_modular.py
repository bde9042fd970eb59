"""Detector, policy, scheduler and tracker together, on scripted input."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import FakeClock, FakeEmbedder, ScriptedDetector, blank_frame
from mot_dinov3.config import SchedulerConfig, TrackConfig, TrackerConfig
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.systems.recording import record_models
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import Frame

RULE = {"embed_policy": "continuity"}


def by_side(box):
    vector = np.zeros(8)
    vector[int(box[0] >= 320)] = 1.0
    return vector


def pipeline(script, embedder=True, cheap=False, **scheduler):
    """By continuity, whose rule is easy to count by hand, unless a setting says otherwise."""
    config = SchedulerConfig(**({} if "embed_all" in scheduler else RULE) | scheduler)
    return ModularTracker(
        Models(
            ScriptedDetector(script),
            FakeEmbedder(by_side) if embedder else None,
            FakeEmbedder(by_side) if cheap else None,
        ),
        create_policy(config, embedder=embedder),
        EmbeddingScheduler(config, FakeClock()),
        Tracker(TrackerConfig()),
    )


def standing(frames, count=2):
    return [[(100 + 300 * k, 100, 140 + 300 * k, 200) for k in range(count)]] * frames


def run(tracker, frames):
    return [tracker.step(blank_frame(index)) for index in range(frames)]


def test_a_stable_scene_is_embedded_at_birth_and_then_every_n_frames():
    results = run(pipeline(standing(21), refresh_every=5), 21)
    computed = [index for index, result in enumerate(results) if result.embed.computed]
    assert computed == [0, 5, 10, 15, 20]
    assert results[3].embed.reused == 2


def test_the_star_is_on_exactly_the_tracks_embedded_now():
    for result in run(pipeline(standing(12), refresh_every=5), 12):
        assert result.tracks.fresh.sum() == result.embed.computed
    assert all(result.tracks.fresh.all() for result in run(pipeline(standing(1)), 1))


def test_a_vector_that_went_to_no_track_is_counted_as_such():
    weak = [[*rows, (0, 300, 40, 400, 0.4)] for rows in standing(3)]
    results = run(pipeline(weak, embed_all=True), 3)
    assert [result.embed.computed for result in results] == [3] * 3
    assert [result.embed.without_track for result in results] == [1] * 3


def test_embed_all_embeds_every_detection_in_every_frame():
    tracker = pipeline(standing(6), embed_all=True)
    assert [result.embed.computed for result in run(tracker, 6)] == [2] * 6
    assert tracker.embedder.calls == 12


def test_without_an_embedder_motion_alone_tracks():
    results = run(pipeline(standing(6), embedder=False), 6)
    assert results[-1].tracks.id.tolist() == [1, 2]
    assert sum(result.embed.computed + result.embed.reused for result in results) == 0


def test_where_nothing_is_seen_nothing_is_planned_and_the_lost_come_back(monkeypatch):
    scene = standing(4) + [[]] * 3 + standing(4)
    asked, tracker = [], pipeline(scene)
    plan = tracker.policy.plan
    monkeypatch.setattr(tracker.policy, "plan", lambda seen: asked.append(len(seen)) or plan(seen))
    results = run(tracker, 11)
    assert asked == [2] * 8
    assert [len(result.detections) for result in results[4:7]] == [0] * 3
    assert [result.tracks.id.tolist() for result in results] == [[1, 2]] * 11
    assert all(result.tracks.detection.max() < 0 for result in results[4:7])
    assert results[8].tracks.fresh.sum() == results[8].embed.computed


def test_without_an_embedder_nothing_is_planned_and_places_match_all_the_same():
    """A frame without a plan ends as one whose plan embeds nothing."""
    script = [[(100 + 5 * k, 100, 140 + 5 * k, 200), (300, 90, 340, 190)] for k in range(20)]
    script[7:10] = [[(300, 90, 340, 190)]] * 3
    alone, never = pipeline(script, embedder=False), pipeline(script, embed_policy="never")
    alone.policy = None
    for blind, idle in zip(run(alone, 20), run(never, 20), strict=True):
        assert (blind.decisions, blind.embed.computed, blind.embed.reused) == (None, 0, 0)
        assert blind.tracks.id.tolist() == idle.tracks.id.tolist()
        assert (blind.tracks.xyxy == idle.tracks.xyxy).all()
    assert {"detect", "track", "embed"} <= blind.stage_ms.keys()
    assert alone.frames == 20


def test_a_crop_budget_defers_and_serves_the_oldest_first():
    results = run(pipeline(standing(30, count=2), refresh_every=5, budget_crops=1), 30)
    assert results[5].embed.refresh == 1
    assert results[5].embed.deferred == 1
    assert results[6].embed.refresh == 1
    assert not (results[5].tracks.fresh & results[6].tracks.fresh).any()


def test_a_crowd_is_critical_in_every_frame():
    script = [[(100, 100, 140, 200), (115, 100, 155, 200)]] * 6
    assert [r.embed.critical for r in run(pipeline(script), 6)] == [2] * 6


def test_who_comes_back_is_looked_at():
    """A lost track is not continuous: a detection in its place has to be embedded."""
    script = standing(5, count=1) + [[]] * 4 + standing(2, count=1)
    results = run(pipeline(script, refresh_every=50), 11)
    assert [result.embed.critical for result in results[8:]] == [0, 1, 0]
    assert results[9].tracks.id.tolist() == [1]


def test_a_track_that_died_leaves_no_debt():
    script = standing(8, count=2) + standing(20, count=1)
    results = run(pipeline(script, refresh_every=5, budget_crops=1), 28)
    assert results[-1].embed.deferred == 0


def test_every_frame_says_where_its_time_went():
    (result,) = run(pipeline(standing(1)), 1)
    assert set(result.stage_ms) == {"detect", "embed", "track"}


def by_height(box):
    return np.eye(8)[int(box[1]) % 8]


def outcome(**scheduler):
    """Two who meet slowly and go on, with a third beside them: all that a run says of it."""
    meeting = [[(100 + 3 * k, 100, 140 + 3 * k, 200), (220 - 3 * k, 103, 260 - 3 * k, 203),
                (300, 301, 340, 401)] for k in range(40)]  # fmt: skip
    config = SchedulerConfig(**scheduler)
    tracker = ModularTracker(
        Models(ScriptedDetector(meeting), FakeEmbedder(by_height)), create_policy(config),
        EmbeddingScheduler(config, FakeClock()), Tracker(TrackerConfig()),
    )  # fmt: skip
    results = run(tracker, len(meeting))
    return [(r.embed.computed, r.tracks.id.tolist(), r.tracks.xyxy.tobytes()) for r in results]


def test_always_without_a_budget_is_embed_all_to_the_byte():
    assert outcome(embed_policy="always") == outcome(embed_all=True)
    assert outcome(embed_policy="always") == outcome(embed_policy="value:0")
    assert {row[0] for row in outcome(embed_all=True)} == {3}


def test_the_default_learns_everybody_and_then_looks_when_it_matters():
    results = outcome()
    crops = [row[0] for row in results]
    assert sum(crops[:6]) == 9, "three embeddings each"
    assert sum(crops[6:12]) == 0, "while no other track is near"
    assert sum(crops[14:26]) >= 2, "when two meet: both of them"
    assert sum(crops) < 45
    assert [row[1] for row in results[1:]] == [[1, 2, 3]] * 39


def test_a_replay_without_pixels_is_no_blurred_film():
    """Its frames have the right size, and one black pixel that stands for all of them."""

    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    tracker = pipeline(standing(2))
    tracker.step(Frame(0, 0.0, noise))
    flat = np.zeros((480, 640, 3), np.uint8)
    assert tracker.step(Frame(1, 0.1, flat)).decisions.quality.tolist() == [0, 0]
    tracker = pipeline(standing(2))
    tracker.step(Frame(0, 0.0, noise))
    none = np.broadcast_to(np.uint8(0), (480, 640, 3))
    assert tracker.step(Frame(1, 0.1, none)).decisions.quality == pytest.approx([0.9, 0.9])


def test_one_pass_over_the_picture_serves_whoever_is_confident():
    """A second person comes later, so only one of two is due; both are embedded all the same."""
    script = standing(4, count=1) + standing(12, count=2)
    computed = {}
    for whole in (False, True):
        tracker = pipeline(script, refresh_every=5)
        tracker.scheduler = EmbeddingScheduler(
            SchedulerConfig(**RULE, refresh_every=5), FakeClock(), whole_frame=whole
        )
        computed[whole] = [result.embed.computed for result in run(tracker, 16)][5:]
    assert 1 in computed[False]
    assert set(computed[True]) == {0, 2}


def test_cheap_evidence_is_asked_for_everybody_and_warmed_up_by_nobody():
    tracker = pipeline(standing(3), cheap=True)
    tracker.embedder.has_own_cost = False
    tracker.warm_up(blank_frame(0))
    assert tracker.embedder.calls == tracker.cheap.calls == 0
    results = run(tracker, 3)
    assert tracker.cheap.calls == 6
    assert all("cheap" in result.stage_ms for result in results)


def test_cheap_evidence_of_whoever_is_gone_is_forgotten():
    script = standing(3, count=2) + standing(1, count=3) + standing(4, count=2)
    tracker = pipeline(script, cheap=True)
    assert [len(result.tracks) for result in run(tracker, 8)] == [2, 2, 2, 3, 2, 2, 2, 2]


@pytest.mark.parametrize("recorded", [False, True])
def test_costs_are_those_of_the_sizes_that_an_embedder_fills_its_batches_up_to(recorded):
    embedder = FakeEmbedder(by_side)
    models = Models(ScriptedDetector([]), embedder)
    if recorded:
        models = record_models(models, recorder=None)
    tracker = assemble(TrackConfig(), models)
    assert tracker.scheduler.model.buckets() == ()
    embedder.buckets = (1, 8)
    assert tracker.scheduler.model.buckets() == (1, 8)
    embedder.buckets = ()  # given up in the middle of a run
    assert tracker.scheduler.model.buckets() == ()
