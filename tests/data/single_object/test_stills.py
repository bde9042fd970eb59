"""Labelled pictures as sequences of one picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mot_dinov3.data.single_object.factory import read_sequences
from mot_dinov3.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """A picture with a large object, a small one and one that fills it, and one without labels."""
    for name in ("images/part", "labels/part"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("a", "b"):
        image = np.full((100, 200, 3), 90, np.uint8)
        cv2.imwrite(str(tmp_path / "images" / "part" / f"{name}.png"), image)
    lines = "3 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.01 0.01\n1 0.5 0.5 0.9 0.9\n"
    (tmp_path / "labels" / "part" / "a.txt").write_text(lines)
    return tmp_path


def test_each_large_object_is_a_sequence(folder):
    (one,) = read_sequences(f"yolo:{folder}")
    assert one.name == "a-0"
    assert one.boxes == pytest.approx(np.array([[80, 30, 120, 70]]), abs=1e-3)
    assert one.pictures[0].shape == (100, 200, 3)


def test_what_is_not_such_a_folder_is_refused(folder):
    with pytest.raises(InputError, match="does not hold images/"):
        read_sequences(f"yolo:{folder / 'images'}")
    labels = folder / "labels" / "part" / "a.txt"
    labels.write_text("0 here there 1 1\n")
    with pytest.raises(InputError, match=r"a\.txt"):
        read_sequences(f"yolo:{folder}")
    labels.write_text("")
    with pytest.raises(InputError, match="No labelled object"):
        read_sequences(f"yolo:{folder}")
