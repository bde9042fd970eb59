"""What `--det` stands for."""

from __future__ import annotations

import pytest

from mot_dinov3.perception.detectors.factory import detector_kind


@pytest.mark.parametrize(
    ("det", "kind"),
    [
        ("yolov8n.pt", "yolo"),
        ("weights/best.pt", "yolo"),
        ("motion", "motion"),
        (" Motion ", "motion"),
        ("demo", "demo"),
        ("mot:det.txt", "mot"),
        ("MOT:C:/a.txt", "mot"),
        ("mot.pt", "yolo"),
        ("mot", "yolo"),
        ("http://host/motion", "yolo"),
        ("yolo", "yolo"),
    ],
)
def test_the_kind_is_read_from_the_value(det, kind):
    assert detector_kind(det) == kind
