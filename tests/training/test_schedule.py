"""How the learning rate rises and falls."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mot_dinov3.training.recipes.base import SCHEDULES
from mot_dinov3.training.schedule import (
    END_SHARE,
    FALLS,
    group_parameters,
    learning_rate,
    list_parameters,
)


def test_the_words_of_the_flag_are_those_of_the_table():
    assert tuple(FALLS) == SCHEDULES


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_warm_up_is_a_straight_line_to_the_peak(schedule):
    rates = [learning_rate(step, 1000, 2.0, 4, schedule) for step in range(6)]
    assert rates[:5] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert rates[5] <= 2.0


@pytest.mark.parametrize(("schedule", "halfway"), [("cosine", 1.02), ("linear", 1.02)])
def test_a_falling_rate_ends_at_its_end_share(schedule, halfway):
    rates = [learning_rate(step, 1000, 2.0, 100, schedule) for step in range(100, 1001)]
    assert rates == sorted(rates, reverse=True)
    assert rates[450] == pytest.approx(halfway)
    assert rates[-1] == pytest.approx(2.0 * END_SHARE)


def test_a_cosine_falls_slower_than_a_line_at_first_and_faster_later():
    early, late = ([FALLS[name](share) for name in ("cosine", "linear")] for share in (0.2, 0.8))
    assert early[0] > early[1]
    assert late[0] < late[1]


def test_a_constant_rate_stays():
    assert {learning_rate(step, 50, 0.3, 0, "constant") for step in range(1, 50)} == {0.3}


def test_a_short_run_warms_up_for_a_tenth():
    assert learning_rate(2, 30, 1.0) == 1.0
    assert learning_rate(1, 30, 1.0) < 1.0


def test_only_matrices_decay_and_what_is_frozen_is_left_out():
    model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1))
    model[2].weight.requires_grad_(False)
    wide, thin = group_parameters(model, 0.1)
    assert [tuple(p.shape) for p in wide["params"]] == [(3, 2)]
    assert all(p.ndim == 1 for p in thin["params"])
    assert (wide["weight_decay"], thin["weight_decay"]) == (0.1, 0.0)
    own = list_parameters(torch.optim.SGD([wide, thin], lr=1.0), model)
    assert [tuple(p.shape) for p in own] == [(3, 2), (3,), (3,), (3,), (1,)]
