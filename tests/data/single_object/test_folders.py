from __future__ import annotations

import numpy as np
import pytest

from helpers.moving_square import box_at, picture_at, write_otb
from mot_dinov3.data.single_object import folders
from mot_dinov3.data.single_object.folders import read_got10k, read_otb
from mot_dinov3.errors import InputError


def write_got10k(folder, absent=()):
    write_otb(folder, 5)
    for file in (folder / "img").iterdir():
        file.rename(folder / file.name)
    (folder / "img").rmdir()
    (folder / "groundtruth_rect.txt").rename(folder / "groundtruth.txt")
    marks = [str(int(index in absent)) for index in range(5)]
    (folder / "absence.label").write_text("\n".join(marks) + "\n")


def test_a_folder_may_be_a_sequence_or_hold_several(tmp_path):
    for name in ("b10", "b2"):
        write_otb(tmp_path / name)
    (tmp_path / "notes").mkdir()
    assert [one.name for one in read_otb(str(tmp_path))] == ["b2", "b10"]
    (one,) = read_otb(str(tmp_path / "b2"))
    np.testing.assert_array_equal(one.boxes, [box_at(index) for index in range(8)])
    np.testing.assert_array_equal(one.read_frame(5).image, picture_at(5))


def test_two_objects_in_one_folder_are_two_sequences(tmp_path):
    folder = write_otb(tmp_path / "Jogging")
    truth = folder / "groundtruth_rect.txt"
    (folder / "groundtruth_rect.2.txt").write_text("\n".join(["1,1,5,5"] * 8))
    truth.rename(folder / "groundtruth_rect.1.txt")
    assert [one.name for one in read_otb(str(folder))] == ["Jogging-1", "Jogging-2"]


def test_pictures_behind_the_last_box_are_left_out_and_a_late_first_one_is_known(
    tmp_path, monkeypatch
):
    lines = ["1,1,5,5"] * 5
    (one,) = read_otb(str(write_otb(tmp_path / "short", 8, lines)))
    assert len(one) == 5
    np.testing.assert_array_equal(one.read_frame(0).image, picture_at(0))
    monkeypatch.setitem(folders.FIRST_PICTURES, "late", 4)
    (one,) = read_otb(str(write_otb(tmp_path / "late", 8, lines)))
    np.testing.assert_array_equal(one.read_frame(0).image, picture_at(3))


def test_got10k_says_where_the_object_is_absent(tmp_path):
    write_got10k(tmp_path / "GOT-10k_Train_000001", absent=(2,))
    (one,) = read_got10k(str(tmp_path))
    assert one.known.tolist() == [True, True, False, True, True]


def test_marks_of_absence_must_fit(tmp_path):
    write_got10k(tmp_path / "x")
    (tmp_path / "x" / "absence.label").write_text("0\n")
    with pytest.raises(InputError, match="1 line for 5 boxes"):
        read_got10k(str(tmp_path))


def test_the_readers_refuse_what_is_not_a_sequence(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_otb(str(tmp_path / "nothing"))
    with pytest.raises(InputError, match="holds no sequence") as caught:
        read_otb(str(tmp_path))
    assert "img/ for its pictures and groundtruth_rect.txt" in caught.value.fix
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is not a folder"):
        read_got10k(str(tmp_path / "file"))


def test_more_boxes_than_pictures_and_no_box_at_all_are_refused(tmp_path):
    many = write_otb(tmp_path / "many", 3, ["1,1,5,5"] * 4)
    with pytest.raises(InputError, match="4 boxes, but there are 3 pictures"):
        read_otb(str(many))
    none = write_otb(tmp_path / "none", 3, ["0,0,0,0", "1,1,5,5", "0,0,0,0"])
    with pytest.raises(InputError, match="fewer than two pictures"):
        read_otb(str(none))
