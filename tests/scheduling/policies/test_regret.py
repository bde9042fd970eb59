"""How sure place is: against every assignment there is, on small cases."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mot_dinov3.scheduling.policies.regret import ALONE, label_components, weigh_stakes

NONE = np.inf


def weigh(cost, eligible=None):
    cost = np.array(cost, np.float32)
    return weigh_stakes(cost, np.ones(len(cost), bool) if eligible is None else np.array(eligible))


def every_assignment(cost):
    """All ways to give tracks to detections: (tracks per detection, total with ALONE for none)."""
    n, m = cost.shape
    for chosen in set(permutations([*range(m), *[-1] * n], n)):
        if all(j < 0 or cost[i, j] < ALONE for i, j in enumerate(chosen)):
            yield chosen, sum(ALONE if j < 0 else cost[i, j] for i, j in enumerate(chosen))


def test_an_uncontested_pair_has_nothing_to_regret():
    case = weigh([[0.1, NONE], [NONE, 0.9]])
    assert case.track.tolist() == [0, 1]
    assert case.regret.tolist() == [NONE, NONE]
    assert case.rival.tolist() == [-1, -1]


def test_two_that_could_change_places_regret_the_difference():
    case = weigh([[0.2, 0.5], [0.4, 0.3]])
    assert case.track.tolist() == [0, 1]
    assert case.regret == pytest.approx([0.4, 0.4])
    assert case.rival.tolist() == [1, 0]


def test_a_free_track_is_a_rival():
    case = weigh([[0.2, 0.5]])
    assert case.track.tolist() == [0]
    assert case.regret == pytest.approx([0.3])
    assert case.rival.tolist() == [1]


def test_a_detection_left_over_is_a_rival_of_who_has_its_track():
    case = weigh([[0.2], [0.3]])
    assert case.track.tolist() == [0, -1]
    assert case.regret == pytest.approx([0.1, 0.1])
    assert case.rival.tolist() == [0, 0]


def test_two_cheap_pairs_are_not_given_up_for_three_dear_ones():
    """A pair as dear as leaving both sides alone is none; matching as many as possible is not
    the aim."""
    case = weigh([[0.2, 1.95, NONE], [NONE, 0.2, 1.95]])
    assert case.track.tolist() == [0, 1]


def test_what_is_not_eligible_takes_no_part():
    case = weigh([[0.2], [0.1]], eligible=[True, False])
    assert case.track.tolist() == [0, -1]
    assert case.regret.tolist() == [NONE, NONE]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_is_no_problem(shape):
    case = weigh(np.zeros(shape))
    assert case.track.tolist() == [-1] * shape[0]


costs = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    elements=st.one_of(st.just(NONE), st.floats(0, 1.5, width=16)),
)


@settings(deadline=None, max_examples=150)
@given(costs)
def test_the_assignment_is_the_cheapest_and_no_regret_is_too_small(cost):
    case = weigh(cost)
    ways = list(every_assignment(cost))
    least = min(total for _, total in ways)
    mine = sum(ALONE if j < 0 else cost[i, j] for i, j in enumerate(case.track))
    assert mine == pytest.approx(least, abs=1e-4)
    for row, track in enumerate(case.track):
        # Who stays alone beside a rival regrets not having its track, so compare with that.
        others = [total for way, total in ways if way[row] not in (track, -1)]
        if track >= 0 and np.isfinite(case.regret[row]):
            others += [total for way, total in ways if way[row] == -1]
        if others:
            assert case.regret[row] >= min(others) - least - 1e-4


@settings(deadline=None, max_examples=150)
@given(hnp.arrays(np.float32, (2, 2), elements=st.floats(0, 0.9375, width=16)))
def test_regret_is_exact_for_two_and_two(cost):
    case = weigh(cost)
    straight, crossed = cost[0, 0] + cost[1, 1], cost[0, 1] + cost[1, 0]
    assert case.regret == pytest.approx([abs(straight - crossed)] * 2, abs=1e-5)


def test_components_are_what_possible_pairs_connect():
    possible = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]])
    assert label_components(possible > 0).tolist() == [0, 1, 1, 3, 0]


@given(hnp.arrays(np.bool_, st.tuples(st.integers(0, 7), st.integers(0, 7))))
def test_components_are_those_of_a_walk(possible):
    label = label_components(possible)
    linked = (possible.astype(int) @ possible.T.astype(int) > 0) | np.eye(len(possible), dtype=bool)
    reach = np.linalg.matrix_power(linked.astype(int), max(len(possible), 1)) > 0
    np.testing.assert_array_equal(label, reach.argmax(axis=1) if len(reach) else label)
