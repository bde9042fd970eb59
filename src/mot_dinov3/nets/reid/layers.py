"""Layers that networks for re-identification share: pooling, attention and normalisation."""

from __future__ import annotations

import torch
from torch import nn

TINY = torch.finfo(torch.float32).tiny
"""Least mean of powers: the root of zero has no gradient."""


class GeM(nn.Module):  # type: ignore[misc]
    """Generalised mean of a map, between its average (p = 1) and its maximum (p to infinity).

    `(mean over positions of max(x, eps)^p)^(1/p)` with a p that is learned (Radenovic et al.,
    "Fine-tuning CNN image retrieval with no human annotation", 2018, equation 3).

    Args:
        p: exponent to start from.
        eps: least value that counts; negative values count as this one.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor([float(p)]))
        self.eps = eps

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) -> (B, C) float32, as powers overflow in half precision."""
        means = maps.float().clamp(min=self.eps).pow(self.p).mean(dim=(-2, -1))
        return means.clamp(min=TINY).pow(1 / self.p)


class IBN(nn.Module):  # type: ignore[misc]
    """Instance normalisation for the first half of the channels, batch normalisation for the rest.

    The first block of IBN-a (Pan et al., "Two at once", 2018): instance normalisation takes out
    what differs from camera to camera. The names of its parts are those of published weights.

    Args:
        channels: of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.half = channels // 2
        self.IN = nn.InstanceNorm2d(self.half, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.half)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) -> the same shape."""
        first, rest = maps[:, : self.half], maps[:, self.half :]
        return torch.cat([self.IN(first), self.BN(rest)], dim=1)


class TripletAttention(nn.Module):  # type: ignore[misc]
    """Weigh each value of a map by where it stands along channels, height and width.

    Three branches each look at the map along one axis: its maximum and mean over that axis, a
    7 x 7 convolution with batch normalisation, and a sigmoid give the weights. The answer is the
    mean of the three (Misra et al., "Rotate to attend", 2021, figure 3). It needs a few hundred
    parameters, however wide the map is.

    Args:
        kernel: edge of the convolutions, odd.
    """

    def __init__(self, kernel: int = 7) -> None:
        super().__init__()
        self.gates = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(1, momentum=0.01),
                nn.Sigmoid(),
            )
            for _ in range(3)
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) -> the same shape."""
        weights = [
            gate(torch.stack([maps.amax(dim=axis), maps.mean(dim=axis)], dim=1))
            .squeeze(1)
            .unsqueeze(axis)
            for axis, gate in enumerate(self.gates, start=1)
        ]
        return maps * sum(weights) / len(weights)
