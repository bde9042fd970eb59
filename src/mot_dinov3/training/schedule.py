"""How the learning rate rises and falls, and which parameters learn and decay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import cos, pi
from typing import Any

import torch
from torch import nn

END_SHARE = 0.02
"""Share of the highest rate that is left at the end."""


def cosine(share: float) -> float:
    """A half cosine from 1 down to `END_SHARE`; `share` of the way is 0 to 1."""
    return END_SHARE + (1 - END_SHARE) * 0.5 * (1 + cos(pi * share))


def linear(share: float) -> float:
    """A straight line from 1 down to `END_SHARE`."""
    return 1 - (1 - END_SHARE) * share


def constant(share: float) -> float:
    """The highest rate all the way."""
    return 1.0


FALLS: dict[str, Callable[[float], float]] = {
    "cosine": cosine,
    "linear": linear,
    "constant": constant,
}
"""Name of a schedule -> share of the highest rate, by the share of the way after the warm-up."""


def learning_rate(
    step: int, steps: int, peak: float, warm_up: int = 100, schedule: str = "cosine"
) -> float:
    """Linear warm-up to `peak`, then the fall that `schedule` names.

    Args:
        step: how many steps were taken before this one.
        steps: how many there will be.
        peak: the highest rate.
        warm_up: steps until it is reached, at most a tenth of all.
        schedule: a name from `FALLS`.
    """
    warm_up = min(warm_up, max(1, steps // 10))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    return peak * FALLS[schedule]((step - warm_up) / max(1, steps - warm_up))


def group_parameters(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels only: biases and norms keep their freedom."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    wide = [p for p in trainable if p.ndim > 1]
    thin = [p for p in trainable if p.ndim <= 1]
    return [{"params": wide, "weight_decay": decay}, {"params": thin, "weight_decay": 0.0}]


def group_by_part(
    model: nn.Module, rate: float, backbone_share: float, decay: float
) -> list[dict[str, Any]]:
    """What is trained of the parts of a model, whose backbone learns at a share of the rate."""
    groups = []
    for part in model.children():
        own = rate * (backbone_share if part is model.backbone else 1.0)
        groups += [{**group, "lr": own} for group in group_parameters(part, decay)]
    return [group for group in groups if group["params"]]


def list_parameters(optimizer: torch.optim.Optimizer, model: nn.Module) -> list[nn.Parameter]:
    """What an optimizer changes of a model, in the order of the model."""
    own = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return [p for p in model.parameters() if id(p) in own]


def require_all_learn(model: nn.Module, optimizers: Iterable[torch.optim.Optimizer]) -> None:
    """Refuse a recipe that leaves out what it has gradients for: it would stay random, unnoticed.

    Raises:
        RuntimeError: it names the first parameter that is left out.
    """
    learned = {id(p) for one in optimizers for p in list_parameters(one, model)}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and id(parameter) not in learned:
            raise RuntimeError(f"{name} has a gradient, and no optimizer changes it")
