"""Data sets as YOLO lays them out: what is read, what is left out and said, what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mot_dinov3.data.detection.yolo import find_labels, open_detection_set
from mot_dinov3.errors import InputError, UsageError

LABELS = """1 0.5 0.5 0.2 0.4
0 0.05 0.5 0.2 0.4
5 0.5 0.5 0.1 0.1
0 0.5 0.5 0.1
0 here 0.5 0.1 0.1
0 0.5 0.5 0.1 nan
0.5 0.5 0.5 0.1 0.1
0 320 240 50 80
0 0.5 0.5 0 0.1
0 1e300 0.5 0.1 0.1
1 0.5 0.5 0.2 0.4

"""


@pytest.fixture
def folder(tmp_path):
    """Two splits; `a` has labels with every mistake, `b` an empty text, `c` none."""
    for name in ("train/images/deep", "train/labels/deep", "val/images"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("train/images/b", "train/images/deep/a", "train/images/c", "val/images/d"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((50, 100, 3), 90, np.uint8))
    (tmp_path / "train/labels/deep/a.txt").write_text(LABELS)
    (tmp_path / "train/labels/b.txt").write_text("")
    describe(tmp_path)
    return tmp_path


def describe(folder, **changes):
    entries = {"names": "[person, head]", "train": "train/images", "val": "val/images"} | changes
    text = "".join(f"{key}: {value}\n" for key, value in entries.items() if value)
    (folder / "data.yaml").write_text(text)
    return folder / "data.yaml"


def test_boxes_are_read_and_cut_to_their_pictures(folder):
    found = open_detection_set(folder / "data.yaml", "train")
    assert found.names == {0: "person", 1: "head"}
    assert [one.picture.stem for one in found.examples] == ["b", "c", "a"]
    assert [len(one) for one in found.examples] == [0, 0, 2]
    assert found.box_count == 2
    a = found.examples[2]
    assert a.class_id.tolist() == [1, 0]
    assert (a.cxcywh.dtype, a.class_id.dtype) == (np.float32, np.int64)
    boxes = a.place_boxes(100, 50)
    assert boxes == pytest.approx(np.array([[40, 15, 60, 35], [0, 15, 15, 35]]), abs=1e-4)


def test_what_is_left_out_is_counted_and_said_with_its_place(folder):
    found = open_detection_set(folder, "train")
    assert found.left_out.counts == {"line": 4, "class": 1, "outside": 3, "repeated": 1}
    said = found.left_out.sentence
    assert said.startswith("Left out: 4 lines that are not a class and four numbers (")
    assert "1 box of a class that has no name (" in said
    assert "a.txt line 3)" in said
    assert "a.txt line 8)" in said
    assert open_detection_set(folder, "val").left_out.sentence == ""


def test_labels_without_a_picture_and_labels_that_are_no_text_are_counted(folder):
    (folder / "train/labels/gone.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (folder / "train/labels/classes.txt").write_text("person\nhead\n")
    (folder / "train/labels/b.txt").write_bytes(b"\xff\xfe\xfd")
    found = open_detection_set(folder, "train")
    assert [one.picture.stem for one in found.examples] == ["c", "a"]
    assert found.left_out.counts["picture"] == 1
    assert found.left_out.counts["labels"] == 1
    assert "gone.txt" in found.left_out.sentence


def test_a_split_may_be_a_list_of_pictures_and_several_entries(folder):
    (folder / "some.txt").write_text("./train/images/deep/a.png\n\ntrain/images/gone.png\n")
    describe(folder, train="[some.txt, val/images, val/images]")
    found = open_detection_set(folder, "train")
    assert [one.picture.stem for one in found.examples] == ["a", "d"]
    assert len(found.examples[0]) == 2
    assert "some.txt line 3" in found.left_out.places["picture"]


@pytest.mark.parametrize("path", [".", "..", "elsewhere"])
def test_places_are_seen_from_path_or_from_the_description(folder, path):
    inner = folder / "inner"
    inner.mkdir()
    describe(folder).rename(inner / "data.yaml")
    text = (inner / "data.yaml").read_text() + f"path: {path}\n"
    if path != "..":
        text = text.replace("train: ", "train: ../").replace("val: ", "val: ../")
    (inner / "data.yaml").write_text(text)
    assert len(open_detection_set(inner, "train")) == 3


def test_a_split_that_lies_beside_a_description_which_looks_above_itself_is_found(folder):
    describe(folder, val="../val/images")
    assert len(open_detection_set(folder, "val")) == 1


def test_names_may_be_numbered(folder):
    describe(folder, names="{1: head, 0: person, 5: dog}")
    found = open_detection_set(folder, "train")
    assert list(found.names.items()) == [(0, "person"), (1, "head"), (5, "dog")]
    assert found.examples[2].class_id.tolist() == [1, 0, 5]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"names": ""}, "it has no names of classes"),
        ({"names": "{person: 0}"}, "'person' is not the number of a class"),
        ({"names": "&a [person, *a]"}, "it has aliases"),
        ({"names": "[person"}, "it is not YAML"),
        ({"names": "!!python/object/apply:os.system ['true']"}, "it is not YAML"),
        ({"train": "nowhere"}, "nowhere', which is not there"),
        ({"train": "train/labels"}, "has no pictures that can be used"),
        ({"train": "val/images/d.png"}, "is a picture"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(folder, changes, said):
    describe(folder, **changes)
    with pytest.raises(InputError, match=said):
        open_detection_set(folder, "train")


def test_a_split_that_is_not_there_names_those_that_are(folder):
    with pytest.raises(UsageError, match="has no split 'test'") as caught:
        open_detection_set(folder, "test")
    assert caught.value.fix == "It has: train, val."
    with pytest.raises(InputError, match="Cannot read"):
        open_detection_set(folder / "other.yaml", "train")


def test_nothing_in_a_description_is_run(folder):
    mark = folder / "mark"
    describe(folder, download=f"touch {mark}")
    assert len(open_detection_set(folder, "val")) == 1
    assert not mark.exists()


@pytest.mark.parametrize(
    ("picture", "labels"),
    [
        ("set/images/train/a.jpg", "set/labels/train/a.txt"),
        ("images/x/images/a.b.png", "images/x/labels/a.b.txt"),
        ("plain/a.jpg", "plain/a.txt"),
    ],
)
def test_labels_lie_beside_the_last_folder_of_images(picture, labels):
    assert find_labels(Path(picture)) == Path(labels)
