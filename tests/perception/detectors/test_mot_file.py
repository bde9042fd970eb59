"""Replayed detections: the right boxes at the right frame, and scores that mean one thing."""

from __future__ import annotations

import logging
from dataclasses import replace as changed

import numpy as np
import pytest

from helpers.fakes import blank_frame
from helpers.places import ASSETS
from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.io.formats.mot import MotWriter
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.perception.detectors.mot_file import MotFileDetector, confidence
from mot_dinov3.values import Tracks


def replay(tmp_path, text, **settings):
    path = tmp_path / "det.txt"
    path.write_text(text)
    return replay_file(path, **settings)


def replay_file(path, **settings):
    return create_detector(DetectorConfig(det=f"mot:{path}", **settings), "cpu")


def test_boxes_come_at_the_frame_that_the_file_counts_from_one(tmp_path):
    detector = replay(tmp_path, "1,-1,1,2,3,4,0.9\n3,-1,5,6,7,8,0.8\n")
    assert isinstance(detector, MotFileDetector)
    assert detector.detect(blank_frame(0)).xyxy.tolist() == [[1, 2, 4, 6]]
    assert len(detector.detect(blank_frame(1))) == 0
    assert detector.detect(blank_frame(2)).xyxy.tolist() == [[5, 6, 12, 14]]
    assert len(detector.detect(blank_frame(99))) == 0


@pytest.mark.parametrize(("frames", "unused"), [(3, 0), (2, 2), (1, 3), (0, 4)])
def test_boxes_after_the_end_of_a_source_are_counted(tmp_path, frames, unused):
    text = "".join(f"{frame},-1,0,0,9,9,0.9\n" for frame in (3, 1, 2, 3))
    assert replay(tmp_path, text).rows_after(frames) == unused


def test_what_is_below_the_floor_or_has_no_area_is_left_out(tmp_path):
    text = "1,-1,0,0,9,9,0.9\n1,-1,0,0,9,9,0.2\n1,-1,0,0,9,9,0.05\n1,-1,0,0,0,9,0.9\n"
    found = replay(tmp_path, text, conf=0.3, low_conf=0.2).detect(blank_frame(0))
    np.testing.assert_allclose(found.score, [0.9, 0.2])


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        pytest.param([-1, -1], [1, 1], id="no confidence given"),
        pytest.param([0, 0], [1, 1], id="all zero"),
        pytest.param([1, 0, 1], [1, 0, 1], id="flags of a ground truth"),
        pytest.param([2.5, 0.5, -0.3], [1, 0.5, 0], id="open margins"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_scores_become_confidences(scores, expected):
    assert confidence(np.array(scores, np.float32)).tolist() == expected


@pytest.mark.parametrize(
    ("scores", "says"),
    [((97.25, 40, 0.5, 3), "go up to 97.25, but a confidence is between 0 and 1: 75 % of its"),
     ((0.2, 1.0, 1.0005), ""), ((-1, -1), ""), ((-0.5, 2.5), "go up to 2.5")],
)  # fmt: skip
def test_scores_that_are_no_confidences_are_told_once(tmp_path, caplog, monkeypatch, scores, says):
    monkeypatch.setattr(logging.getLogger("mot_dinov3"), "propagate", True)
    detector = replay(tmp_path, "".join(f"1,-1,0,0,9,9,{score}\n" for score in scores))
    detector.detect(blank_frame(0))
    assert len(caplog.records) == bool(says)
    assert says in caplog.text


def test_without_classes_everything_is_a_person(tmp_path):
    detector = replay(tmp_path, "1,-1,0,0,9,9,0.9\n", classes="person")
    assert detector.names == {0: "person"}
    assert detector.detect(blank_frame(0)).class_id.tolist() == [0]


def test_classes_of_a_ground_truth_have_their_names_and_can_be_chosen(tmp_path):
    text = "1,1,0,0,9,9,1,1,1\n1,2,0,0,8,8,1,3,1\n1,3,0,0,7,7,1,42,1\n"
    detector = replay(tmp_path, text, classes="car")
    assert detector.names == {1: "pedestrian", 3: "car", 42: "class 42"}
    assert detector.detect(blank_frame(0)).xyxy.tolist() == [[0, 0, 8, 8]]


def test_what_a_run_wrote_can_be_tracked_again(tmp_path):
    """The numbers of its classes come back as they were, and people are found by either name."""
    names = {0: "person", 2: "car", 5: "bus"}
    tracks = Tracks(
        np.arange(1, 4), np.tile(np.float32([0, 0, 9, 9]), (3, 1)), np.ones(3, np.float32),
        np.array([*names]), np.ones(3, np.int8), np.ones(3, np.bool_), np.arange(3),
    )  # fmt: skip
    for number, known in enumerate((names, {1: "pedestrian", 3: "car", 105: "class 105"})):
        path = tmp_path / f"{number}.txt"
        with MotWriter(path, known) as writer:
            writer.write(0, changed(tracks, class_id=np.array([*known])))
    assert (tmp_path / "0.txt").read_bytes() == (tmp_path / "1.txt").read_bytes()
    assert replay_file(path).names == {1: "pedestrian", 3: "car", 105: "class 105"}
    for word in ("person", "pedestrian", "1"):
        found = replay_file(path, classes=word).detect(blank_frame(0))
        assert found.class_id.tolist() == [1]


def test_an_unknown_class_and_a_missing_name_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="no class 'cat'"):
        replay(tmp_path, "1,-1,0,0,9,9,0.9\n", classes="cat")
    with pytest.raises(UsageError, match="names no file"):
        create_detector(DetectorConfig(det="mot:"), "cpu")


def test_a_bad_file_names_itself(tmp_path):
    with pytest.raises(InputError, match=r"det\.txt' line 1"):
        replay(tmp_path, "hello\n")


@pytest.mark.skipif(not ASSETS.is_dir(), reason="the shared test assets are not here")
@pytest.mark.parametrize("name", ["det.txt", "det_yolox_x_ablation.txt"])
def test_public_detections_lie_on_the_annotated_people(name):
    folder = ASSETS / "mot17/MOT17-train/MOT17-09-FRCNN"
    truth = replay_path(folder / "gt/gt.txt", classes="pedestrian", conf=0.5, low_conf=0.5)
    found = replay_path(folder / "det" / name, conf=0.3)
    from mot_dinov3.values.boxes import iou_matrix

    hits = total = 0
    for index in range(0, 525, 25):
        people = truth.detect(blank_frame(index)).xyxy
        iou = iou_matrix(people, found.detect(blank_frame(index)).xyxy)
        hits += int((iou.max(axis=1, initial=0) > 0.5).sum())
        total += len(people)
    assert hits / total > 0.5


def replay_path(path, **settings):
    return create_detector(DetectorConfig(det=f"mot:{path}", **settings), "cpu")
