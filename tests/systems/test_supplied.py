"""Boxes and vectors that the caller supplies, and the models that are loaded for them."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import FakeEmbedder, ScriptedDetector, blank_frame, boxes
from mot_dinov3.config import EmbedderConfig, SchedulerConfig, TrackConfig
from mot_dinov3.systems import shelf as shelf_module
from mot_dinov3.systems.shelf import ModelShelf, NoDetector
from mot_dinov3.systems.supplied import SuppliedTracker, restore_rows
from mot_dinov3.values import CONFIRMED, Embeddings, EmbedPlan, FrameResult, Reason, Tracks

STANDING = [(100, 100, 140, 200), (400, 100, 440, 200)]
ALWAYS = SchedulerConfig(embed_all=True)


@pytest.fixture
def loaded(monkeypatch):
    """What was loaded, in order; the models are fakes."""
    found = []

    def load(name, model):
        return lambda *words: (found.append(name), model)[1]

    detector = ScriptedDetector([STANDING] * 9)
    embedders = (FakeEmbedder(lambda box: np.eye(8)[int(box[0] >= 300)]), None)
    monkeypatch.setattr(shelf_module, "load_detector", load("detector", detector))
    monkeypatch.setattr(shelf_module, "create_embedders", load("embedders", embedders))
    return found


def start(**stages):
    config = TrackConfig(embedder=EmbedderConfig("resnet"), scheduler=ALWAYS, **stages)
    return SuppliedTracker(config, ModelShelf(config))


def test_models_are_loaded_when_they_are_needed(loaded):
    tracker = start()
    assert tracker.take(blank_frame(0), boxes()).tracks.id.tolist() == []
    tracker.take(blank_frame(1), boxes(*STANDING), np.eye(2, 8, dtype=np.float32))
    assert loaded == []
    result = tracker.take(blank_frame(2), boxes(STANDING[1]))
    assert (loaded, result.embed.computed) == (["embedders"], 1)
    assert result.tracks.id[result.tracks.detection >= 0].tolist() == [2], "as before"
    tracker.detect(blank_frame(3))
    tracker.detect(blank_frame(4))
    assert loaded == ["embedders", "detector"]
    assert tracker.names == {0: "person", 1: "car"}


def test_a_shelf_loads_each_model_once(loaded):
    config = TrackConfig(embedder=EmbedderConfig("resnet"), scheduler=ALWAYS)
    shelf = ModelShelf(config)
    for _ in range(2):
        assert SuppliedTracker(config, shelf).detect(blank_frame(0)).embed.computed == 2
    shelf.start(config).step(blank_frame(0))
    assert loaded == ["detector", "embedders"]


def test_boxes_alone_see_no_detector_of_another_tracker(loaded):
    config = TrackConfig(embedder=EmbedderConfig("resnet"), scheduler=ALWAYS)
    shelf = ModelShelf(config)
    SuppliedTracker(config, shelf).detect(blank_frame(0))
    other = SuppliedTracker(config, shelf)
    other.take(blank_frame(0), boxes(*STANDING))
    assert other.models["detector"] == NoDetector().title
    assert other.names == {}


def test_only_rows_without_a_vector_are_computed(loaded):
    tracker = start()
    vectors = np.eye(2, 8, dtype=np.float32)
    vectors[1] = np.nan
    for index in range(3):
        result = tracker.take(blank_frame(index), boxes(*STANDING), vectors)
    assert result.embed.computed == 1
    assert result.embeddings.fresh.tolist() == [True, True]
    assert result.decisions.reason.tolist() == [Reason.SUPPLIED, Reason.ALWAYS]
    assert result.embed.without_track == result.embed.reused == 0
    assert result.tracks.fresh.tolist() == [True, True]


def test_rows_are_put_back_where_they_came_from():
    every = boxes(*STANDING, (500, 0, 540, 90), (600, 0, 640, 90))
    rows = np.array([1, 3])
    tracks = Tracks(
        id=np.array([5, 6, 7]),
        xyxy=np.zeros((3, 4), np.float32),
        score=np.ones(3, np.float32),
        class_id=np.zeros(3, np.int64),
        state=np.full(3, CONFIRMED, np.int8),
        fresh=np.zeros(3, bool),
        detection=np.array([1, -1, 0]),
    )
    own = Embeddings(
        np.eye(2, 3, dtype=np.float32),
        np.array([True, False]),
        np.array([True, True]),
        np.array([1]),
    )
    found = restore_rows(FrameResult(0, 0.0, every[rows], tracks, embeddings=own), every, rows)
    assert found.tracks.detection.tolist() == [3, -1, 1]
    assert len(found.detections) == 4
    assert found.embeddings.fresh.tolist() == [False, True, False, False]
    assert found.embeddings.valid.tolist() == [False, True, False, True]
    assert found.embeddings.poor.tolist() == [3]
    np.testing.assert_array_equal(found.embeddings.vectors[3], own.vectors[1])


def test_a_plan_leaves_out_what_is_supplied():
    from mot_dinov3.scheduling.planning import leave_out

    plan = EmbedPlan(
        critical=np.array([3, 0]),
        refresh=np.array([1]),
        reuse=np.array([2]),
        track=np.array([-1, 0, 1, -1]),
        reason=np.zeros(4, np.int8),
    )
    left = leave_out(plan, np.array([True, False, True, False]))
    assert (left.critical.tolist(), left.refresh.tolist()) == ([3], [1])
    assert left.reuse.tolist() == [0, 2]
    assert left.track.tolist() == [-1, 0, -1, -1]
