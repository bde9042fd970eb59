"""How both recipes spend their steps: warm-up, cosine decay, and a smoothed copy of the weights."""

from __future__ import annotations

from copy import deepcopy
from math import cos, pi
from typing import Any

import torch
from torch import nn


def learning_rate(step: int, steps: int, peak: float, warm_up: int = 100) -> float:
    """Linear warm-up to `peak`, then a half cosine down to 2 % of it."""
    warm_up = min(warm_up, max(1, steps // 10))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    share = (step - warm_up) / max(1, steps - warm_up)
    return peak * (0.02 + 0.98 * 0.5 * (1 + cos(pi * share)))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Use `rate` in every group from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def parameter_groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels only: biases and norms keep their freedom."""
    wide = [p for p in model.parameters() if p.ndim > 1]
    thin = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": wide, "weight_decay": decay}, {"params": thin, "weight_decay": 0.0}]


class SmoothedModel:
    """An exponential moving average of a model's weights: what is saved in the end."""

    def __init__(self, model: nn.Module, horizon: int) -> None:
        self.model = deepcopy(model).eval().requires_grad_(False)
        self._horizon = horizon
        self._steps = 0

    def update(self, model: nn.Module) -> None:
        """Move towards the present weights; early on faster, so that the start is forgotten."""
        self._steps += 1
        keep = 1 - 1 / min(self._horizon, 1 + self._steps / 5)
        live = model.state_dict()
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(live[name].detach(), 1 - keep)
            else:
                value.copy_(live[name])
