"""Batch renormalisation: batch norm whose training sees what evaluation will see."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import batch_norm

R_MAX, D_MAX = 3.0, 5.0
"""Bounds of the correction once training has settled (Ioffe 2017, section 4.2)."""
PARTS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
"""What batch norm and batch renorm consist of, so that either loads what the other saved."""


class _BatchRenorm(nn.Module):  # type: ignore[misc]
    """Batch norm that corrects each batch by how far it is from the running statistics.

    In training `y = ((x - batch mean) / batch deviation * r + d) * weight + bias` with `r = batch
    deviation / running deviation` and `d = (batch mean - running mean) / running deviation`, both
    bounded and without gradient (Ioffe, "Batch renormalization", 2017, algorithm 1). A batch of
    few identities then teaches the network that evaluation uses. The bounds begin at plain batch
    norm and widen over `ramp` steps as in section 4.2, which has 40,000 of them.
    """

    ramp = 400

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, ...) -> the same shape; in evaluation this is batch norm."""
        if not self.training:
            return super().forward(x)
        self._check_input_dim(x)
        r, d = self.correction(x.detach())
        self.num_batches_tracked.add_(1)
        weight = r if self.weight is None else self.weight * r
        bias = d if self.weight is None else self.weight * d + self.bias
        rate = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        return batch_norm(
            x, self.running_mean, self.running_var, weight, bias, True, rate, self.eps
        )

    def correction(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scale r and shift d (C,) of a batch, bounded by how long training has run."""
        axes = [axis for axis in range(x.dim()) if axis != 1]
        var, mean = torch.var_mean(x.float(), dim=axes, correction=0)
        sigma = (self.running_var + self.eps).sqrt()
        r_max, d_max = self.bounds()
        r = ((var + self.eps).sqrt() / sigma).clamp(1 / r_max, r_max)
        return r, ((mean - self.running_mean) / sigma).clamp(-d_max, d_max)

    def bounds(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Largest r and d at this step: plain batch norm for an eighth of the ramp, then wider."""
        done = self.num_batches_tracked / self.ramp - 1 / 8
        r_max = 1 + (R_MAX - 1) * (done * 8 / 7).clamp(0, 1)
        return r_max, D_MAX * (done * 2).clamp(0, 1)


class BatchRenorm1d(_BatchRenorm, nn.BatchNorm1d):  # type: ignore[misc]
    """Batch renormalisation of (B, C) or (B, C, L)."""


class BatchRenorm2d(_BatchRenorm, nn.BatchNorm2d):  # type: ignore[misc]
    """Batch renormalisation of (B, C, h, w)."""


KINDS = {nn.BatchNorm1d: BatchRenorm1d, nn.BatchNorm2d: BatchRenorm2d}


def renormalise(module: nn.Module, ramp: int = _BatchRenorm.ramp) -> nn.Module:
    """Replace all batch norms of a network by batch renorm and return the network.

    Weights and running statistics stay the same tensors, so an optimiser that knows them goes on;
    the count of batches begins anew, because the ramp follows it.

    Args:
        module: changed in place, unless it is a batch norm itself.
        ramp: training steps until the correction has its full bounds.
    """
    kind = KINDS.get(type(module))
    if kind is None:
        for name, child in module.named_children():
            setattr(module, name, renormalise(child, ramp))
        return module
    if module.running_mean is None:
        return module
    renewed = kind(module.num_features, module.eps, module.momentum, module.affine)
    for part in PARTS:
        setattr(renewed, part, getattr(module, part))
    renewed.num_batches_tracked.zero_()
    renewed.ramp = ramp
    return renewed.train(module.training)
