"""Gives batch norms the statistics of real pictures, which an export had merged away."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

LEAST_VARIANCE = 1e-6


def restore_statistics(network: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Write the mean and variance of what each 2-d batch norm sees into it, at equal answers.

    A norm that merely adds a bias would begin to train from statistics that are those of no
    picture, and its first step would change every map. Scale and bias make up for what the
    statistics change, so that evaluation answers as before.

    Args:
        network: its `nn.BatchNorm2d` modules are changed.
        batches: (B, 3, H, W) normalised pictures.
    """
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    sums = {one: _Sums(one.num_features) for one in norms}
    handles = [
        norm.register_forward_pre_hook(lambda one, inputs: sums[one].add(inputs[0]))
        for norm in norms
    ]
    was = network.training
    network.eval()
    with torch.no_grad():
        for batch in batches:
            network(batch)
        for handle in handles:
            handle.remove()
        for norm in norms:
            _rewrite(norm, *sums[norm].moments())
    network.train(was)


def renew_statistics(network: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Measure anew the mean and variance that batch norms see, after weights were mixed.

    Means of statistics are not the statistics of mean weights (Izmailov et al. 2018, "Averaging
    weights leads to wider optima", section 3.2).

    Args:
        network: its batch norms are changed; it is in evaluation mode afterwards.
        batches: (B, 3, H, W) normalised pictures.
    """
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


class _Sums:
    """Sums over positions of a map's values and of their squares, channel by channel."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._first = torch.zeros(channels, dtype=torch.float64)
        self._second = torch.zeros(channels, dtype=torch.float64)

    def add(self, maps: torch.Tensor) -> None:
        """Take in (B, C, h, w)."""
        self._count += maps.numel() // maps.shape[1]
        values = maps.double()
        self._first += values.sum((0, 2, 3)).cpu()
        self._second += values.square().sum((0, 2, 3)).cpu()

    def moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(C,) mean and variance."""
        mean = self._first / max(1, self._count)
        variance = self._second / max(1, self._count) - mean.square()
        return mean.float(), variance.float().clamp(min=LEAST_VARIANCE)


def _rewrite(norm: nn.BatchNorm2d, mean: torch.Tensor, variance: torch.Tensor) -> None:
    mean, variance = mean.to(norm.weight.device), variance.to(norm.weight.device)
    slope = norm.weight / (norm.running_var + norm.eps).sqrt()
    norm.bias.add_(slope * (mean - norm.running_mean))
    norm.weight.copy_(slope * (variance + norm.eps).sqrt())
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
