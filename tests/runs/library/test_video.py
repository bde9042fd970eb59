"""`track`: a video as an iterator of results."""

from __future__ import annotations

import time

import numpy as np
import pytest

from helpers.jobs import make_scene
from mot_dinov3 import Models, track
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.perception.detectors.motion import MotionDetector
from mot_dinov3.runs import session
from mot_dinov3.systems.modular import ModularTracker

FRAMES = 8
SHIPPED = {"det": "demo", "imgsz": 320, "cheap_evidence": "detector", "device": "cpu"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"), FRAMES)


def follow(scene, **flags):
    ready = {"det": f"mot:{scene / 'det.txt'}", "embedder": "none", "device": "cpu"}
    return track(scene / "clip.mp4", **{**ready, **flags})


def test_a_video_is_tracked_in_two_lines(scene):
    ids = set()
    for result in follow(scene):
        ids |= set(result.tracks.id.tolist())
    assert ids == {1, 2}


def test_results_tell_everything_about_a_frame(scene):
    results = list(follow(scene))
    assert [result.frame_index for result in results] == list(range(FRAMES))
    assert results[-1].time_s == pytest.approx(7 / 25)
    assert len(results[0].detections) == 2
    assert results[3].tracks.detection.tolist() == [0, 1]
    assert results[0].image.shape == (120, 160, 3)
    assert results[0].names == {0: "person"}
    assert {"detect", "embed", "track"} <= results[0].stage_ms.keys()


def test_settings_are_those_of_the_source_and_of_tracking(scene):
    assert len(list(follow(scene, max_frames=3))) == 3
    assert [r.frame_index for r in follow(scene, vid_stride=2, start_frame=1)] == [1, 3, 5, 7]
    assert all(len(result) == 0 for result in follow(scene, conf=0.95, low_conf=0.95))


def test_motion_needs_no_file_at_all(scene):
    assert len(list(follow(scene, det="motion"))) == FRAMES


@pytest.mark.parametrize(
    ("flags", "message", "fix"),
    [
        ({"max_frame": 3}, "track() has no setting max_frame=.", "Did you mean max_frames="),
        ({"save_mot": "out.txt"}, "track() does not read save_mot=.", "run_job"),
        ({"show": True}, "track() does not read show=.", "setting of the command line"),
        ({"fps": 25}, "track() does not read fps=.", "times come from the source"),
        ({"conf": 2}, "--conf must be between 0 and 1", "another value"),
    ],
)
def test_a_wrong_setting_is_refused_at_once(flags, message, fix):
    with pytest.raises(UsageError) as caught:
        track("video.mp4", **flags)
    assert message in caught.value.what
    assert fix in caught.value.fix


def test_several_sources_are_several_calls():
    with pytest.raises(UsageError, match="takes one source, got several"):
        track(["a.mp4", "b.mp4"])


def test_a_missing_source_is_told_when_the_first_frame_is_asked_for():
    results = track("missing.mp4", det="motion", embedder="none")
    with pytest.raises(InputError, match="does not exist"):
        next(results)


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
    results = follow(scene)
    next(results)
    results.close()
    assert closed
    assert not list(tmp_path.iterdir())


def test_a_video_has_ids_of_its_own(scene):
    for _ in range(2):
        assert min(i for result in follow(scene) for i in result.tracks.id) == 1


def test_boxes_without_pictures_give_results_without_images(tmp_path):
    (tmp_path / "seqinfo.ini").write_text(
        "[Sequence]\nname=walk\nframeRate=20\nseqLength=3\nimWidth=640\nimHeight=480\n"
    )
    rows = [f"{frame},-1,10,20,50,100,0.9" for frame in range(1, 4)]
    (tmp_path / "det.txt").write_text("\n".join(rows))
    flags = {"det": f"mot:{tmp_path / 'det.txt'}", "embedder": "none"}
    results = list(track(f"mot:{tmp_path}", **flags))
    assert [len(result) for result in results] == [1, 1, 1]
    assert all(result.image is None for result in results)


def test_a_bar_counts_the_frames(scene, capsys):
    assert len(list(follow(scene, progress=True, max_frames=5))) == 5
    assert "5/5" in capsys.readouterr().err


def test_no_bar_is_shown_unless_asked_for(scene, capsys):
    list(follow(scene))
    assert capsys.readouterr().err == ""


def test_the_time_between_frames_is_not_left_for_embeddings(scene, monkeypatch):
    """What the caller does with a result takes time from the next frame, too."""
    paces = []
    monkeypatch.setattr(ModularTracker, "pace", lambda self, ms: paces.append(ms))
    for _ in follow(scene):
        time.sleep(0.02)
    assert len(paces) == FRAMES
    assert min(paces[1:]) > 20


def test_the_shipped_detector_gives_its_cheap_evidence(scene):
    assert "cheap" in next(follow(scene, **SHIPPED)).stage_ms


def test_videos_share_loaded_models(scene):
    models = Models.load(**SHIPPED, embedder="none")
    source = scene / "clip.mp4"
    first, second = list(track(source, models=models)), list(track(source, models=models))
    alone = list(track(source, **SHIPPED, embedder="none"))
    for a, b, c in zip(first, second, alone, strict=True):
        np.testing.assert_array_equal(a.tracks.xyxy, c.tracks.xyxy)
        np.testing.assert_array_equal(b.tracks.xyxy, c.tracks.xyxy)


def test_a_detector_that_remembers_frames_is_never_shared(scene, monkeypatch):
    learned = []
    detect = MotionDetector.detect
    monkeypatch.setattr(
        MotionDetector, "detect", lambda self, frame: (learned.append(self), detect(self, frame))[1]
    )
    models = Models.load(det="motion", embedder="none")
    for _ in zip(*(track(scene / "clip.mp4", models=models) for _ in range(2)), strict=True):
        pass
    assert len({id(detector) for detector in learned}) == 2


def test_a_picture_or_nothing_is_not_a_source():
    for wrong, kind in ((np.zeros((4, 4, 3), np.uint8), "a numpy ndarray"), (None, "None")):
        with pytest.raises(UsageError, match=f"takes the name of a source, got {kind}") as caught:
            track(wrong)
        assert "Tracker().track(image)" in caught.value.fix
