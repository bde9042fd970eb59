from __future__ import annotations

import time

import pytest

from helpers.jobs import make_scene
from mot_dinov3.config import (
    CheapConfig,
    DetectorConfig,
    DeviceConfig,
    EmbedderConfig,
    SchedulerConfig,
    SourceConfig,
    TrackConfig,
)
from mot_dinov3.errors import InputError
from mot_dinov3.runs import session
from mot_dinov3.runs.session import device_title, track_video, versions
from mot_dinov3.systems.factory import create_system
from mot_dinov3.systems.modular import ModularTracker


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"), 8)


def settings(scene, **stages):
    ready = {
        "source": SourceConfig(source=str(scene / "clip.mp4")),
        "detector": DetectorConfig(det=f"mot:{scene / 'det.txt'}"),
        "embedder": EmbedderConfig(embedder="none"),
        "device": DeviceConfig(device="cpu"),
    }
    return TrackConfig(**{**ready, **stages})


def test_five_lines_track_a_video(scene):
    config = settings(scene)
    ids = set()
    for result in track_video(config):
        ids |= set(result.tracks.id.tolist())
    assert ids == {1, 2}


def test_results_tell_everything_about_a_frame(scene):
    results = list(track_video(settings(scene)))
    assert [result.frame_index for result in results] == list(range(8))
    assert results[-1].time_s == pytest.approx(7 / 25)
    assert len(results[0].detections) == 2
    assert results[3].tracks.detection.tolist() == [0, 1]
    assert {"detect", "embed", "track"} <= results[0].stage_ms.keys()


def test_motion_needs_no_file_at_all(scene):
    config = settings(scene, detector=DetectorConfig(det="motion"))
    assert len(list(track_video(config))) == 8


def test_nothing_is_written_and_the_source_is_closed(scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    closed = []
    open_source = session.open_source

    def opened(config, *live):
        reader = open_source(config, *live)
        close = reader.close
        monkeypatch.setattr(reader, "close", lambda: (closed.append(1), close()), raising=False)
        return reader

    monkeypatch.setattr(session, "open_source", opened)
    results = track_video(settings(scene))
    next(results)
    results.close()
    assert closed
    assert not list(tmp_path.iterdir())


def test_a_missing_source_is_told_when_the_first_frame_is_asked_for(scene):
    results = track_video(settings(scene, source=SourceConfig(source="missing.mp4")))
    with pytest.raises(InputError, match="does not exist"):
        next(results)


def test_a_run_builds_a_tracker_of_its_own(scene):
    for _ in range(2):
        assert min(i for r in track_video(settings(scene)) for i in r.tracks.id) == 1


def test_versions_are_those_installed(monkeypatch):
    import numpy

    found = versions()
    assert found["numpy"] == numpy.__version__
    monkeypatch.setattr(session, "PACKAGES", ("numpy", "no-such-package"))
    assert list(versions()) == ["numpy"]


def test_the_cpu_is_called_by_its_name():
    assert device_title("cpu") == "cpu"


def test_the_time_between_frames_is_not_left_for_embeddings(scene, monkeypatch):
    """What the caller does with a result takes time from the next frame, too."""
    paces = []
    monkeypatch.setattr(ModularTracker, "pace", lambda self, ms: paces.append(ms))
    for _ in track_video(settings(scene)):
        time.sleep(0.02)
    assert len(paces) == 8
    assert min(paces[1:]) > 20


def test_the_shipped_detector_describes_everybody(scene):
    config = settings(
        scene,
        detector=DetectorConfig(det="demo", imgsz=320),
        cheap=CheapConfig("detector"),
        scheduler=SchedulerConfig(embed_policy="value"),
    )
    tracker = create_system(config)
    assert tracker.cheap is not None
    stages = next(track_video(config)).stage_ms
    assert "cheap" in stages
