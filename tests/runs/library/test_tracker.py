"""`Tracker`: the same tracks as the command line, from boxes and frames of one's own."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest

from helpers.jobs import make_scene, mot_rows, tiny_onnx
from helpers.places import ASSETS
from mot_dinov3 import Models, Tracker, track
from mot_dinov3.commands import main
from mot_dinov3.errors import UsageError
from mot_dinov3.io.formats.frame_log import read_results
from mot_dinov3.systems import shelf
from mot_dinov3.values import CONFIRMED, LOST, TENTATIVE

MOTION = {"embedder": "none", "device": "cpu"}
WORLD = "synthetic:crossings"
IMAGE = np.zeros((240, 320, 3), np.uint8)
BOXES = np.array([[10, 10, 50, 90, 0.9, 0], [100, 10, 150, 90, 0.8, 0]])


def by_table(result):
    """The boxes of a result as a user has them: (N, 6) numbers."""
    found = result.detections
    return np.column_stack([found.xyxy, found.score, found.class_id])


def assert_same(frame_log, results):
    """The tracks of results are those of a frame log, whose boxes are rounded."""
    logged = list(read_results(frame_log))
    assert len(logged) == len(results)
    for one, result in zip(logged, results, strict=True):
        own = result.all_tracks
        assert one.tracks.id.tolist() == own.id.tolist()
        assert one.tracks.state.tolist() == own.state.tolist()
        assert one.tracks.detection.tolist() == own.detection.tolist()
        np.testing.assert_allclose(one.tracks.xyxy, own.xyxy, atol=0.02)


def run_command_line(source, flags, out, frames):
    words = []
    for name, value in flags.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    files = ["--save-jsonl", f"{out}.jsonl", "--save-mot", f"{out}.txt"]
    limits = ["--max-frames", str(frames), "--no-video", "-q"]
    assert main(["--source", str(source), *words, *files, *limits]) == 0


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A drawn world as the command line tracks it, its results, and the flags of it."""
    folder = tmp_path_factory.mktemp("world")
    look = {"embedder": "onnx", "embed_model": tiny_onnx(folder / "colour.onnx")}
    flags = {"det": "demo", "imgsz": 320, "device": "cpu", **look}
    run_command_line(WORLD, flags, folder / "out", 40)
    return folder / "out", list(track(WORLD, max_frames=40, **flags)), {"device": "cpu", **look}


def test_a_video_has_the_tracks_of_the_command_line(world):
    out, results, _ = world
    assert_same(f"{out}.jsonl", results)
    assert sum(len(result) for result in results) > 100


def test_supplied_boxes_have_the_tracks_of_the_command_line(world):
    out, results, flags = world
    tracker = Tracker(**flags)
    mine = [tracker.update(by_table(r), r.image, time_s=r.time_s) for r in results]
    assert_same(f"{out}.jsonl", mine)
    assert [r.embed.computed for r in mine] == [r.embed.computed for r in results]
    assert tracker.confirmed > 0


def test_supplied_vectors_count_as_computed_ones(world):
    """The vectors that a run computed, given to a tracker without an embedder."""
    out, results, _ = world
    tracker = Tracker(**MOTION)
    mine = []
    for result in results:
        known = result.embeddings
        rows = None if known is None else [
            vector if fresh else None
            for vector, fresh in zip(known.vectors, known.fresh, strict=True)
        ]  # fmt: skip
        mine.append(
            tracker.update(result.detections, result.image, embeddings=rows, time_s=result.time_s)
        )
    assert_same(f"{out}.jsonl", mine)
    assert sum(result.embed.computed for result in results) > 10
    assert sum(result.embed.computed for result in mine) == 0


def test_tracks_are_what_the_mot_file_holds_and_no_ghosts(world):
    out, results, _ = world
    seen = {(r.frame_index + 1, int(i)) for r in results for i in r.tracks.id}
    assert seen == {(int(row[0]), int(row[1])) for row in mot_rows(f"{out}.txt")}
    for result in results:
        assert (result.tracks.state == CONFIRMED).all()
        assert (result.tracks.detection >= 0).all()
        np.testing.assert_array_equal(
            result.tracks.xyxy, result.detections.xyxy[result.tracks.detection]
        )
    every = {state for r in results for state in r.all_tracks.state.tolist()}
    assert {LOST, TENTATIVE} <= every


@pytest.mark.slow
@pytest.mark.skipif(not ASSETS.is_dir(), reason="the shared test assets are not here")
def test_real_boxes_have_the_tracks_of_the_command_line(tmp_path):
    weights, source = ASSETS / "weights", ASSETS / "videos" / "people-walking.mp4"
    look = {"embedder": "onnx", "embed_model": weights / "osnet_x0_25_msmt17.onnx"}
    flags = {"det": weights / "yolov8n_deq.pt", "imgsz": 320, "classes": "person", **look}
    run_command_line(source, {**flags, "device": "cpu"}, tmp_path / "out", 40)
    results = list(track(source, max_frames=40, cpu=True, **flags))
    tracker = Tracker(classes=0, cpu=True, **look)
    mine = [tracker.update(by_table(r), r.image, time_s=r.time_s) for r in results]
    assert_same(tmp_path / "out.jsonl", mine)


