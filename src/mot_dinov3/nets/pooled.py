"""A vision model together with what is read off it: pictures in, one vector each out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class PooledModel(nn.Module):  # type: ignore[misc]
    """A transformers vision model that answers with one tensor.

    Args:
        model: takes `pixel_values` (B, 3, h, w).
        pool: the model's output -> (B, D) tensor.
    """

    def __init__(self, model: nn.Module, pool: Callable[[Any], torch.Tensor]) -> None:
        super().__init__()
        self.model = model
        self.pool = pool

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, h, w) normalised RGB -> (B, D)."""
        return self.pool(self.model(pixel_values=pixels))
