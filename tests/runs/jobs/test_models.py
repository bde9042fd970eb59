"""Models that stay loaded from one job to the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.fakes import FakeEmbedder, blank_frame
from mot_dinov3.config import CheapConfig, DetectorConfig, DeviceConfig, EmbedderConfig, TrackConfig
from mot_dinov3.errors import MotError
from mot_dinov3.perception.detectors.motion import MotionDetector
from mot_dinov3.runs.jobs import models
from mot_dinov3.runs.jobs.models import LoadedModels
from mot_dinov3.runs.session import load_models

PLAIN = TrackConfig(
    detector=DetectorConfig(det="motion"),
    device=DeviceConfig(device="cpu"),
    embedder=EmbedderConfig(embedder="none"),
)


@pytest.fixture
def loads(monkeypatch):
    """Counts how often models are loaded; the embedder is a fake one."""
    made = []

    def load(config):
        made.append(replace(load_models(config), embedder=FakeEmbedder(lambda box: np.eye(8)[0])))
        return made[-1]

    monkeypatch.setattr(models, "load_models", load)
    return made


def test_an_embedder_is_loaded_once_and_a_background_is_learned_anew(loads):
    loaded = LoadedModels()
    assert not loaded.loaded
    first, second = loaded.ready_for(PLAIN), loaded.ready_for(PLAIN)
    assert loaded.loaded
    assert len(loads) == 1
    assert second.embedder is first.embedder
    assert second.detector is not first.detector


def test_nothing_of_a_clip_is_left_for_the_next(loads):
    """A bright block stands in the second clip from its first frame: it is background there."""
    block = blank_frame(0)
    block.image[100:300, 200:300] = 200
    loaded = LoadedModels()
    first = loaded.ready_for(PLAIN).detector
    for index in range(60):
        first.detect(blank_frame(index))
    assert len(first.detect(replace(block, index=60, time_s=2.0))) == 1
    second = loaded.ready_for(PLAIN).detector
    found = [len(second.detect(replace(block, index=i, time_s=i / 30))) for i in range(60)]
    assert found == [0] * 60


@pytest.mark.parametrize("part", ["embedder", "cheap"])
def test_what_objects_usually_look_like_is_learned_anew(part):
    config = replace(
        PLAIN,
        detector=DetectorConfig(det="demo", imgsz=160),
        embedder=EmbedderConfig(embedder="detector" if part == "embedder" else "none"),
        cheap=CheapConfig("detector" if part == "cheap" else "none"),
    )
    loaded, vectors = LoadedModels(), []
    for _ in range(2):
        ready = loaded.ready_for(config)
        ready.detector.detect(blank_frame(0))
        noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
        boxes = np.array([[0, 0, 200, 400], [300, 100, 600, 400]], np.float32)
        getattr(ready, part).embed(blank_frame(0).image, boxes)
        ready.detector.detect(replace(blank_frame(1), image=noise))
        vectors.append(getattr(ready, part).embed(noise, boxes))
    assert np.isfinite(vectors[0]).all()
    np.testing.assert_array_equal(*vectors)


def test_stored_boxes_follow_the_job(loads, tmp_path):
    for name, count in (("one", 1), ("two", 2)):
        rows = [f"1,-1,{10 + 50 * n},10,20,40,0.9" for n in range(count)]
        (tmp_path / f"{name}.txt").write_text("\n".join(rows) + "\n")
    loaded = LoadedModels()
    found = [
        len(loaded.ready_for(stored(tmp_path / f"{name}.txt")).detector.detect(blank_frame(0)))
        for name in ("one", "two", "one")
    ]
    assert found == [1, 2, 1]
    assert len(loads) == 1


def test_a_detector_that_knows_nothing_of_clips_stays(loads, monkeypatch):
    monkeypatch.setattr(MotionDetector, "has_memory", False)
    loaded = LoadedModels()
    assert loaded.ready_for(PLAIN).detector is loaded.ready_for(PLAIN).detector


def test_what_could_not_be_loaded_is_tried_again(loads, tmp_path):
    loaded = LoadedModels()
    with pytest.raises(MotError):
        loaded.ready_for(stored(tmp_path / "gone.txt"))
    assert not loaded.loaded
    assert loaded.ready_for(PLAIN)


def stored(path):
    return replace(PLAIN, detector=DetectorConfig(det=f"mot:{path}"))
