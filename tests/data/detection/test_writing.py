"""A data set that is written is the one that is read."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.data.detection.writing import Labelled, write_detection_set
from mot_dinov3.data.detection.yolo import open_detection_set
from mot_dinov3.errors import OutputError
from mot_dinov3.io.read.images import read_image

NAMES = {0: "person", 4: 'a "b": c'}


def draw(*rows):
    table = np.array(rows, np.float32).reshape(-1, 5)
    image = np.full((60, 80, 3), 100, np.uint8)
    return Labelled(image, table[:, :4], table[:, 4].astype(np.int64))


def test_what_is_written_is_read(tmp_path):
    pictures = [draw((10, 5, 30, 45, 4), (-8, 20, 16, 70, 0)), draw()]
    counts = write_detection_set(tmp_path, NAMES, {"train": pictures, "val": pictures[1:]})
    assert counts == {"train": 2, "val": 1}
    found = open_detection_set(tmp_path, "train")
    assert found.names == NAMES
    assert not found.left_out
    first, empty = found.examples
    assert first.class_id.tolist() == [4, 0]
    wanted = [[10, 5, 30, 45], [0, 20, 16, 60]]
    assert first.place_boxes(80, 60) == pytest.approx(np.array(wanted), abs=0.01)
    assert len(empty) == 0
    assert not (tmp_path / "train" / "labels" / "000002.txt").exists()
    assert read_image(first.picture).mean() == pytest.approx(100, abs=1)


def test_a_data_set_is_not_written_over(tmp_path):
    write_detection_set(tmp_path, NAMES, {"train": [draw()]})
    with pytest.raises(OutputError, match="holds a data set already"):
        write_detection_set(tmp_path, NAMES, {"train": [draw()]})
