"""Where objects were: counted in cells of the picture, over the emptiest frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.results import Seen, result_at
from mot_dinov3.outputs.report.places import CELLS, STILL_PX, PlaceGrid, StillPicker, make_still
from mot_dinov3.values import TrackState

SIZE = (640, 320)


def filled(*frames, size=SIZE):
    grid = PlaceGrid()
    for row, tracks in enumerate(frames):
        grid.add(row, result_at(row, *tracks).tracks, size)
    return grid


def at(x, y, **more):
    """A box whose lower middle is at (x, y)."""
    return Seen(box=(x - 5, y - 20, x + 5, y), **more)


def test_a_cell_counts_the_frames_in_which_feet_were_in_it():
    grid = filled([at(105, 55)], [at(105, 55)], [at(635, 315)])
    assert grid.counts.shape == (CELLS // 2, CELLS)
    assert grid.counts.sum() == 3
    assert grid.counts[5, 10] == 2
    assert grid.frames[5, 10] == 1
    assert grid.counts[-1, -1] == 1


def test_only_what_is_confirmed_and_seen_counts():
    lost = at(105, 55, state=TrackState.LOST, seen=False)
    young = at(105, 55, id=2, state=TrackState.TENTATIVE)
    assert filled([lost, young]).counts.sum() == 0


@pytest.mark.parametrize(
    ("x", "y", "counted"),
    [(-3, 50, 0), (643, 50, 0), (50, 340, 1), (50, -9, 1), (np.nan, 5, 0), (1e30, 5, 0)],
)
def test_feet_below_the_picture_stand_at_its_edge(x, y, counted):
    assert filled([at(x, y)]).counts.sum() == counted


def test_without_a_size_nothing_is_known():
    grid = filled([at(5, 5)], size=None)
    assert grid.size is None
    assert not grid.counts.any()


@pytest.mark.parametrize("size", [(1, 1), (7, 3000), (3000, 7)])
def test_odd_pictures_have_a_grid(size):
    grid = filled([Seen(box=(0, 0, 1, 1))], size=size)
    assert max(grid.counts.shape) == CELLS
    assert grid.counts.sum() == 1


def test_the_still_is_the_frame_with_the_fewest_boxes_and_small():
    picker = StillPicker()
    for level, boxes in ((10, [(0, 0, 500, 300)]), (90, [(0, 0, 50, 50)]), (200, [(0, 0, 90, 90)])):
        image = np.full((1200, 1600, 3), level, np.uint8)
        picker.offer(image, result_at(0, *[Seen(1, box) for box in boxes]).tracks)
    shown = cv2.imdecode(np.frombuffer(picker.still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (STILL_PX * 3 // 4, STILL_PX, 3)
    assert abs(int(shown.mean()) - 90) < 4
    assert picker.still.address.startswith("data:image/jpeg;base64,")


def test_a_still_of_noise_is_bounded():
    noise = np.random.default_rng(0).integers(0, 256, (2160, 3840, 3)).astype(np.uint8)
    assert len(make_still(noise).jpeg) < 250_000