def test_a_detector_finds_what_the_caller_shows(tmp_path):
    scene = make_scene(tmp_path, 8)
    flags = {**MOTION, "det": f"mot:{scene / 'det.txt'}"}
    tracker = Tracker(fps=25, **flags)
    for result in track(scene / "clip.mp4", **flags):
        own = tracker.track(result.image)
        assert own.time_s == pytest.approx(result.time_s)
        assert own.tracks.id.tolist() == result.tracks.id.tolist()
    assert tracker.names == {0: "person"}
    assert "replay of det.txt" in repr(tracker)


def test_trackers_that_share_a_detector_with_a_memory_have_one_each(tmp_path):
    """What one of them sees is no background to the other."""
    models = Models.load(det="motion", embedder="none")
    shown = [result.image for result in track(WORLD, det="motion", embedder="none", max_frames=60)]
    alone, other, twin = (Tracker(models=models, fps=25) for _ in range(3))
    by_itself = [len(alone.track(image).detections) for image in shown]
    beside = []
    for image in shown:
        other.track(np.zeros_like(image))
        beside.append(len(twin.track(image).detections))
    assert beside == by_itself
    assert sum(by_itself) > 0


def test_nothing_is_loaded_that_is_not_needed(tmp_path):
    tracker = Tracker(det="missing.pt", embedder="onnx", embed_model="missing.onnx", fps=25)
    vectors = np.eye(2, 3)
    for _ in range(3):
        result = tracker.update(BOXES, IMAGE, embeddings=vectors)
    assert result.tracks.id.tolist() == [1, 2]
    assert tracker.update([], IMAGE).tracks.id.tolist() == []


def test_an_embedder_describes_the_boxes_without_a_vector(tmp_path):
    model = tiny_onnx(tmp_path / "colour.onnx")
    tracker = Tracker(embedder="onnx", embed_model=model, embed_all=True, device="cpu", fps=25)
    image = np.full_like(IMAGE, 90)
    both = tracker.update(BOXES, image, embeddings=np.eye(2, 3))
    assert (both.embed.computed, both.embeddings.fresh.tolist()) == (0, [True, True])
    one = tracker.update(BOXES, image, embeddings=[None, [0, 3, 0]])
    assert (one.embed.computed, one.embeddings.fresh.tolist()) == (1, [True, True])
    np.testing.assert_allclose(one.embeddings.vectors[1], [0, 1, 0])
    assert tracker.update(BOXES, image).embed.computed == 2
    with pytest.raises(UsageError, match=r"have length 4, but those of colour\.onnx .* have 3"):
        tracker.update(BOXES, image, embeddings=np.eye(2, 4))


def test_vectors_of_another_length_are_refused():
    tracker = Tracker(fps=25, **MOTION)
    tracker.update(BOXES, IMAGE, embeddings=np.eye(2, 4))
    with pytest.raises(UsageError, match="have length 5, but those before had 4"):
        tracker.update(BOXES, IMAGE, embeddings=np.eye(2, 5))


def test_the_rows_of_detections_are_those_of_the_caller():
    """Weak boxes, flat ones and those of other classes are not tracked, and still counted."""
    strange = np.array([[0, 0, 9, 9, 0.01, 0], [5, 5, 5, 40, 0.9, 0], [200, 9, 240, 90, 0.9, 7]])
    tracker = Tracker(fps=25, classes="person", names={0: "person", 7: "dog"}, **MOTION)
    result = tracker.update(np.concatenate([strange, BOXES]), IMAGE, embeddings=np.eye(5, 6))
    assert result.tracks.detection.tolist() == [3, 4]
    assert len(result.detections) == 5
    assert result.embeddings.fresh.tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("classes", "names", "message"),
    [
        ("person", None, "classes='person' names a class, but these boxes have class numbers"),
        ("persn", {0: "person"}, "no class 'persn'"),
    ],
)
def test_a_class_that_no_box_can_have_is_an_error(classes, names, message):
    with pytest.raises(UsageError, match=message):
        Tracker(fps=25, classes=classes, names=names, **MOTION).update(BOXES, IMAGE)


def test_classes_by_number_need_no_names():
    tracker = Tracker(fps=25, classes=[1, 2], **MOTION)
    classes = BOXES.copy()
    classes[1, 5] = 2
    assert tracker.update(classes, IMAGE).tracks.class_id.tolist() == [2]


