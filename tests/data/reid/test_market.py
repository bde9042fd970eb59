from __future__ import annotations

import pytest

from helpers.picture_files import make_files
from mot_dinov3.data.reid.market import read_search_set, read_training_crops
from mot_dinov3.errors import InputError


def test_query_and_gallery_number_identities_alike(tmp_path):
    make_files(tmp_path, "query/0005_c1s1_1_0.jpg")
    make_files(
        tmp_path, "bounding_box_test/0002_c1s1_1_0.jpg", "bounding_box_test/0005_c2s1_1_0.jpg"
    )
    found = read_search_set(tmp_path)
    assert found.query.names == ("0005",)
    assert found.gallery.names == ("0005", "0002")
    assert found.gallery.identity.tolist() == [1, 0]


def test_training_pictures_lie_in_the_set_or_in_the_folder_itself(tmp_path):
    make_files(tmp_path, "set/bounding_box_train/0001_c1s1_1_0.jpg", "own/anna/1.jpg")
    assert read_training_crops(tmp_path / "set").names == ("0001",)
    assert read_training_crops(tmp_path / "own").names == ("anna",)


def test_a_set_without_a_gallery_is_refused(tmp_path):
    make_files(tmp_path, "query/0005_c1s1_1_0.jpg")
    with pytest.raises(InputError, match="no folder 'bounding_box_test'"):
        read_search_set(tmp_path)
