"""TrackerNano as a searcher: with a fake tracker, and with the real one where its files are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.moving_square import picture_at
from helpers.places import ASSETS
from mot_dinov3.config import DeviceConfig
from mot_dinov3.data.single_object.factory import read_sequences
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.perception.searchers.factory import create_searcher
from mot_dinov3.perception.searchers.following import follow_sequence
from mot_dinov3.perception.searchers.nano import NanoSearcher, load_nano, to_rectangle
from mot_dinov3.values import Frame

WEIGHTS = ASSETS / "weights"
BACKBONE, HEAD = WEIGHTS / "nanotrackv2_backbone.onnx", WEIGHTS / "nanotrackv2_head.onnx"
real = pytest.mark.skipif(not BACKBONE.is_file(), reason="the shared test assets are not here")
SETTINGS = DeviceConfig()


class FakeTracker:
    """Finds what it learned `step` pixels further to the right each time."""

    def __init__(self, score=0.9, found=True):
        self.score, self.found, self.learned = score, found, []

    def init(self, image, box):
        self.learned.append((int(image.mean()), box))
        self.box = box

    def update(self, image):
        left, top, width, height = self.box
        self.box = (left + 5, top, width, height)
        return self.found, self.box

    def getTrackingScore(self):
        return self.score


@pytest.fixture
def made():
    return []


@pytest.fixture
def searcher(made):
    def make():
        made.append(FakeTracker())
        return made[-1]

    return NanoSearcher(make, "nano fake", "abc")


def frame_of(index, grey=0):
    return Frame(index, index / 30, np.full((60, 100, 3), grey, np.uint8))


def ids(*numbers):
    return np.array(numbers, np.int64)


def boxes(*lefts):
    return np.array([[left, 10, left + 20, 30] for left in lefts], np.float32)


def test_a_tracker_learns_at_its_first_search_from_the_picture_that_was_shown(searcher, made):
    searcher.show(frame_of(0, grey=7), ids(1, 2), boxes(10, 50))
    assert not made
    finds = searcher.search(frame_of(1, grey=9), ids(2), boxes(0))
    assert made[0].learned == [(7, (50, 10, 20, 20))]
    assert finds.xyxy.tolist() == [[55, 10, 75, 30]]
    assert finds.score.tolist() == [pytest.approx(0.9)]
    searcher.search(frame_of(2, grey=9), ids(2), boxes(0))
    assert len(made) == len(made[0].learned) == 1


def test_what_is_shown_again_is_learned_again_and_trackers_are_used_again(searcher, made):
    searcher.show(frame_of(0), ids(1), boxes(10))
    searcher.search(frame_of(1), ids(1), boxes(10))
    searcher.show(frame_of(2, grey=4), ids(1), boxes(30))
    assert searcher.search(frame_of(3), ids(1), boxes(30)).xyxy[0, 0] == 35
    searcher.forget(ids(1, 99))
    searcher.show(frame_of(4), ids(5), boxes(40))
    searcher.search(frame_of(5), ids(5), boxes(40))
    assert len(made) == 1
    assert [box[0] for _, box in made[0].learned] == [10, 30, 40]


def test_each_target_has_its_own_tracker(searcher, made):
    searcher.show(frame_of(0), ids(1, 2), boxes(10, 50))
    finds = searcher.search(frame_of(1), ids(2, 1), boxes(50, 10))
    assert finds.xyxy[:, 0].tolist() == [55, 15]
    assert len(made) == 2


def test_targets_that_are_not_known_or_not_in_the_picture_are_not_found(searcher, made):
    searcher.show(frame_of(0), ids(1), boxes(300))
    finds = searcher.search(frame_of(1), ids(1, 7), boxes(10, 20))
    assert finds.score.tolist() == [0, 0]
    np.testing.assert_array_equal(finds.xyxy, boxes(10, 20))
    assert not made


def test_what_the_tracker_does_not_find_has_no_score():
    searcher = NanoSearcher(lambda: FakeTracker(found=False), "x", "y")
    searcher.show(frame_of(0), ids(1), boxes(10))
    assert searcher.search(frame_of(1), ids(1), boxes(10)).score.tolist() == [0]


def test_a_searcher_for_another_clip_knows_nothing(searcher):
    searcher.show(frame_of(0), ids(1), boxes(10))
    other = searcher.renew()
    assert other.search(frame_of(1), ids(1), boxes(10)).score.tolist() == [0]
    assert (other.title, other.fingerprint) == ("nano fake", "abc")


def test_rectangles_are_whole_pixels_and_never_empty():
    box = np.array([1.4, 2.6, 1.5, 9.2], np.float32)
    assert to_rectangle(box) == (1, 3, 2, 7)


@pytest.mark.parametrize("argument", ["", "a.onnx", "a.onnx,b.onnx,c.onnx"])
def test_two_files_must_be_named(argument):
    with pytest.raises(UsageError, match="must name two files"):
        load_nano(argument, "cpu", SETTINGS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"a\.onnx' is not there"):
        load_nano(f"{tmp_path / 'a.onnx'},{tmp_path / 'b.onnx'}", "cpu", SETTINGS)


def test_files_of_another_kind_are_refused(tmp_path, capfd):
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_text("not a network")
    with pytest.raises(ModelError, match="are not the backbone and the head"):
        load_nano(f"{tmp_path / 'a.onnx'},{tmp_path / 'b.onnx'}", "cpu", SETTINGS)
    assert capfd.readouterr() == ("", "")


@real
def test_swapped_files_and_those_of_another_model_are_told_apart():
    with pytest.raises(ModelError, match="is the head") as caught:
        load_nano(f"{HEAD},{BACKBONE}", "cpu", SETTINGS)
    assert f"nano:{BACKBONE},{HEAD}" in caught.value.fix
    other = WEIGHTS / "osnet_x0_25_msmt17.onnx"
    for pair in ((BACKBONE, other), (other, HEAD), (BACKBONE, BACKBONE)):
        with pytest.raises(ModelError, match="are not the backbone and the head"):
            load_nano(",".join(map(str, pair)), "cpu", SETTINGS)


def follow_directly(sequence):
    """The boxes of `cv2.TrackerNano`, called as OpenCV's own sample does."""
    options = cv2.TrackerNano_Params()
    options.backbone, options.neckhead = str(BACKBONE), str(HEAD)
    tracker = cv2.TrackerNano_create(options)
    left, top, right, bottom = sequence.boxes[0].tolist()
    tracker.init(sequence.pictures[0], tuple(map(round, (left, top, right - left, bottom - top))))
    return [tracker.update(sequence.pictures[row])[1] for row in range(1, len(sequence))]


