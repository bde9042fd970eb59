"""Camera motion read off boxes: what everybody shares, and nobody's own way."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.tracking.camera.steady import estimate_shift


def crowd(n, seed=1):
    rng = np.random.default_rng(seed)
    corner = np.stack((np.arange(n) * 90.0, rng.uniform(0, 200, n)), axis=1)
    return np.hstack((corner, corner + np.array([40, 100]))).astype(np.float32)


def moved(boxes, dx, dy=0.0):
    return boxes + np.array([dx, dy, dx, dy], np.float32)


@pytest.mark.parametrize(("dx", "dy"), [(14, 0), (-20, 6), (3, -9)])
def test_a_shared_jump_is_found(dx, dy):
    people = crowd(8)
    jitter = np.random.default_rng(2).normal(0, 1, (8, 2)).repeat(2, 0).reshape(8, 4)[:, [0, 1] * 2]
    found = estimate_shift(moved(people, dx, dy) + jitter.astype(np.float32), people)
    np.testing.assert_allclose(found, [dx, dy], atol=1.2)


def test_a_second_round_hears_those_whom_the_jump_carried_too_far_for_the_first():
    """At first only the five large boxes overlap, and these moved a little by themselves too."""
    people = crowd(17)
    people[:5, 2:] += [50, 60]
    now = moved(people, 38)
    now[:5, [0, 2]] += 3
    np.testing.assert_allclose(estimate_shift(now, people), [38, 0], atol=0.5)


def test_people_who_walk_their_own_ways_are_not_taken_for_the_camera():
    people = crowd(9)
    ways = np.array([-9, 8, -6, 7, -3, 3, 9, -8, 0], np.float32)
    seen = people + np.stack((ways, ways * 0, ways, ways * 0), axis=1)
    assert np.abs(estimate_shift(seen, people)).max() < 0.5


def test_one_walker_among_those_who_stand_is_not_the_camera():
    people = crowd(6)
    people_now = people.copy()
    people_now[2] += [20, 0, 20, 0]
    assert not estimate_shift(people_now, people).any()


def test_one_walker_against_a_jump_does_not_change_it():
    people = crowd(7)
    now = moved(people, 12)
    now[2] += np.array([-20, 0, -20, 0], np.float32)
    np.testing.assert_allclose(estimate_shift(now, people), [12, 0], atol=0.5)


def test_a_doubtful_shift_is_shrunk_below_the_median():
    people = crowd(6)
    ways = np.array([-9, -2, 2, 3, 8, 14], np.float32)
    seen = people + np.stack((ways, ways * 0, ways, ways * 0), axis=1)
    found = estimate_shift(seen, people)[0]
    assert 0 <= found < 0.6 * np.median(ways)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_boxes_are_left_alone(n):
    people = crowd(n) if n else np.empty((0, 4), np.float32)
    assert not estimate_shift(moved(people, 12), people).any()
    assert not estimate_shift(moved(people, 12), crowd(8)).any()
    assert not estimate_shift(moved(crowd(8), 12), people).any()


@pytest.mark.parametrize("n", [9, 25, 60])
@pytest.mark.parametrize(("dx", "dy"), [(70, 0), (-55, 30), (0, 400)])
def test_a_jump_onto_others_places_is_told_by_the_vote_of_all(n, dx, dy):
    """Nobody overlaps with their own past any more, and many with that of somebody else."""
    rng = np.random.default_rng(n)
    corner = rng.uniform(0, (12 * n, 300), (n, 2))
    people = np.hstack((corner, corner + np.array((40, 100)))).astype(np.float32)
    np.testing.assert_allclose(estimate_shift(moved(people, dx, dy), people), [dx, dy], atol=0.5)


def test_half_of_the_crowd_that_jumps_together_is_not_the_camera():
    people = crowd(10)
    now = people.copy()
    now[::2] += np.array([0, 300, 0, 300], np.float32)
    assert not estimate_shift(now, people).any()


def test_another_scene_says_nothing():
    for seed in range(20):
        assert (
            np.abs(estimate_shift(moved(crowd(12, seed), 20, 400), crowd(12, 99 + seed))).max() < 1
        )


def test_a_shift_is_not_voted_for_by_boxes_of_other_heights():
    people = crowd(8)
    nearer = np.hstack((people[:, :2], people[:, :2] + 1.4 * (people[:, 2:] - people[:, :2])))
    assert not estimate_shift(moved(nearer, 0, 400), people).any()


def test_boxes_beyond_all_reason_do_no_harm():
    people = crowd(8)
    far = people.copy()
    far[::2] += np.float32(1e30)
    assert np.isfinite(estimate_shift(far, people)).all()
    assert np.isfinite(estimate_shift(people, far)).all()
