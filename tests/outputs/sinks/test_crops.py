"""Crops of identities: the source's pixels, upright, bounded, under numbers only."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.results import Seen, frame_at, result_at
from mot_dinov3.config import OutputConfig
from mot_dinov3.io.write.crops import cut_box
from mot_dinov3.outputs.sinks.crops import CropsSink, EvenSelection, merge_folders
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import TrackState

BIRTH = Seen(-5, state=TrackState.TENTATIVE)
GIVEN = Seen(was=-5, fresh=False)


def crops(tmp_path, results, **config):
    """What is written for a list of results: path below the directory -> picture."""
    place = tmp_path / "crops"
    timer = StageTimer()
    with CropsSink(str(place), OutputConfig(**config), timer) as sink:
        for result in results:
            sink.write(frame_at(result.frame_index), result)
    assert list(timer.stage_ms) == ["write"]
    found = sorted(path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): cv2.imread(str(path)) for path in found}


def test_a_crop_shows_the_pixels_of_its_box(tmp_path):
    found = crops(tmp_path, [result_at(12, Seen(7, (10.4, 20.9, 30.2, 40)))])
    assert list(found) == ["7/frame_000012.jpg"]
    expected = frame_at(12).image[20:40, 10:31]
    assert found["7/frame_000012.jpg"].shape == expected.shape
    difference = np.abs(found["7/frame_000012.jpg"].astype(int) - expected)
    assert difference.mean() < 1.5


def test_boxes_are_cut_at_the_border_and_left_out_beyond_it(tmp_path):
    tracks = [
        Seen(1, (-50, -50, 20, 10)),
        Seen(2, (60, 40, 900, 900)),
        Seen(3, (100, 0, 200, 40)),
        Seen(4, (-9, 5, -1, 40)),
        Seen(5, (10, 10, 10, 20)),
        Seen(6, (np.nan, 0, 20, 40)),
        Seen(7, (30, 30, 10, 10)),
        Seen(8, (0, 0, np.inf, 10)),
    ]
    found = crops(tmp_path, [result_at(0, *tracks)])
    assert {name[0]: picture.shape[:2] for name, picture in found.items()} == {
        "1": (10, 20), "2": (8, 4),
    }  # fmt: skip


def test_embedded_boxes_are_cut_or_all_that_were_seen(tmp_path):
    tracks = [
        Seen(1),
        Seen(2, fresh=False),
        Seen(3, fresh=False, seen=False, state=TrackState.LOST),
    ]
    (tmp_path / "a").mkdir()
    assert list(crops(tmp_path / "a", [result_at(0, *tracks)])) == ["1/frame_000000.jpg"]
    seen = crops(tmp_path, [result_at(0, *tracks)], crops_of="seen")
    assert list(seen) == ["1/frame_000000.jpg", "2/frame_000000.jpg"]


def test_a_first_look_is_kept_once_its_track_is_confirmed(tmp_path):
    unlucky = Seen(-6, state=TrackState.TENTATIVE)
    results = [result_at(0, BIRTH, unlucky), result_at(1, GIVEN), result_at(2, Seen())]
    assert list(crops(tmp_path, results)) == ["1/frame_000000.jpg", "1/frame_000002.jpg"]


def test_a_first_look_survives_the_frame_that_it_came_from(tmp_path):
    frame = frame_at(0)
    with CropsSink(str(tmp_path / "crops"), OutputConfig(), StageTimer()) as sink:
        sink.write(frame, result_at(0, BIRTH))
        frame.image[:] = 0
        sink.write(frame_at(1), result_at(1, GIVEN))
    assert cv2.imread(str(tmp_path / "crops/1/frame_000000.jpg"))[..., 2].mean() > 90


def test_crops_of_an_identity_are_bounded_and_spread(tmp_path):
    found = crops(tmp_path, [result_at(index) for index in range(100)], crops_per_id=10)
    numbers = [int(name[8:14]) for name in found]
    assert numbers == [0, 16, 32, 48, 64, 80, 96]


@pytest.mark.parametrize("most", [1, 2, 5, 50])
def test_an_album_holds_no_more_than_it_may_and_at_least_half(most):
    album, kept = EvenSelection(most), set()
    for number in range(1000):
        if album.offer(number):
            kept.add(number)
        kept -= set(album.drop_superfluous())
        assert kept == set(album.frames)
        assert len(kept) <= most
        assert len(kept) >= min(number + 1, most // 2)
        assert 0 in kept
    assert np.ptp(np.diff(sorted(kept))) == 0 if len(kept) > 1 else True


def test_an_album_without_limit_holds_all():
    album = EvenSelection(0)
    assert all(album.offer(number) for number in range(1000))
    assert album.drop_superfluous() == []


def test_nobody_leaves_an_empty_directory(tmp_path):
    with CropsSink(str(tmp_path / "crops"), OutputConfig(), StageTimer()):
        pass
    assert list((tmp_path / "crops").iterdir()) == []


def test_a_cut_is_a_view_of_the_frame():
    image = frame_at(0).image
    assert np.shares_memory(cut_box(image, np.array([0, 0, 9, 9], np.float32)), image)


def make_folders(tmp_path, **folders):
    for name, frames in folders.items():
        (tmp_path / name[1:]).mkdir()
        for frame in frames:
            (tmp_path / name[1:] / f"frame_{frame:06d}.jpg").write_text(f"{name} {frame}")


def list_pictures(tmp_path):
    return {
        folder.name: [int(picture.stem[6:]) for picture in sorted(folder.iterdir())]
        for folder in tmp_path.iterdir()
    }


def test_folders_become_one(tmp_path):
    make_folders(tmp_path, _1=[0, 5], _2=[1], _7=[9], _8=[20])
    merge_folders(tmp_path, {7: 1, 8: 1, 12: 2, 13: 12}, most=0)
    assert list_pictures(tmp_path) == {"1": [0, 5, 9, 20], "2": [1]}


def test_an_identity_without_a_picture_takes_those_of_later_ones(tmp_path):
    make_folders(tmp_path, _7=[9])
    merge_folders(tmp_path, {7: 1}, most=3)
    assert list_pictures(tmp_path) == {"1": [9]}


def test_no_more_pictures_than_wanted_stay_and_they_are_spread(tmp_path):
    make_folders(tmp_path, _1=range(0, 100, 10), _2=range(50), _7=[1_000_000, 999_999])
    merge_folders(tmp_path, {7: 1}, most=4)
    found = list_pictures(tmp_path)
    assert len(found["2"]) == 50
    assert found["1"][0] == 0
    assert len(found["1"]) == 4
    assert 1_000_000 in found["1"]
