"""Classes of a detector and of a data set: by name, by number, or a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.errors import UsageError
from mot_dinov3.evaluation.class_map import map_classes
from mot_dinov3.values import Detections


def test_equal_names_decide_whatever_their_numbers_are():
    found = map_classes({0: "Person", 2: "car", 5: "dog"}, {3: "dog", 7: " person", 8: "head"})
    assert found.numbers == {0: 7, 5: 3}
    assert found.missing == ("head",)
    assert found.by_name
    boxes = np.arange(12, dtype=np.float32).reshape(3, 4)
    seen = Detections(boxes, np.array([0.1, 0.2, 0.3], np.float32), np.array([5, 2, 0]))
    translated = found.translate(seen)
    assert translated.class_id.tolist() == [3, 7]
    assert translated.xyxy[:, 0].tolist() == [0, 8]
    assert found.translate(Detections.empty()).class_id.dtype == np.int64


def test_numbers_decide_where_no_name_is_known_but_the_numbers_are_the_same():
    found = map_classes({0: "LABEL_0", 1: "LABEL_1"}, {0: "person", 1: "head"})
    assert found.numbers == {0: 0, 1: 1}
    assert found.missing == ()
    assert not found.by_name


def test_classes_that_have_nothing_in_common_are_refused():
    many = {number: f"thing{number}" for number in range(9)}
    with pytest.raises(UsageError, match="and 3 more, and the data set shows person: no class"):
        map_classes(many, {0: "person"})
