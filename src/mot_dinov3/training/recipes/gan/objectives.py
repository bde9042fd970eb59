"""What generator, critic and encoder are asked for: three objectives of one shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from mot_dinov3.nets.gan.network import HEIGHT_PX, WIDTH_PX

PENALTY = 10.0
"""Weight of the gradient penalty (Gulrajani et al. 2017, algorithm 1)."""


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's hinge loss (Miyato et al. 2018, eq. 16): scores beyond +-1 are good enough.

    Args:
        real: (B,) scores of real pictures.
        fake: (B,) scores of made ones.
    """
    return relu(1 - real).mean() + relu(1 + fake).mean()


def logistic(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's cross-entropy (Goodfellow et al. 2014, eq. 1); scores are log odds."""
    return softplus(-real).mean() + softplus(fake).mean()


def wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's part of the Wasserstein distance (Arjovsky et al. 2017, eq. 2)."""
    return fake.mean() - real.mean()


def raise_score(fake: Tensor) -> Tensor:
    """The generator's loss for `hinge` and `wasserstein`."""
    return -fake.mean()


def raise_odds(fake: Tensor) -> Tensor:
    """The generator's loss for `logistic`, in the form that does not saturate."""
    return softplus(-fake).mean()


@dataclass(frozen=True, slots=True)
class Objective:
    """How the networks learn from each other.

    Attributes:
        criticise: the critic's loss of (B,) scores of real and of made pictures.
        please: the generator's loss of the scores of its pictures.
        spectral: whether the critic is bounded by spectral norm.
        penalised: whether it is bounded by the gradient penalty.
        encodes: whether there is an encoder, as in a variational auto-encoder.
        critic_steps: steps of the critic for one of the generator.
        share: weight of the generator's loss beside those of reconstruction and divergence.
    """

    criticise: Callable[[Tensor, Tensor], Tensor]
    please: Callable[[Tensor], Tensor]
    spectral: bool
    penalised: bool
    encodes: bool
    critic_steps: int
    share: float = 1.0


PER_PIXEL = (3 * HEIGHT_PX * WIDTH_PX) ** -0.5
"""A critic of slope 1 measures the distance of whole pictures; this makes it that of pixels."""

OBJECTIVES = {
    "dcgan": Objective(hinge, raise_score, True, False, False, 1),
    "vaegan": Objective(logistic, raise_odds, True, False, True, 1),
    "vaewgangp": Objective(wasserstein, raise_score, False, True, True, 2, PER_PIXEL),
}


def gradient_penalty(
    score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor
) -> Tensor:
    """How far the critic's slope is from 1 between real and made pictures, squared.

    Gulrajani et al. 2017, eq. 3, without its weight.

    Args:
        score: the critic: (B, ...) pictures to (B,) scores.
        real: (B, ...) real pictures.
        fake: (B, ...) made ones.
        share: (B,) numbers from 0 to 1: how much of the real picture there is at each place.
    """
    weight = share.view(-1, *[1] * (real.dim() - 1))
    between = (weight * real + (1 - weight) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(score(between).sum(), between, create_graph=True)
    return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of normal distributions from the standard one, the mean over the batch.

    Kingma and Welling 2014, appendix B.

    Args:
        mean: (B, D).
        log_variance: (B, D).
    """
    each = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)
    return each.sum(1).mean()


def mismatch(made: Tensor, real: Tensor) -> Tensor:
    """Squared difference of the critic's maps (Larsen et al. 2016, eq. 7) as a share of variance.

    The share keeps it independent of how large the critic makes its maps.

    Args:
        made: (B, ...) maps of reconstructions.
        real: (B, ...) maps of what they reconstruct.
    """
    goal = real.detach()
    return ((made - goal) ** 2).mean() / goal.var().clamp_min(1e-6)
