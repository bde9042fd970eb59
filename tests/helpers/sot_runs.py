"""Checkpoints of single-object networks, as `train sot` leaves them."""

from __future__ import annotations

from dataclasses import asdict, replace

from mot_dinov3.io.checkpoint import ModelCheckpoint, save_checkpoint
from mot_dinov3.training.recipes.sot.recipe import SotRecipe

SMALL = {"size": 64, "dim": 32, "layers": 2, "backbone": "random:tiny", "measured": 8, "bs": 4}


def store_network(folder, thresholds=None, **changes):
    """A network of random weights; returns its recipe."""
    import torch

    from mot_dinov3.training.learner import as_array

    recipe = SotRecipe(data="scenes", **{**SMALL, **changes})
    torch.manual_seed(recipe.seed)
    model = recipe.build(None)
    config = replace(
        recipe.describe(None),
        thresholds={"sure": 0.4} if thresholds is None else thresholds,
        recipe={"name": "sot", **asdict(recipe)},
    )
    weights = {name: as_array(value) for name, value in recipe.weights_of(model).items()}
    save_checkpoint(folder, ModelCheckpoint(config, weights, {}))
    return recipe
