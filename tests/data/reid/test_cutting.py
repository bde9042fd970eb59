"""Crops on the disk: their names, their pixels, and which of several is taken."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.results import frame_at
from mot_dinov3.data.reid.crops import read_crops
from mot_dinov3.data.reid.cutting import Labels, write_crops
from mot_dinov3.data.reid.tracklets import CropPlan
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.io.write.directories import AtomicDirectory


def test_the_best_of_each_part_is_written_under_a_name_that_tells_all(tmp_path):
    box = [10.4, 20.9, 30.2, 40]
    frames = np.arange(6)
    boxes, ones = np.array([box] * 6, np.float32), np.ones(6, np.float32)
    table = MotTable(frames, np.full(6, 9), boxes, ones, np.zeros(6, np.int64), ones)
    plan = CropPlan(frames, np.zeros(6, np.int64), np.array([0, 0, 0, 1, 1, 2]), 1, {})
    worth = {0: 1, 1: 3, 2: 2, 3: 5, 4: 4, 5: 1}
    shown = iter([frame_at(k) for k in (0, 1, 2, 4, 7)])
    asked = iter((0, 1, 2, 4))

    def judge(image, xyxy):
        assert xyxy.shape == (1, 4)
        return np.array([worth[next(asked)]], np.float32)

    with AtomicDirectory(tmp_path / "crops") as directory:
        assert write_crops(shown, (table, plan), directory, Labels(12, 3, 2), judge) == 2
    crops = read_crops(tmp_path / "crops")
    assert [path.relative_to(tmp_path).as_posix() for path in crops.paths] == [
        "crops/0012/0012_c3s2_000001_00.jpg", "crops/0012/0012_c3s2_000004_00.jpg",
    ]  # fmt: skip
    assert (crops.camera.tolist(), crops.sequence.tolist()) == ([3, 3], [2, 2])
    expected = frame_at(1).image[20:40, 10:31]
    assert np.abs(cv2.imread(str(crops.paths[0])).astype(int) - expected).mean() < 1.5
