"""Who lends to whom: nothing is lent twice, grows old, or is taken from a camera's own limit."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.scheduling.shared_budget import SharedBudget

OWN_MS = 10.0


def shared(*members):
    made = SharedBudget()
    for member in members:
        made.join(member)
    return made


def settle(budget, member, spent_ms, *, waiting=False):
    budget.settle(member, OWN_MS, spent_ms, waiting=waiting)


def limits(budget, *members):
    return [budget.limit_ms(member, OWN_MS) for member in members]


def test_each_camera_begins_with_its_own():
    assert limits(shared(1, 2), 1, 2) == [OWN_MS, OWN_MS]


def test_a_quiet_camera_lends_what_it_leaves_to_a_busy_one():
    budget = shared(1, 2, 3)
    settle(budget, 3, 10, waiting=True)
    settle(budget, 1, 2)
    settle(budget, 2, 0)
    assert limits(budget, 3) == [OWN_MS + 8 + 10]
    assert limits(budget, 1) == [OWN_MS], "the quiet ones lend to the busy one alone"


def test_two_busy_cameras_have_equal_parts():
    budget = shared(1, 2, 3)
    settle(budget, 2, 10, waiting=True)
    settle(budget, 3, 14)
    settle(budget, 1, 4)
    assert limits(budget, 2, 3) == [OWN_MS + 3] * 2


def test_while_none_is_busy_all_may_become_so():
    budget = shared(1, 2, 3)
    settle(budget, 1, 4)
    assert limits(budget, 1, 2, 3) == [OWN_MS, OWN_MS + 3, OWN_MS + 3]


def test_a_loan_is_spent_once():
    budget = shared(1, 2)
    settle(budget, 1, 0)
    settle(budget, 2, 20, waiting=True)
    assert limits(budget, 2) == [OWN_MS]


def test_loans_do_not_pile_up_while_they_are_not_needed():
    budget = shared(1, 2)
    for _ in range(50):
        settle(budget, 1, 1)
    assert limits(budget, 2) == [OWN_MS + 9]


def test_a_lender_that_needs_its_own_takes_the_loan_back():
    budget = shared(1, 2)
    settle(budget, 1, 0)
    settle(budget, 1, 12, waiting=True)
    assert limits(budget, 1, 2) == [OWN_MS, OWN_MS]


def test_a_camera_that_ends_leaves_nothing_behind():
    budget = shared(1, 2)
    settle(budget, 1, 0)
    budget.leave(1)
    assert limits(budget, 2) == [OWN_MS]
    settle(budget, 2, 0)


def test_quiet_cameras_come_first():
    budget = shared(1, 2, 3)
    settle(budget, 1, 10, waiting=True)
    assert budget.order([1, 2, 3]) == [2, 3, 1]
    settle(budget, 1, 5)
    assert budget.order([3, 1]) == [3, 1]


@pytest.mark.parametrize("seed", range(5))
def test_all_together_never_spend_more_than_their_own_limits(seed):
    """However frames fall: what was spent within the limits is covered by the frames so far."""
    rng = np.random.default_rng(seed)
    budget, brought, spent = shared(1, 2, 3, 4), 0.0, 0.0
    for _ in range(2000):
        member = int(rng.integers(1, 5))
        limit = budget.limit_ms(member, OWN_MS)
        assert limit >= OWN_MS
        used = float(rng.choice([0, limit, limit * rng.random()]))
        brought, spent = brought + OWN_MS, spent + used
        settle(budget, member, used, waiting=used == limit)
        assert spent <= brought + 1e-6
