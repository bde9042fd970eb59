"""The truth of a drawn world goes in, the boxes of a detector with known errors come out."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.commands import main
from mot_dinov3.config import DetectorConfig, EmbedderConfig, SourceConfig, TrackConfig
from mot_dinov3.data.synthetic import reader
from mot_dinov3.data.synthetic.noise.base import DetectorNoise, Misses
from mot_dinov3.data.synthetic.presets.factory import create_world
from mot_dinov3.errors import EXIT_OK, UnknownNameError, UsageError
from mot_dinov3.lab.recordings.store import read_recording
from mot_dinov3.perception.detectors import drawn
from mot_dinov3.perception.detectors.base import is_of_one_clip
from mot_dinov3.perception.detectors.drawn import DrawnDetector
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.systems.making import load_models, renew_models
from mot_dinov3.values import Frame

FRAMES = 6
STREET = "synthetic:street:5"


@pytest.fixture(autouse=True)
def short_worlds(monkeypatch):
    """Worlds of a few frames: every frame is drawn to know its truth."""
    monkeypatch.setattr(
        reader, "create_world", lambda name, **changes: create_world(name, frames=FRAMES, **changes)
    )


def detector_of(det="drawn:acf", source=STREET, **settings):
    return create_detector(DetectorConfig(det, **settings), "cpu", source=source)


def boxes_of(detector):
    nothing = np.zeros((1, 1, 3), np.uint8)
    return [detector.detect(Frame(index, index / 25, nothing)) for index in range(FRAMES)]


def test_without_errors_it_gives_the_truth_back(monkeypatch):
    monkeypatch.setattr(drawn, "load_noise", lambda name: DetectorNoise())
    detector = detector_of()
    for index, found in enumerate(boxes_of(detector)):
        truth = create_world("street", seed=5, frames=FRAMES).frame(index)[1]
        np.testing.assert_array_equal(found.xyxy, truth.xyxy)
        np.testing.assert_array_equal(found.class_id, truth.class_id)
        assert (found.score == 1).all()
    assert detector.names == {0: "person", 1: "vehicle"}
    assert sum(map(len, boxes_of(detector_of(classes="vehicle")))) < sum(
        map(len, boxes_of(detector))
    )


def test_who_cannot_be_seen_is_not_found(monkeypatch):
    hidden = DetectorNoise(Misses(least_visible=1.1))
    monkeypatch.setattr(drawn, "load_noise", lambda name: hidden)
    assert sum(map(len, boxes_of(detector_of()))) == 0


def test_boxes_repeat_with_the_seed_and_the_floor_cuts_them():
    first, again, other = (
        np.concatenate([found.xyxy for found in boxes_of(detector_of(det))])
        for det in ("drawn:acf", "drawn:acf:0", "drawn:acf:1")
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()
    sure = boxes_of(detector_of(conf=0.9, low_conf=0.9))
    assert all((found.score >= 0.9).all() for found in sure)
    assert sum(map(len, sure)) < len(first)


def test_it_says_which_errors_and_which_world():
    acf, frcnn, seeded = (detector_of(det) for det in ("drawn:acf", "drawn:frcnn", "drawn:acf:2"))
    assert len({d.fingerprint for d in (acf, frcnn, seeded)}) == 3
    assert acf.fingerprint == detector_of(source="synthetic:street:6").fingerprint
    assert acf.repeated != detector_of(source="synthetic:street:6").repeated
    assert is_of_one_clip(acf)


def test_every_clip_gets_its_own_boxes():
    def config(source):
        return TrackConfig(
            source=SourceConfig(source),
            detector=DetectorConfig("drawn:frcnn"),
            embedder=EmbedderConfig(embedder="none"),
        )

    models = load_models(config(STREET), "cpu")
    other = renew_models(models, config("synthetic:street:6"))
    assert models.detector.repeated.endswith(STREET)
    assert other.detector.repeated.endswith("synthetic:street:6")


@pytest.mark.parametrize(
    ("det", "source", "kind", "said"),
    [
        pytest.param("drawn:acv", STREET, UnknownNameError, "Did you mean acf", id="name"),
        pytest.param("drawn:acf:x", STREET, UsageError, "not a seed", id="seed"),
        pytest.param("drawn", STREET, UsageError, "names no name", id="no name"),
        pytest.param("drawn:acf", "walk.mp4", UsageError, "truth of a drawn world", id="a video"),
    ],
)
def test_refusals(det, source, kind, said):
    with pytest.raises(kind) as caught:
        detector_of(det, source)
    assert said in f"{caught.value.what} {caught.value.fix}"


def test_a_detector_that_attended_nothing_says_so():
    with pytest.raises(ValueError, match="attend"):
        DrawnDetector("acf", 0, DetectorConfig()).detect(Frame(0, 0.0, np.zeros((1, 1, 3))))


def test_cache_and_track_take_it(tmp_path, capsys):
    words = ["--det", "drawn:yolov8n", "--embedder", "none", "--cpu"]
    sources = ["synthetic:street", "synthetic:street:6"]
    assert main(["cache", *sources, *words, "--out", str(tmp_path)]) == EXIT_OK
    recordings = [read_recording(tmp_path / f"{name}.npz") for name in ("street", "street-6")]
    first, second = (r.clip.frames[FRAMES - 1].detections.xyxy for r in recordings)
    assert first.shape != second.shape or (first != second).any()
    assert main(["cache", *sources, *words, "--out", str(tmp_path)]) == EXIT_OK
    assert "kept" in capsys.readouterr().out
    out = tmp_path / "o.txt"
    track = ["--source", STREET, *words, "--no-video", "--save-mot", str(out), "--quiet"]
    assert main(track) == EXIT_OK
    assert out.exists()
