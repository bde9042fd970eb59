"""Boxes as users have them, and those that cannot be boxes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.fakes import boxes as detections_of
from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.boxes import check_pixels, read_boxes, read_names

TABLE = np.array([[10, 10, 50, 90, 0.9, 2], [100, 10, 150, 90, 0.8, 0]])


def read(*words, **named):
    return read_boxes(*words, **named).detections


@pytest.mark.parametrize(
    ("boxes", "more"),
    [
        pytest.param(TABLE, {}, id="six columns"),
        pytest.param(TABLE.tolist(), {}, id="a list"),
        pytest.param(TABLE.astype(np.float32), {}, id="float32"),
        pytest.param(TABLE[:, :5], {"classes": [2, 0]}, id="five columns"),
        pytest.param(TABLE[:, :4], {"scores": [0.9, 0.8], "classes": [2, 0]}, id="corners"),
        pytest.param(detections_of(*TABLE.tolist()), {}, id="detections of this package"),
    ],
)
def test_all_forms_say_the_same(boxes, more):
    found = read(boxes, **more)
    np.testing.assert_array_equal(found.xyxy, TABLE[:, :4].astype(np.float32))
    np.testing.assert_array_equal(found.score, TABLE[:, 4].astype(np.float32))
    assert found.class_id.tolist() == [2, 0]


def test_tensors_are_arrays():
    import torch

    tensor = torch.tensor(TABLE, requires_grad=True)
    assert read(tensor).class_id.tolist() == [2, 0]
    assert read(tensor.bfloat16()).class_id.tolist() == [2, 0]
    assert len(read(torch.zeros(0, 6))) == 0


def test_what_is_left_out_is_certain_and_of_class_0():
    found = read(TABLE[:, :4])
    assert found.score.tolist() == [1, 1]
    assert found.class_id.tolist() == [0, 0]


@pytest.mark.parametrize("empty", [[], np.zeros(0), np.zeros((0, 4)), np.zeros((0, 6)), [[]]])
def test_a_frame_without_boxes_has_none_in_any_shape(empty):
    assert len(read(empty)) == 0
    assert len(read(empty, scores=[], classes=[])) == 0


@pytest.mark.parametrize(
    ("boxes", "what", "fix"),
    [
        ([[1, 2, np.nan, 4]], "Row 0 of the boxes is not a box: 1 2 nan 4.", "isfinite"),
        ([[1, 2, 3, 4], [1, 2, np.inf, 4]], "Row 1 of the boxes is not a box", "isfinite"),
        ([[0, 0, 9, 9], [300, 2, 3, 4]], "Row 1 of the boxes ends before", "boxes[:, 2:4] +="),
        ([[0, 9, 9, 0]], "Row 0 of the boxes ends before", "x1 y1 x2 y2"),
        ([[0, 0, 9, 9, 87, 0]], "Score 87 in row 0 is not between 0 and 1.", "by 100"),
        ([[0, 0, 9, 9, -1, 0]], "Score -1 in row 0", "x1 y1 x2 y2 score class"),
        ([[0, 0, 9, 9, 640, 0]], "Score 640 in row 0", "x1 y1 x2 y2 score class"),
        ([[0, 0, 9, 9, np.nan, 0]], "Score nan in row 0", "score class"),
        ([[0, 0, 9, 9, 0.5, 0.5]], "Class 0.5 in row 0 is not a whole number.", "score class"),
        ([[0, 0, 9, 9, 0.5, np.nan]], "Class nan in row 0", "score class"),
        ([[0, 0, 9, 9, 0.5, 1e30]], "Class 1e+30 in row 0", "score class"),
        (None, "boxes= is None.", "[]"),
        ([0, 0, 9, 9], "one row of 4 numbers", "boxes[None]"),
        (np.ones((2, 7)), "has shape (2, 7)", "x1 y1 x2 y2 score class"),
        (np.ones((2, 2, 6)), "has shape (2, 2, 6)", "x1 y1 x2 y2 score class"),
        ("boxes.txt", "not a table of numbers, but a str", "np.array(boxes)"),
        ([[1, 2], [3]], "not a table of numbers, but a list", "np.array(boxes)"),
        ({"a": 1}, "not a table of numbers, but a dict", "np.array(boxes)"),
    ],
)
def test_what_cannot_be_boxes_is_one_sentence(boxes, what, fix):
    with pytest.raises(UsageError) as caught:
        read(boxes)
    assert what in caught.value.what
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"scores": [0.5]}, "boxes= of 6 columns has scores of its own."),
        ({"scores": [0.5], "classes": [1]}, "has scores and classes of its own."),
    ],
)
def test_a_column_is_given_once(more, what):
    with pytest.raises(UsageError, match=what):
        read(TABLE, **more)


def test_a_column_has_a_number_for_each_box():
    with pytest.raises(UsageError, match=r"scores= has shape \(3,\), and there are 2 boxes"):
        read(TABLE[:, :4], scores=[0.5] * 3)
    with pytest.raises(UsageError, match="Score nan in row 1"):
        read(TABLE[:, :4], scores=[0.5, None])


def test_rounding_may_leave_the_range_of_scores():
    assert read([[0, 0, 9, 9, 1.0000002, 0], [0, 0, 9, 9, -1e-7, 0]]).score.tolist() == [1, 0]


def test_boxes_without_area_are_boxes():
    assert len(read([[5, 5, 5, 9, 0.9, 0]])) == 1


def test_shares_of_the_picture_are_not_pixels():
    with pytest.raises(UsageError, match="shares of the picture, not pixels"):
        check_pixels(read([[0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 1, 1]]).xyxy)
    check_pixels(read([[0, 0, 1, 40]]).xyxy)
    check_pixels(read([[0, 0, 0, 0]]).xyxy)
    check_pixels(read([]).xyxy)


def test_names_are_a_mapping_or_a_list():
    assert read_names(["person", "car"]) == {0: "person", 1: "car"}
    assert read_names({"0": "person", np.int64(2): "car"}) == {0: "person", 2: "car"}
    for wrong in ("person", {"person": 0}, 5):
        with pytest.raises(UsageError, match="does not name class numbers"):
            read_names(wrong)


class TestSupervision:
    @pytest.fixture
    def sv(self):
        return pytest.importorskip("supervision")

    def test_detections_bring_the_names_of_their_classes(self, sv):
        own = sv.Detections(
            TABLE[:, :4],
            confidence=TABLE[:, 4],
            class_id=np.array([2, 0]),
            data={"class_name": np.array(["car", "person"])},
        )
        given = read_boxes(own)
        assert given.detections.class_id.tolist() == [2, 0]
        assert given.names == {2: "car", 0: "person"}
        assert not given.all_named

    def test_what_they_leave_out_is_certain_and_of_class_0(self, sv):
        found = read(sv.Detections(TABLE[:, :4]))
        assert (found.score.tolist(), found.class_id.tolist()) == ([1, 1], [0, 0])
        assert len(read(sv.Detections.empty())) == 0

    def test_their_scores_are_their_own(self, sv):
        with pytest.raises(
            UsageError, match="a supervision Detections, which has scores and classes of its own"
        ):
            read(sv.Detections(TABLE[:, :4]), scores=[0.5, 0.5])


class TestUltralytics:
    @pytest.fixture
    def results(self):
        engine = pytest.importorskip("ultralytics.engine.results")
        names = {0: "person", 2: "car"}
        return engine.Results(np.zeros((240, 320, 3), np.uint8), "", names, boxes=TABLE)

    def test_results_bring_names_and_picture(self, results):
        for form in (results, [results]):
            given = read_boxes(form)
            np.testing.assert_array_equal(given.detections.xyxy, TABLE[:, :4].astype(np.float32))
            assert given.detections.class_id.tolist() == [2, 0]
            assert given.names == {0: "person", 2: "car"}
            assert given.all_named
            assert given.image.shape == (240, 320, 3)

    def test_their_boxes_alone_will_do(self, results):
        given = read_boxes(results.boxes)
        assert given.detections.class_id.tolist() == [2, 0]
        assert given.names == {}

    def test_rotated_boxes_are_refused(self):
        rotated = SimpleNamespace(boxes=None, names={0: "ship"})
        with pytest.raises(UsageError, match="no upright boxes"):
            read(rotated)
