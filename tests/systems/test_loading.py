"""The modular tracker as a loaded system: what is kept, what is made anew, how it is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.fakes import FakeEmbedder, blank_frame
from mot_dinov3.config import CheapConfig, DetectorConfig, DeviceConfig, EmbedderConfig, TrackConfig
from mot_dinov3.errors import InputError, MotError, UnknownNameError, UsageError
from mot_dinov3.perception.detectors.motion import MotionDetector
from mot_dinov3.systems.base import UNKNOWN
from mot_dinov3.systems.factory import create_system
from mot_dinov3.systems.fingerprints import strip_size
from mot_dinov3.systems.loading import LoadedModular
from mot_dinov3.systems.making import load_models
from mot_dinov3.systems.models import Models

PLAIN = TrackConfig(
    detector=DetectorConfig(det="motion"),
    device=DeviceConfig(device="cpu"),
    embedder=EmbedderConfig(embedder="none"),
)


@pytest.fixture
def first():
    """Loaded for a detector that learns a background; the embedder is a fake one."""
    return LoadedModular(Models(detector_of(PLAIN), FakeEmbedder(lambda box: np.eye(8)[0])))


def detector_of(config):
    return load_models(config).detector


def test_an_embedder_stays_loaded_and_a_background_is_learned_anew(first):
    second = first.for_clip(PLAIN)
    assert second.parts.embedder is first.parts.embedder
    assert second.parts.detector is not first.parts.detector


def test_nothing_of_a_clip_is_left_for_the_next(first):
    """A bright block stands in the second clip from its first frame: it is background there."""
    block = blank_frame(0)
    block.image[100:300, 200:300] = 200
    detector = first.parts.detector
    for index in range(60):
        detector.detect(blank_frame(index))
    assert len(detector.detect(replace(block, index=60, time_s=2.0))) == 1
    second = first.for_clip(PLAIN).parts.detector
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
    loaded, vectors = LoadedModular.load(config), []
    for _ in range(2):
        loaded = loaded.for_clip(config)
        ready = loaded.parts
        ready.detector.detect(blank_frame(0))
        noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
        boxes = np.array([[0, 0, 200, 400], [300, 100, 600, 400]], np.float32)
        getattr(ready, part).embed(blank_frame(0).image, boxes)
        ready.detector.detect(replace(blank_frame(1), image=noise))
        vectors.append(getattr(ready, part).embed(noise, boxes))
    assert np.isfinite(vectors[0]).all()
    np.testing.assert_array_equal(*vectors)


def test_stored_boxes_follow_the_clip(first, tmp_path):
    for name, count in (("one", 1), ("two", 2)):
        write_boxes(tmp_path / f"{name}.txt", count)
    clips = [stored(tmp_path / f"{name}.txt") for name in ("one", "two", "one")]
    found = [len(first.for_clip(clip).parts.detector.detect(blank_frame(0))) for clip in clips]
    assert found == [1, 2, 1]


def test_a_detector_that_holds_nothing_of_a_clip_stays(first, monkeypatch):
    monkeypatch.setattr(MotionDetector, "has_memory", False)
    assert first.for_clip(PLAIN).parts.detector is first.parts.detector


def test_a_clip_whose_boxes_are_missing_is_refused(first, tmp_path):
    with pytest.raises(MotError):
        first.for_clip(stored(tmp_path / "gone.txt"))
    assert first.for_clip(PLAIN)


def stored(path):
    return replace(PLAIN, detector=DetectorConfig(det=f"mot:{path}"))


def write_boxes(path, count):
    rows = [f"1,-1,{10 + 50 * n},10,20,40,0.9" for n in range(count)]
    path.write_text("\n".join(rows) + "\n")


def test_parts_follow_the_configuration(tmp_path):
    write_boxes(tmp_path / "det.txt", 1)
    config = stored(tmp_path / "det.txt")
    system = create_system(config)
    assert system.models == {"detector": "replay of det.txt", "embedder": "none"}
    assert system.title == "detector replay of det.txt; embedder none"
    assert system.names == {0: "person"}
    assert create_system(config).scheduler is not system.scheduler


def test_an_unknown_embedder_is_refused_before_the_detector_loads():
    config = replace(
        PLAIN, embedder=EmbedderConfig("dimo"), detector=DetectorConfig(det="mot:nowhere")
    )
    with pytest.raises(UnknownNameError, match=r"(?s)dimo.*none"):
        create_system(config)


@pytest.mark.parametrize(
    "stages",
    [{"embedder": EmbedderConfig("detector")}, {"cheap": CheapConfig("detector")}],
    ids=["embedder", "cheap"],
)
def test_features_of_a_detector_that_has_none_are_refused(stages):
    with pytest.raises(UsageError, match="hands out no features"):
        create_system(replace(PLAIN, **stages))


def test_the_same_features_twice_are_refused():
    twice = replace(PLAIN, embedder=EmbedderConfig("detector"), cheap=CheapConfig("detector"))
    with pytest.raises(UsageError, match="which is the same"):
        create_system(twice)


def test_titles_count_without_the_size_that_a_picture_decides():
    assert strip_size("yolov8n.pt 640 px, OpenVINO bf16, cpu") == strip_size(
        "yolov8n.pt 640x384 px, OpenVINO bf16, cpu"
    )


def test_only_the_fingerprint_that_cannot_be_read_is_unknown(first, monkeypatch):
    known = first.fingerprint
    monkeypatch.setattr(FakeEmbedder, "fingerprint", property(cannot_be_read))
    unknown = first.fingerprint
    assert known["weights of the embedder"] == "fake weights"
    assert {role for role in known if known[role] != unknown[role]} == {"weights of the embedder"}
    assert unknown["weights of the embedder"] == UNKNOWN


def cannot_be_read(embedder):
    raise InputError("Cannot read 'weights.onnx': it is gone.")


def test_an_unread_model_has_a_name_but_a_missing_one_has_none(first):
    """ "" says that there is nothing to compare, `UNKNOWN` that there may be a difference."""
    without = replace(first.parts, embedder=None)
    known = LoadedModular(without).fingerprint
    assert (known["embedder"], known["weights of the embedder"]) == ("none", "")
