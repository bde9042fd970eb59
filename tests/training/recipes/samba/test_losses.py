"""What predictions cost: misses in heights, of hidden tracks apart, and wrong doubt."""

from __future__ import annotations

import pytest
import torch

from mot_dinov3.training.recipes.samba.losses import AHEAD_WEIGHT, SOFT, measure_loss
from mot_dinov3.training.recipes.samba.rollout import Forecast


def lose(miss=(0.0, 0.0), variance=100.0, known=1.0):
    """Two tracks of 50 pixels, the second one hidden, that were missed by so many heights."""
    truth = torch.tensor([10.0, 20.0, 20.0, 50.0]).repeat(3, 1, 2, 1)
    position = truth[1:].clone()
    position[..., 0] += 50 * torch.tensor(miss)
    forecast = Forecast(position, torch.full((2, 1, 2, 2), variance), torch.full((2, 1, 2), known))
    hidden = torch.tensor([0.0, 1.0]).repeat(3, 1, 1)
    return measure_loss(
        forecast, {"truth": truth, "present": torch.ones(3, 1, 2), "hidden": hidden}
    )


def test_hidden_and_seen_tracks_are_counted_apart():
    costs = lose((0.1, 0.4))
    assert float(costs["hidden"]) == pytest.approx(0.4, abs=SOFT)
    assert float(costs["ahead"]) == pytest.approx(0.1 * AHEAD_WEIGHT, abs=SOFT * AHEAD_WEIGHT)
    assert float(costs["sides"]) == 0
    assert float(lose()["hidden"]) == pytest.approx(0, abs=1e-6)


def test_the_right_doubt_costs_least():
    right = (0.2 * 50) ** 2 / 2  # of both axes together
    costs = {v: float(lose((0.2, 0.2), variance=v)["doubt"]) for v in (right / 9, right, right * 9)}
    assert min(costs, key=costs.get) == right


def test_what_was_never_predicted_costs_nothing():
    assert not any(float(cost) for cost in lose((0.3, 0.3), known=0.0).values())
