"""Pictures of identities: cut right, few, and of the right frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.reports import result
from mot_dinov3.outputs.report.crops import (
    HEIGHT_PX,
    MOST_ALBUMS,
    WIDTH_PX,
    CropCollector,
    cut_jpeg,
)

SMALL, LARGE = (10, 10, 30, 40), (60, 10, 120, 110)


def image(level=100):
    return np.full((120, 160, 3), level, np.uint8)


def shown(crop):
    return cv2.imdecode(np.frombuffer(crop.jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_a_crop_shows_the_box():
    picture = image()
    picture[10:110, 60:120] = (0, 0, 230)
    out = cv2.imdecode(
        np.frombuffer(cut_jpeg(picture, np.array(LARGE)), np.uint8), cv2.IMREAD_COLOR
    )
    assert out.shape[0] <= HEIGHT_PX
    assert out.shape[1] <= WIDTH_PX
    middle = out[out.shape[0] // 2, out.shape[1] // 2]
    assert middle[2] > 200
    assert middle[0] < 40


@pytest.mark.parametrize(
    "box",
    [
        (float("nan"), 0, 9, 9),
        (float("inf"), 0, 9, 9),
        (500, 500, 600, 600),
        (-90, -90, -10, -10),
        (5, 5, 5, 5),
        (30, 30, 10, 10),
    ],
)
def test_a_box_without_pixels_has_no_picture(box):
    assert cut_jpeg(image(), np.array(box, np.float32)) is None


def test_first_best_and_last_are_of_their_frames():
    keeper = CropCollector()
    boxes = [SMALL, SMALL, LARGE, SMALL, SMALL]
    for row, box in enumerate(boxes):
        keeper.add(row, image(40 * row + 20), result(row, {1: box}).tracks)
    album = keeper.albums()[1]
    assert (album.first.row, album.best.row, album.last.row) == (0, 2, 4)
    assert [round(shown(c).mean() / 40 - 0.5) for c in (album.first, album.best, album.last)] == [
        0, 2, 4]  # fmt: skip


def test_who_goes_is_shown_as_he_was_seen_last():
    keeper = CropCollector()
    for row, seen in enumerate([{1: SMALL}, {1: SMALL}, {2: LARGE}, {2: LARGE}]):
        keeper.add(row, image(), result(row, seen).tracks)
    assert keeper.albums()[1].last.row == 1


def test_who_comes_back_is_shown_when_he_goes_again():
    keeper = CropCollector()
    for row, seen in enumerate([{1: SMALL}, {}, {}, {1: SMALL}, {1: SMALL}, {}]):
        keeper.add(row, image(), result(row, seen).tracks)
    assert keeper.albums()[1].last.row == 4


def test_nearly_the_same_view_is_not_encoded_again(monkeypatch):
    import mot_dinov3.outputs.report.crops as module

    calls = []
    monkeypatch.setattr(module, "cut_jpeg", lambda *_: calls.append(1) or b"jpeg")
    keeper = CropCollector()
    for row in range(200):
        keeper.add(row, image(), result(row, {1: (10, 10, 30 + row / 100, 40)}).tracks)
    keeper.albums()
    assert len(calls) <= 3


def test_the_first_picture_of_a_track_is_that_of_its_first_frame():
    keeper = CropCollector()
    keeper.add(0, image(), result(0, {-2: LARGE}, tentative=(-2,)).tracks)
    keeper.add(1, image(), result(1, {1: SMALL}, was={1: -2}).tracks)
    albums = keeper.albums()
    assert set(albums) == {1}
    assert albums[1].first.row == 0


def test_who_was_never_confirmed_is_forgotten():
    keeper = CropCollector()
    keeper.add(0, image(), result(0, {1: SMALL, 2: LARGE}, tentative=(2,)).tracks)
    keeper.add(1, image(), result(1, {1: SMALL}).tracks)
    assert set(keeper.albums()) == {1}


def test_memory_is_bounded_and_long_lives_stay():
    keeper = CropCollector()
    for row in range(5):
        keeper.add(row, image(), result(row, {1: LARGE}).tracks)
    for row in range(5, MOST_ALBUMS + 100):
        keeper.add(row, image(), result(row, {row: SMALL}).tracks)
    albums = keeper.albums()
    assert len(albums) <= MOST_ALBUMS + 1
    assert 1 in albums
