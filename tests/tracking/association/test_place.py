"""How well a detection is where a track should be."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.situations import association, box, expected, matched, seen, table
from mot_dinov3.tracking.association.place import (
    compute_growth,
    find_touching,
    is_reachable,
    measure_overlap,
    measure_turn,
    refine_overlap,
)
from mot_dinov3.values.boxes import iou_matrix, sides


def some_boxes(rng, n):
    corner = rng.uniform(0, 100, (n, 2))
    return np.hstack((corner, corner + rng.uniform(5, 60, (n, 2)))).astype(np.float32)


def every(a, b, share):
    """How each of the boxes `a` overlaps each of `b`."""
    return measure_overlap(sides(a)[:, :, None], sides(b)[:, None], share)


def grown(one, share):
    x0, y0, x1, y1 = map(float, one)
    dx, dy = (x1 - x0) * share, (y1 - y0) * share
    return x0 - dx, y0 - dy, x1 + dx, y1 + dy


def plain_iou(a, b):
    across = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return across * down / (area - across * down)


def test_growing_boxes_is_growing_both_by_hand():
    rng = np.random.default_rng(3)
    there, here = some_boxes(rng, 7), some_boxes(rng, 9)
    share = np.array([0, 0.1, 0.3, 0, 0.6, 1, 0.05, 0.2, 0.4], np.float32)
    wanted = [
        [plain_iou(grown(a, s), grown(b, s)) for b, s in zip(here, share, strict=True)]
        for a in there
    ]
    np.testing.assert_allclose(every(there, here, share).grown, wanted, atol=1e-5)


def test_boxes_that_do_not_grow_overlap_as_ever():
    rng = np.random.default_rng(4)
    a, b = some_boxes(rng, 5), some_boxes(rng, 6)
    found = every(a, b, np.zeros(6, np.float32))
    assert (found.grown == iou_matrix(a, b)).all()
    assert (found.plain == iou_matrix(a, b)).all()


def test_who_was_away_longer_grows_more_up_to_a_limit():
    here = np.array([box(0)] * 4, np.float32)
    away_s = np.array([0, 0.5, 1, 9], np.float32)
    config = association(growth=0.1, growth_per_s=0.4, growth_limit=0.6)
    found = every(np.array([box(60)], np.float32), here, compute_growth(away_s, config)).grown[0]
    by_hand = [plain_iou(grown(box(60), s), grown(box(0), s)) for s in (0.1, 0.3, 0.5, 0.6)]
    np.testing.assert_allclose(found, by_hand, atol=1e-5)
    assert found[0] == 0 < found[2] < found[3]


def test_only_lost_tracks_grow_by_time():
    config = association(growth_per_s=0.5, growth_limit=0.6)
    view = expected(box(0), box(0), state=[1, 2], lost_s=[1 / 30, 1.0])
    scene = seen(view, box(45), config=config)
    found = table(scene, scene.near.overlap, 2)[0]
    assert found[0] == 0 < found[1]


def test_heights_are_compared_along_the_vertical_only():
    one = np.array([[0, 0, 10, 100]], np.float32)
    others = [[500, 0, 900, 100], [0, 50, 10, 150], [0, 0, 10, 50], [0, 200, 10, 300]]
    found = every(one, np.array(others, np.float32), np.zeros(4, np.float32)).height
    np.testing.assert_allclose(found, [[1, 1 / 3, 0.5, 0]], atol=1e-6)


def test_overlap_counts_times_the_overlap_of_heights_to_a_power():
    rng = np.random.default_rng(5)
    a, b = some_boxes(rng, 6), some_boxes(rng, 5)
    found = every(a, b, np.zeros(5, np.float32))
    squared = iou_matrix(a, b) * found.height**2
    np.testing.assert_allclose(refine_overlap(found, 2.0), squared, atol=1e-6)
    assert refine_overlap(found, 0.0) is found.grown


def test_who_does_not_touch_has_nothing_in_common():
    """However far boxes grow, no pair is overlooked."""
    rng = np.random.default_rng(6)
    for most in (0.0, 0.1, 0.5):
        a, b = some_boxes(rng, 12), some_boxes(rng, 15)
        share = rng.uniform(0, most, 15).astype(np.float32)
        near = np.zeros((12, 15), bool)
        near[find_touching(sides(a), sides(b), share)] = True
        assert not every(a, b, share).grown[~near].any()
        assert near.mean() < 0.9
    nobody = sides(a[:0])
    assert len(find_touching(nobody, sides(b), share)[0]) == 0
    assert len(find_touching(sides(a), nobody, share[:0])[0]) == 0


def test_of_two_with_the_same_overlap_the_one_of_the_same_height_is_meant():
    view = expected(box(100))
    narrow, short = (100, 100, 130, 200), (100, 100, 140, 175)
    assert iou_matrix(np.array([narrow, short], np.float32), view.xyxy).ravel() == pytest.approx(
        [0.75, 0.75]
    )
    assert matched(view, short, narrow, config=association(height_power=1.0)) == {1: 0}


def centres(*points):
    return np.array([[x, y, 40, 100] for x, y in points], float)


@pytest.mark.parametrize(
    ("goal", "half_circles"),
    [((20, 0), 0), ((-20, 0), 1), ((0, 20), 0.5), ((0, -20), 0.5), ((20, 20), 0.25)],
)
def test_a_turn_is_the_angle_between_two_ways(goal, half_circles):
    angle = measure_turn(centres(goal), last=centres((10, 0)), earlier=centres((0, 0)))
    assert angle[0] == pytest.approx(half_circles)


def test_who_hardly_moved_has_no_direction():
    here = centres((20, 0), (-20, 0))[:, None]
    ways = measure_turn(here, centres((1, 0), (9, 0)), centres((0, 0), (0, 0)))
    np.testing.assert_allclose(ways, [[0.5, 0], [0.5, 1]])


def test_momentum_prefers_the_detection_ahead_over_the_one_behind():
    """Both are equally near to the prediction; only the way so far tells them apart."""
    view = expected(box(100), was=[[box(97), box(100)]])
    behind, ahead = box(94), box(106)
    assert matched(view, behind, ahead, config=association(momentum=0.0)) == {0: 0}
    assert matched(view, behind, ahead, config=association(momentum=0.2)) == {1: 0}
    cost = seen(view, behind, ahead, config=association(momentum=0.2)).near.cost
    plain = seen(view, behind, ahead, config=association(momentum=0.0)).near.cost
    np.testing.assert_allclose(cost - plain, [0.09, -0.09], atol=1e-6)


def test_the_way_begins_as_long_ago_as_the_span_says():
    """It went left lately, but right in the long run."""
    view = expected(box(100), was=[[box(80), box(88), box(103), box(100)]])
    behind, ahead = box(94), box(106)
    cost = {
        span: np.diff(
            seen(view, behind, ahead, config=association(momentum=0.2, momentum_s=span)).near.cost
        )
        for span in (0.1, 0.3)
    }
    assert cost[0.1] == pytest.approx(0.18)
    assert cost[0.3] == pytest.approx(0, abs=1e-6)


def test_momentum_says_nothing_of_who_was_seen_once():
    view = expected(box(100), was=[[box(100)]])
    for weight in (0.0, 0.5):
        cost = seen(view, box(94), config=association(momentum=weight)).near.cost
        assert cost[0] == pytest.approx(1 - 34 / 46, abs=1e-6)


def test_momentum_says_nothing_where_the_way_is_shorter_than_the_span():
    view = expected(box(100), was=[[box(90), box(100)]])
    scene = seen(view, box(94), config=association(momentum=0.5, momentum_s=0.5))
    assert scene.near.cost[0] == pytest.approx(1 - 34 / 46, abs=1e-6)


def test_an_uncertain_detection_has_less_momentum():
    view = expected(box(100), was=[[box(97), box(100)]])
    rows = [(*box(106), 1.0), (*box(106), 0.4)]
    cost = seen(view, *rows, config=association(momentum=0.2)).near.cost
    plain = seen(view, *rows).near.cost
    np.testing.assert_allclose(plain - cost, [0.1, 0.04], atol=1e-6)


@pytest.mark.parametrize(("share", "wanted"), [(0.0, 0.4), (0.5, 0.58), (1.0, 0.76)])
def test_confidence_counts_in_the_overlap_as_much_as_told(share, wanted):
    view = expected((0, 0, 100, 100))
    scene = seen(view, (0, 0, 100, 60, 0.4), config=association(score_fusion=share))
    assert scene.near.cost[0] == pytest.approx(wanted)
    assert scene.near.overlap[0] == pytest.approx(0.6), "gates look at the overlap alone"


def test_score_fusion_prefers_the_confident_of_two():
    view = expected(box(100))
    sure, unsure = (*box(106), 0.9), (*box(104), 0.4)
    assert matched(view, unsure, sure) == {0: 0}
    assert matched(view, unsure, sure, config=association(score_fusion=1.0)) == {1: 0}


def corners(*box):
    return np.array([box], np.float32)


def test_reach_grows_with_the_time_unseen():
    here, there = corners(100, 100, 140, 200), corners(400, 100, 440, 200)
    assert not is_reachable(there.T, here.T, np.array([0.5], np.float32))[0]
    assert is_reachable(there.T, here.T, np.array([3.0], np.float32))[0]


def test_a_returning_track_keeps_its_size():
    here, giant = corners(100, 100, 140, 200), corners(50, 0, 190, 350)
    assert not is_reachable(giant.T, here.T, np.array([9.0], np.float32))[0]