@pytest.mark.parametrize(
    ("flags", "more", "message"),
    [
        ({"embedder": "resnet"}, {}, "embedder='resnet' looks at pictures, and update() got none"),
        ({"cmc": "flow"}, {}, "cmc='flow' looks at pictures, and update() got none"),
        ({"embedder": "detector"}, {"image": IMAGE}, "embedder='detector' reads the network"),
        ({"cheap_evidence": "detector"}, {}, "cheap_evidence='detector' reads the network"),
    ],
)
def test_what_has_nothing_to_look_at_is_refused(flags, more, message):
    tracker = Tracker(fps=25, **{**MOTION, **flags})
    with pytest.raises(UsageError) as caught:
        tracker.update(BOXES, **more)
    assert message in caught.value.what


def test_boxes_alone_are_tracked_by_motion():
    tracker = Tracker(fps=25, **MOTION)
    for step in range(4):
        result = tracker.update(BOXES + np.array([2, 0, 2, 0, 0, 0]) * step)
    assert result.tracks.id.tolist() == [1, 2]
    assert result.image is None


def test_a_picture_that_is_filled_anew_is_looked_at_anew(tmp_path):
    """Cameras write frame after frame into one array."""
    model = tiny_onnx(tmp_path / "colour.onnx")
    tracker = Tracker(embedder="onnx", embed_model=model, embed_all=True, device="cpu", fps=25)
    image, seen = np.zeros_like(IMAGE), []
    for colour in ((255, 0, 0), (0, 0, 255)):
        image[:] = colour
        seen.append(tracker.update(BOXES[:1], image).embeddings.vectors[0])
    assert float(seen[0] @ seen[1]) < 0.5


def test_another_video_begins_with_a_reset():
    tracker = Tracker(**MOTION)
    for _ in range(2):
        for time_s in (5.0, 5.1, 5.3):
            result = tracker.update(BOXES, time_s=time_s)
        assert result.tracks.id.tolist() == [1, 2]
        tracker.reset()
    assert tracker.confirmed == 0


def test_a_refused_frame_changes_nothing():
    tracker = Tracker(fps=25, **MOTION)
    tracker.update(BOXES, embeddings=np.eye(2, 4))
    with pytest.raises(UsageError):
        tracker.update(BOXES, embeddings=np.eye(2, 5))
    result = tracker.update(BOXES)
    assert (result.frame_index, result.time_s) == (1, pytest.approx(0.04))


@pytest.mark.parametrize(
    ("flags", "message", "fix"),
    [
        ({"embeder": "none"}, "Tracker() has no setting embeder=.", "embedder="),
        ({"zzz": 1}, "Tracker() has no setting zzz=.", "--embed-budget-ms is embed_budget_ms="),
        ({"save_mot": "out.txt"}, "Tracker() does not read save_mot=.", "run_job"),
        ({"max_frames": 3}, "Tracker() does not read max_frames=.", "Give max_frames= to track()"),
        ({"conf": "high"}, "conf= must be a number, got 'high'", "such as 0.5"),
        ({"conf": 3}, "--conf must be between 0 and 1", "another value"),
        ({"embedder": "osnt"}, "Unknown embedder 'osnt'.", "Choose one of"),
        ({"tracker": "bytetrak"}, "Unknown tracker 'bytetrak'.", "bytetrack"),
    ],
)
def test_a_wrong_setting_is_one_sentence(flags, message, fix):
    with pytest.raises(UsageError) as caught:
        Tracker(**flags)
    assert message in caught.value.what
    assert fix in caught.value.fix


def test_a_preset_is_a_setting_like_any_other():
    weak = BOXES.copy()
    weak[:, 4] = 0.5
    found = [Tracker(fps=25, **MOTION, **more).update(weak) for more in ({}, {"conf": 0.6})]
    preset = Tracker(fps=25, tracker="bytetrack", **MOTION).update(weak)
    assert [len(result) for result in found] == [2, 0]
    assert len(preset) == 0


def test_cameras_share_a_model_and_keep_their_own_tracks(tmp_path, monkeypatch):
    loaded, create = [], shelf.create_embedders
    monkeypatch.setattr(
        shelf, "create_embedders", lambda *words: (loaded.append(1), create(*words))[1]
    )
    models = Models.load(
        embedder="onnx", embed_model=tiny_onnx(tmp_path / "colour.onnx"), device="cpu"
    )
    cameras = [Tracker(models=models, fps=25) for _ in range(3)]
    threads = [Thread(target=run_camera, args=(camera, place)) for place, camera in
               enumerate(cameras)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [camera.confirmed for camera in cameras] == [1, 2, 3]
    assert len(loaded) == 1


def run_camera(tracker, place):
    boxes = [[60 * k, 10, 60 * k + 40, 90, 0.9, 0] for k in range(place + 1)]
    for _ in range(5):
        tracker.update(boxes, IMAGE + 50)
