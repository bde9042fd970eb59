"""Which boxes become pictures, and which tracklets cannot be one object."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from helpers.results import Seen, result_at
from mot_dinov3.data.reid.crops import UNKNOWN, build_crops
from mot_dinov3.data.reid.tracklets import (
    CropConfig,
    collect_boxes,
    find_cannot_links,
    find_covered,
    plan_crops,
    spread,
)
from mot_dinov3.errors import UsageError
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import TrackState

SIZE = (640, 480)
BOX = (100, 100, 140, 180)


def table(*rows):
    """Boxes from (frame, track[, box[, score[, visibility]]]) rows."""
    full = [(*row, *(BOX, 0.9, 1.0)[len(row) - 2 :]) for row in sorted(rows, key=lambda r: r[0])]
    frame, track, box, score, seen = zip(*full, strict=True)
    real = [np.array(values, np.float32) for values in (box, score, seen)]
    whole = [np.array(values, np.int64) for values in (frame, track)]
    return MotTable(*whole, real[0], real[1], np.zeros(len(full), np.int64), real[2])


def plan(boxes, tracked=True, **limits):
    wanted = np.ones(len(boxes), np.bool_)
    return plan_crops(boxes, wanted, SIZE, CropConfig(**limits), tracked=tracked)


def moved(dx=0, dy=0):
    return tuple(np.add(BOX, (dx, dy, dx, dy)))


def test_each_reason_to_leave_out_a_box_is_counted():
    good = [(f, 1) for f in range(20)]
    far = [(0, 2 + n, moved(60 + 50 * n)) for n in range(6)]
    bad = [
        (0, 10, moved(0, 200), 0.3),
        (0, 11, (300, 300, 310, 320)),
        (0, 12, (1, 300, 40, 380)),
        (0, 13, (600, 300, 640, 380)),
        (0, 14, moved(200, 200), 0.9, 0.5),
    ]
    found = plan(table(*good, *far, *bad))
    assert found.left_out == {
        "unsure": 1, "small": 1, "at the border": 2, "hidden": 1, "in short tracklets": 6,
    }  # fmt: skip
    assert (found.tracks, found.identities, found.pictures) == (12, 1, 16)
    assert plan(table(*bad), keep_cut=True, min_frames=1).identities == 2


def test_what_is_not_wanted_hides_others_all_the_same():
    boxes = table(*[(f, 1) for f in range(12)], *[(f, 2, moved(0, 10)) for f in range(12)])
    wanted = boxes.track_id == 1
    found = plan_crops(boxes, wanted, SIZE, CropConfig(), tracked=True)
    assert found.left_out["hidden"] == 12
    assert found.tracks == 1


@pytest.mark.parametrize(
    ("gone", "limits", "expected"),
    [
        pytest.param((20,), {}, 1, id="one frame may lack"),
        pytest.param((20, 21), {}, 2, id="two may not"),
        pytest.param((20, 21), {"max_gap": 2}, 1, id="unless they may"),
        pytest.param(range(20, 30), {"max_gap": -1}, 1, id="whole tracks"),
        pytest.param(range(20, 40), {}, 1, id="what is left is too short"),
    ],
)
def test_a_track_is_cut_where_it_was_not_seen(gone, limits, expected):
    boxes = table(*[(f, 1) for f in range(45) if f not in gone])
    assert plan(boxes, **limits).identities == expected
    assert plan(boxes, tracked=False, **limits).identities == 1


def test_a_track_is_cut_where_it_was_hidden_and_where_it_jumps():
    hidden = table(*[(f, 1, BOX, 0.9, 0.2 if 20 <= f < 25 else 1) for f in range(45)])
    jumping = table(*[(f, 1, BOX if f < 20 else moved(30)) for f in range(45)])
    assert [plan(boxes).identities for boxes in (hidden, jumping)] == [2, 2]


def test_every_second_frame_is_no_gap_where_a_run_has_no_others():
    assert plan(table(*[(f, 1) for f in range(0, 60, 3)])).identities == 1


def test_pictures_are_spread_over_time():
    boxes = np.array([7] * 100 + [9] * 3)
    place, kept = spread(boxes, 4)
    assert [place[kept & (boxes == 7)].tolist(), place[boxes == 9].tolist()] == [
        [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], [0, 1, 2],
    ]  # fmt: skip
    assert kept[:100].nonzero()[0].tolist()[:6] == [11, 12, 13, 36, 37, 38]
    assert kept[100:].all()


def test_the_nearer_box_hides_the_farther_one():
    far, near, beside = (0, 0, 40, 80), (20, 20, 60, 100), (60, 0, 100, 90)
    covered = find_covered(np.array([far, near, beside], np.float32))
    assert covered == pytest.approx([0.5 * 0.75, 0, 0])


def test_only_confirmed_tracks_that_are_seen_count():
    rows = [Seen(1), Seen(-2, state=TrackState.TENTATIVE), Seen(3, seen=False)]
    boxes = collect_boxes([result_at(4, *rows), result_at(5, Seen(1))])
    assert boxes.track_id.tolist() == [1, 1]
    assert boxes.frame_index.tolist() == [4, 5]
    assert len(plan(collect_boxes([])).rows) == 0


@pytest.mark.parametrize("limits", [{"min_frames": 0}, {"min_score": 2}, {"max_gap": -2}])
def test_limits_without_sense_are_refused(limits):
    with pytest.raises(UsageError, match="must be"):
        CropConfig(**limits)


def test_tracklets_that_a_camera_saw_at_once_cannot_be_one():
    rng = np.random.default_rng(3)
    spans = [(f"{who:02d}", int(rng.integers(1, 3)), int(rng.integers(1, 3)), begin, begin + length)
             for who, (begin, length) in enumerate(rng.integers(0, 40, (30, 2)))]  # fmt: skip
    facts = [(who, cam, seq, frame) for who, cam, seq, *ends in spans for frame in ends]
    facts += [("30", UNKNOWN, 1, 5), ("31", UNKNOWN, 1, 5), ("32", 1, 1, UNKNOWN)]
    expected = [
        [int(a[0]), int(b[0])]
        for a, b in combinations(spans, 2)
        if a[1:3] == b[1:3] and a[3] <= b[4] and b[3] <= a[4]
    ]
    found = find_cannot_links(build_crops([None] * len(facts), facts))
    assert found.dtype == np.int64
    assert found.tolist() == expected
    assert find_cannot_links(build_crops([], [])).shape == (0, 2)
