"""Low-rank adaptation: learn a small addition to frozen projections."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import linear

PROJECTIONS = ("q_proj", "v_proj", "query", "value")
"""What transformers calls the projections to queries and values."""


class LoraLinear(nn.Module):  # type: ignore[misc]
    """A frozen projection and what is learned beside it: `W x + b + alpha / rank * B A x`.

    B starts at zero, so the start is the frozen projection exactly (Hu et al., "LoRA", 2021,
    equation 3).

    Args:
        base: frozen here.
        rank: of the addition.
        alpha: weight of the addition.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        self.A = nn.Parameter(base.weight.new_empty(rank, base.in_features))
        self.B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., in) -> (..., out)."""
        return self.base(x) + self.scale * linear(linear(x, self.A), self.B)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def merge(self) -> nn.Linear:
        """Fold the addition into the frozen weight and return that projection alone."""
        self.base.weight += self.scale * self.B @ self.A
        return self.base


def add_lora(model: nn.Module, rank: int, alpha: float) -> int:
    """Put a `LoraLinear` in place of all query and value projections; returns how many."""
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if name in PROJECTIONS and isinstance(child, nn.Linear)
    ]
    for parent, name, child in found:
        setattr(parent, name, LoraLinear(child, rank, alpha))
    return len(found)


def list_lora(model: nn.Module) -> set[str]:
    """Names in the model's `state_dict()` of what LoRA learns."""
    found = {name for name, part in model.named_modules() if isinstance(part, LoraLinear)}
    return {f"{name}.{matrix}" for name in found for matrix in "AB"}


def merge_lora(model: nn.Module) -> None:
    """Undo `add_lora`, keeping what was learned."""
    for parent in [*model.modules()]:
        for name, child in [*parent.named_children()]:
            if isinstance(child, LoraLinear):
                setattr(parent, name, child.merge())
