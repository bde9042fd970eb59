"""What `--det` stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.perception.detectors.factory import (
    create_detector,
    detector_kind,
    list_named_files,
    split_det,
)


@pytest.mark.parametrize(
    ("det", "name", "argument"),
    [
        ("yolov8n.pt", "yolo", "yolov8n.pt"),
        ("weights/best.pt", "yolo", "weights/best.pt"),
        ("C:/weights/best.pt", "yolo", "C:/weights/best.pt"),
        ("motion", "motion", ""),
        (" Motion ", "motion", ""),
        ("motion:", "motion", ""),
        ("./motion", "yolo", "./motion"),
        ("motion.pt", "yolo", "motion.pt"),
        ("demo", "demo", ""),
        ("mot:det.txt", "mot", "det.txt"),
        ("MOT: C:/a.txt", "mot", "C:/a.txt"),
        ("mot.pt", "yolo", "mot.pt"),
        ("mot", "mot", ""),
        ("http://host/motion", "yolo", "http://host/motion"),
        ("yolo:demo", "yolo", "demo"),
        ("", "yolo", ""),
    ],
)
def test_a_name_of_the_table_is_that_entry_and_all_else_a_model(det, name, argument):
    assert split_det(det) == (name, argument)


@pytest.mark.parametrize(
    ("det", "message", "fix"),
    [
        ("mot", "--det mot names no file", "--det mot:FILE"),
        ("mot: ", "--det mot:  names no file", "--det mot:FILE"),
        ("yolo", "--det yolo names no model", "--det yolo:MODEL"),
        ("motion:fast", "--det motion takes nothing after its name, got 'fast'", "--det motion."),
        ("demo:x.pt", "--det demo takes nothing after its name, got 'x.pt'", "--det demo."),
    ],
)
def test_an_argument_is_given_where_one_is_needed_and_nowhere_else(det, message, fix):
    with pytest.raises(UsageError, match=message) as caught:
        create_detector(DetectorConfig(det=det), "cpu")
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("det", "stored", "needs_pixels", "has_network"),
    [
        ("mot:det.txt", True, False, False),
        ("motion", False, True, False),
        ("demo", False, True, True),
        ("yolov8n.pt", False, True, True),
    ],
)
def test_what_is_asked_before_loading_is_known_of_every_kind(
    det, stored, needs_pixels, has_network
):
    kind = detector_kind(det)
    assert (kind.stored, kind.needs_pixels, kind.has_network) == (stored, needs_pixels, has_network)


def test_the_files_that_a_value_may_name():
    assert list_named_files("mot:a/det.txt") == list_named_files("a/det.txt") == [Path("a/det.txt")]
    assert list_named_files("motion") == []
