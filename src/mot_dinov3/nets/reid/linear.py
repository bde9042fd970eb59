"""A head on values that are known already: a projection between two batch norms."""

from __future__ import annotations

import torch
from torch import nn

from mot_dinov3.nets.reid.network import ReidFeatures


class LinearHead(nn.Module):  # type: ignore[misc]
    """Values in, one vector each out, as the end of a `ReidNetwork`: projection and neck.

    Values are measured in their standard deviations first, and some are left out while it learns,
    so that no single one decides. What it has learned is one matrix, see `fold`.

    Args:
        values: how many go in.
        dim: length of a vector.

    Attributes:
        dim: length of a vector.
    """

    def __init__(self, values: int, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.even = nn.BatchNorm1d(values, affine=False)
        self.leave_out = nn.Dropout(0.5)
        self.project = nn.Linear(values, dim, bias=False)
        self.neck = nn.BatchNorm1d(dim)
        self.neck.bias.requires_grad_(False)

    def describe(self, values: torch.Tensor) -> ReidFeatures:
        """(B, values) -> features before and after the neck."""
        pooled = self.project(self.leave_out(self.even(values)))
        necked = self.neck(pooled)
        return ReidFeatures(pooled, necked, necked)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(B, values) -> (B, dim) vectors of any length, compared by their cosine."""
        return self.describe(values).vectors

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def fold(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The same in evaluation mode as `values @ matrix + offset`: (values, dim) and (dim,)."""
        scale = (self.even.running_var + self.even.eps).rsqrt()
        end = self.neck.weight * (self.neck.running_var + self.neck.eps).rsqrt()
        matrix = scale[:, None] * self.project.weight.T * end
        offset = self.neck.bias - self.neck.running_mean * end
        return matrix, offset - self.even.running_mean @ matrix
