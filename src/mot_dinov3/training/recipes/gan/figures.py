"""What a GAN reaches on crops that it did not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from mot_dinov3.nets.gan.network import Critic, GanNetwork
from mot_dinov3.training.recipes.base import Assessment
from mot_dinov3.training.recipes.gan.data import Pictures
from mot_dinov3.training.recipes.gan.judge import tell_apart
from mot_dinov3.training.recipes.gan.sampling import AT_ONCE, as_batch, as_input, draw_pictures
from mot_dinov3.values import FloatArray

if TYPE_CHECKING:
    from mot_dinov3.training.recipes.gan.recipe import GanData, GanRecipe

SEED = 1
"""Of the pictures that are measured: always the same noise."""


def measure(recipe: GanRecipe, model: GanNetwork, data: GanData) -> Assessment:
    """Measure as many made pictures as there are held-out ones.

    The figures are named after the network whose features they compare; `untrained` is the same
    generator before it learned, and `real` is what other real crops reach.

    Args:
        recipe: rebuilds the untrained generator.
        model: in evaluation mode.
        data: the held-out crops and the judge.
    """
    judge = data.judge
    real = data.pictures.held_out[: len(judge.real)]
    made = draw_pictures(model.generator, len(real), SEED)
    if judge.untrained is None:
        judge.untrained = measure_untrained(recipe, data, len(real))
    reached, diversity = judge.measure(made)
    accuracy = tell_apart(score(model.critic, real), score(model.critic, made))
    distance = f"{judge.name}_distance"
    figures = {
        distance: reached,
        f"{distance}_untrained": judge.untrained,
        f"{distance}_real": judge.floor,
        f"{judge.name}_diversity": diversity,
        "critic_accuracy": accuracy,
    }
    return Assessment(figures, best=distance, higher_is_better=False)


def measure_untrained(recipe: GanRecipe, data: GanData, count: int) -> float:
    """Feature distance of the generator that learning begins with.

    Its batch norm takes the statistics of each batch: without, all of its pictures are grey.
    """
    torch.manual_seed(recipe.seed)
    network: nn.Module = recipe.build(data).train()
    distance, _ = data.judge.measure(draw_pictures(network.generator, count, SEED))
    return distance


def score(critic: Critic, pictures: Pictures) -> FloatArray:
    """(N,) how real pictures look to the critic."""
    device = next(critic.parameters()).device
    parts = as_batch(pictures).split(AT_ONCE)
    with torch.no_grad():
        scored = [critic(as_input(part.to(device)))[0] for part in parts]
    scores: FloatArray = torch.cat(scored).float().cpu().numpy()
    return scores
