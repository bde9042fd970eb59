"""Losses against a direct computation."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from mot_dinov3.training.recipes.gan.objectives import (
    divergence,
    gradient_penalty,
    hinge,
    logistic,
    mismatch,
    raise_odds,
    raise_score,
    wasserstein,
)

REAL, FAKE = [2.5, 0.25, -1.0], [0.5, -3.0, -0.75]


def mean(values):
    return sum(values) / len(values)


def log_share(score):
    return math.log(1 / (1 + math.exp(-score)))


@pytest.mark.parametrize(
    ("loss", "direct"),
    [
        (hinge, mean([max(0, 1 - x) for x in REAL]) + mean([max(0, 1 + x) for x in FAKE])),
        (logistic, -mean([log_share(x) for x in REAL]) - mean([log_share(-x) for x in FAKE])),
        (wasserstein, mean(FAKE) - mean(REAL)),
    ],
)
def test_the_losses_of_a_critic(loss, direct):
    assert loss(torch.tensor(REAL), torch.tensor(FAKE)).item() == pytest.approx(direct)


@pytest.mark.parametrize(
    ("loss", "direct"),
    [(raise_score, -mean(FAKE)), (raise_odds, -mean([log_share(x) for x in FAKE]))],
)
def test_the_losses_of_a_generator(loss, direct):
    assert loss(torch.tensor(FAKE)).item() == pytest.approx(direct)


def test_the_penalty_of_a_linear_critic_depends_on_its_slope_alone():
    weight = torch.tensor([0.0, 3.0, 4.0], requires_grad=True)
    real, fake, share = torch.rand(5, 3), torch.rand(5, 3), torch.rand(5)
    penalty = gradient_penalty(lambda x: x @ weight, real, fake, share)
    assert penalty.item() == pytest.approx((5 - 1) ** 2)
    penalty.backward()  # of (|w| - 1)^2: 2 (|w| - 1) w / |w|
    assert weight.grad.tolist() == pytest.approx([0.0, 2 * 4 * 3 / 5, 2 * 4 * 4 / 5])


def test_the_penalty_looks_between_real_and_made_pictures():
    seen = []

    def score(x):
        seen.append(x.detach())
        return (x**2).sum((1, 2))

    gradient_penalty(score, torch.ones(2, 2, 3), torch.zeros(2, 2, 3), torch.tensor([0.25, 1.0]))
    assert torch.equal(seen[0], torch.tensor([0.25, 1.0])[:, None, None].expand(2, 2, 3))


def test_the_divergence_is_that_of_two_normal_distributions():
    centre, log_variance = torch.randn(4, 6), torch.randn(4, 6)
    known = kl_divergence(Normal(centre, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    assert divergence(centre, log_variance).item() == pytest.approx(known.sum(1).mean().item())
    assert divergence(torch.zeros(2, 3), torch.zeros(2, 3)).item() == 0


def test_a_mismatch_is_a_share_of_the_variance_and_moves_only_what_was_made():
    made, real = torch.randn(3, 5, requires_grad=True), torch.randn(3, 5, requires_grad=True)
    found = mismatch(made, real)
    assert mismatch(7 * made, 7 * real).item() == pytest.approx(found.item())
    assert found.item() == pytest.approx((((made - real) ** 2).mean() / real.var()).item())
    found.backward()
    assert made.grad is not None
    assert real.grad is None
