"""The pictures that an int8 export is calibrated on."""

from __future__ import annotations

import json

import cv2
import pytest

from mot_dinov3.perception.detectors.calibration import CROPS, PICTURES, write_calibration


def test_crops_are_the_same_every_time_and_described_in_ultralytics_form(tmp_path):
    pytest.importorskip("ultralytics")
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        facts = json.loads(write_calibration(tmp_path / name, {0: "person", 1: "car"}).read_text())
        assert facts["names"] == ["person", "car"]
        folder = tmp_path / name / facts["val"]
        assert facts["path"] == str(tmp_path / name)
        written.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert len(written[0]) == CROPS * len(PICTURES)
    assert written[0] == written[1]
    sizes = {cv2.imread(str(path)).shape for path in folder.iterdir()}
    assert len(sizes) > CROPS