@real
@pytest.mark.skipif(not (ASSETS / "sot").is_dir(), reason="the shared test assets are not here")
def test_it_finds_what_opencv_finds_also_with_a_tracker_that_was_used_before(capfd):
    searcher = create_searcher(f"nano:{BACKBONE},{HEAD}", "cpu")
    assert capfd.readouterr() == ("", "")
    for name in ("DragonBaby", "Human3"):
        (whole,) = read_sequences(f"otb:{ASSETS / 'sot' / name}")
        short = type(whole)(name, Part(whole.pictures, 12), whole.boxes[:12])
        found = follow_sequence(searcher, short).xyxy
        found[:, 2:] -= found[:, :2]
        np.testing.assert_array_equal(found[1:], follow_directly(short))


class Part:
    """The first pictures of a sequence."""

    def __init__(self, pictures, count):
        self.pictures, self.count = pictures, count

    def __len__(self):
        return self.count

    def __getitem__(self, row):
        return self.pictures[row]


@real
def test_a_real_tracker_that_learns_anew_has_forgotten_what_it_knew():
    fresh, used = (create_searcher(f"nano:{BACKBONE},{HEAD}", "cpu") for _ in range(2))
    target = np.array([[20, 30, 40, 50]], np.float32)
    used.show(Frame(0, 0, picture_at(6)), ids(1), np.array([[60, 10, 90, 60]], np.float32))
    used.search(Frame(1, 0, picture_at(7)), ids(1), target)
    used.forget(ids(1))
    found = []
    for searcher in (fresh, used):
        searcher.show(Frame(0, 0, picture_at(0)), ids(2), target)
        found.append(searcher.search(Frame(1, 0, picture_at(1)), ids(2), target))
    np.testing.assert_array_equal(found[0].xyxy, found[1].xyxy)
    assert found[0].score.tolist() == found[1].score.tolist()
