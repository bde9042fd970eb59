"""The losses of a step: what the critic sees, and what generator and encoder see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mot_dinov3.nets.gan.network import Encoder, GanNetwork
from mot_dinov3.training.recipes.gan.objectives import (
    OBJECTIVES,
    PENALTY,
    divergence,
    gradient_penalty,
    mismatch,
)

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.gan.recipe import GanRecipe


def lose_as_critic(recipe: GanRecipe, model: GanNetwork, real: Tensor) -> Mapping[str, Tensor]:
    """What the critic is asked for: to tell real pictures from made ones.

    With an encoder half of the made ones are reconstructions.

    Args:
        recipe: the objective and its weights.
        model: all networks.
        real: (B, 3, height, width).
    """
    objective = OBJECTIVES[recipe.objective]
    with torch.no_grad():
        noise = model.draw_noise(len(real))
        if model.encoder is not None:
            half = len(real) // 2
            noise[half:] = encode(model.encoder, real[half:])[0]
        fake = model.generator(noise).float()
    scores = model.critic(torch.cat([real, fake]))[0].float()
    terms = {"critic": objective.criticise(*scores.chunk(2))}
    if objective.penalised:
        share = torch.rand(len(real), device=real.device)
        slope = gradient_penalty(lambda x: model.critic(x)[0].float(), real, fake, share)
        terms["penalty"] = PENALTY * slope
    return terms


def lose_as_generator(recipe: GanRecipe, model: GanNetwork, real: Tensor) -> Mapping[str, Tensor]:
    """What the generator is asked for: pictures that the critic takes for real.

    With an encoder half of the pictures are reconstructions, which are to look to the critic like
    what they reconstruct; the encoder hears nothing of the critic's scores (Larsen et al. 2016).

    Args:
        recipe: the objective and its weights.
        model: all networks.
        real: (B, 3, height, width).
    """
    objective = OBJECTIVES[recipe.objective]
    with frozen(model.critic):
        if model.encoder is None:
            fake = model.generator(model.draw_noise(len(real)))
            return {"generator": objective.please(model.critic(fake)[0].float())}
        original = real[: len(real) // 2]
        noise, mean, log_variance = encode(model.encoder, original)
        drawn = model.draw_noise(len(real) - len(original))
        fake = model.generator(torch.cat([drawn, noise]))
        scores, maps = model.critic(torch.cat([fake, original.to(fake.dtype)]))
    _, made, goal = maps.float().split([len(drawn), len(original), len(original)])
    return {
        "generator": objective.share * objective.please(scores[: len(drawn)].float()),
        "reconstruction": recipe.reconstruction * mismatch(made, goal),
        "divergence": recipe.divergence * divergence(mean, log_variance),
    }


def encode(encoder: Encoder, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Draw noise that pictures may have come from; also its mean and the log of its variance."""
    mean, log_variance = encoder(pictures)
    return mean + torch.randn_like(mean) * (0.5 * log_variance).exp(), mean, log_variance


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through a network without computing those of its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
