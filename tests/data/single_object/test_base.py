from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.moving_square import DrawnPictures, box_at, picture_at, square_sequence
from mot_dinov3.data.single_object.base import (
    ChosenPictures,
    PackedPictures,
    PictureFiles,
    SingleObjectSequence,
    number_doubles,
    trim_sequence,
)
from mot_dinov3.errors import InputError
from mot_dinov3.io.write.crops import encode_jpeg

NOTHING = np.full(4, np.nan, np.float32)


def test_a_sequence_reads_the_picture_of_a_row_and_its_time():
    sequence = square_sequence()
    frame = sequence.read_frame(3)
    assert (frame.index, frame.time_s) == (3, pytest.approx(3 / sequence.fps))
    np.testing.assert_array_equal(frame.image, picture_at(3))


def test_a_sequence_is_cut_to_its_known_boxes_and_keeps_gaps_between_them():
    boxes = np.stack([NOTHING, box_at(1), NOTHING, box_at(3), NOTHING])
    sequence = trim_sequence("gap", DrawnPictures(5, (3, 1)), boxes)
    assert sequence.known.tolist() == [True, False, True]
    np.testing.assert_array_equal(sequence.read_frame(2).image, picture_at(3))


def test_one_box_alone_is_nothing_to_follow():
    boxes = np.stack([NOTHING, box_at(1), NOTHING])
    assert trim_sequence("one", DrawnPictures(3, (3, 1)), boxes) is None


def test_a_sequence_begins_with_a_known_box():
    with pytest.raises(ValueError, match="known box"):
        SingleObjectSequence("x", DrawnPictures(2, (3, 1)), np.stack([NOTHING, box_at(1)]))


def test_pictures_come_from_files_from_memory_and_from_others(tmp_path):
    paths = [tmp_path / f"{index}.png" for index in range(3)]
    for index, path in enumerate(paths):
        cv2.imwrite(str(path), picture_at(index))
    files = PictureFiles(tuple(paths))
    packed = PackedPictures(tuple(encode_jpeg(picture_at(index)) for index in range(3)))
    chosen = ChosenPictures(files, np.array([2, 0]))
    assert (len(files), len(packed), len(chosen)) == (3, 3, 2)
    np.testing.assert_array_equal(files[2], picture_at(2))
    np.testing.assert_array_equal(chosen[0], picture_at(2))
    assert np.abs(packed[1].astype(int) - picture_at(1)).mean() < 12


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"bad\.jpg"):
        PictureFiles((tmp_path / "bad.jpg",))[0]


def test_names_that_occur_twice_are_numbered():
    assert number_doubles(["a", "b", "a"]) == ["a-1", "b", "a-2"]
