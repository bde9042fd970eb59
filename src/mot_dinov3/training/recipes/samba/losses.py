"""What predictions of boxes cost."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mot_dinov3.training.recipes.samba.rollout import Forecast

SOFT = 0.01
"""Errors below this share of a height cost their square."""
AHEAD_WEIGHT, SIZE_WEIGHT, DOUBT_WEIGHT = 1.0, 0.25, 0.02
"""A step ahead, errors are a tenth of those of hidden tracks."""
LEAST_HEIGHT_PX = 8.0


def measure_loss(forecast: Forecast, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is missed by in heights: hidden tracks, one step ahead, sides; and wrong doubt.

    The doubt is the negative log-likelihood of the misses, which themselves do not learn from it.
    """
    truth = batch["truth"][1:]
    there = forecast.known * batch["present"][1:]
    hidden = there * batch["hidden"][1:]
    seen = there - hidden
    height = truth[..., 3].clamp(min=LEAST_HEIGHT_PX)
    off = forecast.position - truth
    miss = torch.sqrt((off[..., :2] / height.unsqueeze(-1)).square().sum(-1) + SOFT**2) - SOFT
    sides = (off[..., 2:] / height.unsqueeze(-1)).abs().sum(-1)
    share = (off[..., :2].detach() / height.unsqueeze(-1)).square()
    variance = forecast.variance / height.square().unsqueeze(-1) + SOFT**2
    doubt = (share / variance + variance.log()).sum(-1)
    return {
        "hidden": _mean(miss, hidden),
        "ahead": AHEAD_WEIGHT * _mean(miss, seen),
        "sides": SIZE_WEIGHT * _mean(sides, there),
        "doubt": DOUBT_WEIGHT * _mean(doubt, there),
    }


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1.0)
