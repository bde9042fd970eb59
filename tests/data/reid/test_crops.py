from __future__ import annotations

import numpy as np
import pytest

from helpers.picture_files import make_files
from mot_dinov3.data.reid.crops import UNKNOWN, join_crops, list_pictures, read_crops
from mot_dinov3.errors import InputError


def test_names_of_market_tell_identity_camera_sequence_and_frame(tmp_path):
    crops = read_crops(make_files(tmp_path, "0007_c2s3_000123_00.jpg", "0002_c1s1_000001_00.jpg"))
    assert crops.names == ("0002", "0007")
    assert crops.identity.tolist() == [0, 1]
    assert crops.camera.tolist() == [1, 2]
    assert crops.sequence.tolist() == [1, 3]
    assert crops.frame.tolist() == [1, 123]


def test_a_folder_names_the_identity_of_files_with_other_names(tmp_path):
    crops = read_crops(make_files(tmp_path, "anna/a.PNG", "anna/c4_x.webp", "bob smith/1.jpeg"))
    assert crops.names == ("anna", "bob smith")
    assert crops.identity.tolist() == [0, 0, 1]
    assert crops.camera.tolist() == [UNKNOWN, 4, UNKNOWN]


def test_what_names_no_identity_is_counted(tmp_path):
    crops = read_crops(
        make_files(tmp_path, "0001_c1s1_1_0.jpg", "-1_c1s1_1_0.jpg", "holiday.jpg", "notes.txt")
    )
    assert (len(crops), crops.left_out) == (1, 2)


def test_hidden_files_are_not_pictures(tmp_path):
    make_files(tmp_path, "a/1.jpg", "a/._1.jpg", ".thumbs/1.jpg", "a/10.jpg", "a/2.jpg")
    assert [path.name for path in list_pictures(tmp_path)] == ["1.jpg", "2.jpg", "10.jpg"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param((), "holds no image files", id="empty"),
        pytest.param(("notes.txt",), "holds no image files", id="no pictures"),
        pytest.param(("holiday.jpg",), "1 picture such as 'holiday.jpg'", id="no identities"),
    ],
)
def test_a_folder_without_identities_is_refused(tmp_path, names, said):
    with pytest.raises(InputError, match=said):
        read_crops(make_files(tmp_path, *names))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_crops(tmp_path / "none")


def test_selected_rows_keep_the_numbers_of_identities(tmp_path):
    crops = read_crops(make_files(tmp_path, "a/1.jpg", "b/1.jpg", "b/2.jpg"))
    part = crops[crops.identity == 1]
    assert part.names == crops.names
    assert part.identity.tolist() == [1, 1]
    assert [path.parent.name for path in part.paths] == ["b", "b"]


def test_joined_sets_share_neither_identities_nor_cameras(tmp_path):
    first = read_crops(make_files(tmp_path / "x", "0001_c1s1_1_0.jpg", "0001_c2s1_1_0.jpg"))
    second = read_crops(make_files(tmp_path / "y", "0001_c1s1_1_0.jpg"))
    both = join_crops([first, second], ["x-", "y-"])
    assert both.names == ("x-0001", "y-0001")
    assert both.identity.tolist() == [0, 0, 1]
    assert np.unique(both.camera).tolist() == [0, 1, 2]
