from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.data.single_object.rectangles import read_marks, read_rectangles
from mot_dinov3.errors import InputError


def written(tmp_path, text):
    path = tmp_path / "boxes.txt"
    path.write_text(text)
    return path


@pytest.mark.parametrize("separator", [",", "\t", " ", ", ", ";"])
def test_numbers_may_be_separated_in_many_ways(tmp_path, separator):
    path = written(tmp_path, separator.join(["1.5", "2", "10", "20"]) + "\r\n")
    assert read_rectangles(path).tolist() == [[1.5, 2, 11.5, 22]]


@pytest.mark.parametrize("line", ["", "NaN,NaN,NaN,NaN", "0,0,0,0", "5 5 -3 4", "5,5,3,nan"])
def test_a_line_may_say_that_the_object_is_absent(tmp_path, line):
    boxes = read_rectangles(written(tmp_path, f"1,2,3,4\n{line}\n1,2,3,4\n"))
    assert np.isfinite(boxes).all(axis=1).tolist() == [True, False, True]


def test_a_polygon_becomes_its_upright_hull(tmp_path):
    path = written(tmp_path, "291.5,203,396,264,442,185,337,124.5")
    assert read_rectangles(path).tolist() == [[291.5, 124.5, 442, 264]]


@pytest.mark.parametrize(
    ("line", "said"),
    [("1,2,3", "3 numbers"), ("1,2,3,4,5", "5 numbers"), ("a,b,c,d", "not a row of numbers"),
     ("1,2,3,9e9", "beyond"), ("1,2,3,inf", "beyond")],
)  # fmt: skip
def test_a_line_that_makes_no_sense_is_named(tmp_path, line, said):
    with pytest.raises(InputError, match=rf"line 2: .*{said}"):
        read_rectangles(written(tmp_path, f"1,2,3,4\n{line}\n"))


def test_a_file_that_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="Cannot read"):
        read_rectangles(tmp_path / "nothing.txt")


def test_marks_are_numbers_one_a_line(tmp_path):
    assert read_marks(written(tmp_path, "0\n1\n0\n")).tolist() == [0, 1, 0]
