from __future__ import annotations

import pytest
import torch

from helpers.drawn_crops import draw_crops
from mot_dinov3.errors import UsageError
from mot_dinov3.training.recipes.reid.recipe import ReidRecipe


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"bs": 3}, "--bs must be at least 4"),
        ({"bs": 8, "instance": 5}, "--instance must be 2 to half of --bs"),
        ({"instance": 1}, "--instance"),
        ({"holdout": 1.5}, "--holdout must be 0 to 1"),
        ({"erase": -0.1}, "--erase must be 0 to 1"),
        ({"blend": 2, "init": "x"}, "--blend must be 0 to 1"),
        ({"blend": 0.5}, "Add --init FILE"),
        ({"colour": 2}, "--colour must be 0 to 1"),
        ({"fresh": 0}, "--fresh must be above 0"),
        ({"epochs": 0}, "--epochs must be above 0"),
        ({"steps": -1}, "--steps must be at least 0"),
        ({"round": 0}, "--round must be at least 1"),
        ({"eps": 1.0}, "--eps must be between 0 and 1"),
        ({"size": "256"}, "--size must be like 256x128"),
        ({"size": "16x32"}, "sides from 32 to 1024"),
        ({"size": "9999x128"}, "sides from 32 to 1024"),
        ({"continual": True}, "--unlabeled"),
        ({"unlabeled": "x"}, "Add --continual"),
        ({"continual": True, "unlabeled": "x", "data": "y"}, "--data would not be read"),
        ({"continual": True, "unlabeled": "x", "synthetic": "y"}, "--synthetic would not be"),
        ({"continual": True, "unlabeled": "x", "video": "y"}, "--video would not be read"),
        ({"video": "x", "data": "y"}, "--video learns from its tracks alone, and --data"),
        ({"video": "x", "val": "y"}, "--val would not be read"),
        ({"clip_len": 1}, "--clip-len must be at least 2"),
        ({"crop_factor": 9}, "--crop-factor must be between 0.5 and 4"),
    ],
)
def test_settings_that_mean_nothing_are_refused_by_the_name_of_their_flag(values, said):
    with pytest.raises(UsageError, match=said):
        ReidRecipe(**values)


def test_epochs_are_counted_in_pictures_where_no_steps_are_given(tmp_path):
    folder = str(draw_crops(tmp_path, 3, shots=4))
    recipe = ReidRecipe(data=folder, size="64X32", bs=8, epochs=2.5)
    assert recipe.hw == (64, 32)
    data = recipe.open_data()
    assert recipe.count_steps(data) == round(2.5 * 24 / 8)
    assert ReidRecipe(data=folder, size="64x32", steps=4).count_steps(data) == 4


def test_what_begins_from_nothing_learns_faster_and_norms_do_not_decay(tmp_path, tiny):
    recipe = ReidRecipe(
        data=str(draw_crops(tmp_path, 2, shots=2)), size="64x32", backbone=tiny, rate=1e-3
    )
    model = recipe.build(recipe.open_data())
    groups = recipe.optimizers(model)["all"].param_groups
    rates = {
        id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]
    }
    assert rates[id(model.network.backbone.layers[0].weight)] == (1e-3, recipe.decay)
    assert rates[id(model.network.backbone.layers[1].weight)] == (1e-3, 0)
    assert rates[id(model.classifier.weight)] == (2e-3, recipe.decay)
    assert rates[id(model.centres)] == (2e-3, 0)
    assert not any(id(p) in rates for p in model.before.parameters())
    assert id(model.network.neck.bias) not in rates


def test_a_checkpoint_holds_the_network_alone(tmp_path, tiny):
    recipe = ReidRecipe(data=str(draw_crops(tmp_path, 2, shots=2)), size="64x32", backbone=tiny)
    model = recipe.build(recipe.open_data())
    weights = recipe.weights_of(model)
    assert weights.keys() == model.network.state_dict().keys()
    assert all(torch.equal(weights[k], v) for k, v in model.network.state_dict().items())
