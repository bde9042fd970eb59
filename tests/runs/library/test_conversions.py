"""Tracks in the forms that other packages take."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from mot_dinov3 import Tracker
from mot_dinov3.errors import ModelError

BOXES = np.array([[10, 40, 60, 200, 0.9, 0], [100, 40, 150, 200, 0.8, 2]])


def follow(*frames):
    """The last result of a tracker that gets these boxes, ten frames a second."""
    names = {0: "person", 2: "car"}
    tracker = Tracker(embedder="none", fps=10, names=names, device="cpu")
    for frame in frames:
        result = tracker.update(frame)
    return result


@pytest.fixture
def seen():
    return follow(BOXES, BOXES, BOXES)


def test_boxmot_rows(seen):
    np.testing.assert_allclose(
        seen.to_boxmot(), [[*BOXES[0, :4], 1, 0.9, 0, 0], [*BOXES[1, :4], 2, 0.8, 2, 1]]
    )
    assert follow(BOXES[::-1]).to_boxmot()[:, 7].tolist() == [0, 1]
    assert follow([]).to_boxmot().shape == (0, 8)


def test_supervision_detections(seen):
    sv = pytest.importorskip("supervision")
    found = seen.to_supervision()
    np.testing.assert_array_equal(found.xyxy, BOXES[:, :4])
    assert found.tracker_id.tolist() == [1, 2]
    assert found.class_id.tolist() == [0, 2]
    assert found.data["class_name"].tolist() == ["person", "car"]
    zone = sv.PolygonZone(np.array([[0, 0], [90, 0], [90, 239], [0, 239]]))
    assert zone.trigger(found).tolist() == [True, False]
    empty = follow([]).to_supervision()
    assert len(empty) == 0
    assert empty.tracker_id.shape == (0,)
    assert len(sv.Detections.merge([empty, found])) == 2


def test_a_table_of_pandas(seen):
    pandas = pytest.importorskip("pandas")
    table = pandas.concat([seen.to_pandas(), follow([]).to_pandas(), follow(BOXES).to_pandas()])
    assert table["id"].tolist() == [1, 2, 1, 2]
    assert table["class"].tolist() == ["person", "car"] * 2
    assert table["frame"].tolist() == [2, 2, 0, 0]
    assert table["x2"].tolist() == [60, 150] * 2
    assert list(table.columns)[:5] == ["frame", "time_s", "id", "class_id", "class"]


def test_a_class_without_a_name_is_called_by_its_number():
    pytest.importorskip("pandas")
    tracker = Tracker(embedder="none", fps=10, device="cpu")
    assert tracker.update(BOXES).to_pandas()["class"].tolist() == ["0", "2"]


@pytest.mark.parametrize("package", ["supervision", "pandas"])
def test_a_missing_package_is_one_sentence(seen, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError) as caught:
        getattr(seen, f"to_{package}")()
    assert (
        caught.value.what
        == f"to_{package}() needs the package '{package}', which is not installed."
    )
    assert f"pip install {package}" in caught.value.fix
