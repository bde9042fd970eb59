"""The recipe: it learns to look at the template, goes on bit for bit, and refuses the rest."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.sot_runs import SMALL
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.perception.searchers.factory import create_searcher
from mot_dinov3.training.engine import train
from mot_dinov3.training.recipes.sot.examples import Sizes
from mot_dinov3.training.recipes.sot.recipe import SotRecipe, split
from mot_dinov3.training.recipes.sot.scenes import DrawnScenes
from mot_dinov3.training.settings import TrainingRun
from mot_dinov3.values import Frame


def run_in(folder, recipe, **asked):
    return train(recipe, TrainingRun(out=str(folder), device="cpu"), **asked)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path):
    recipe = SotRecipe(data="scenes", steps=3, ema=3, **SMALL)
    run_in(tmp_path / "whole", recipe)
    asked = iter([False, True])
    run_in(tmp_path / "parts", recipe, wants_stop=lambda: next(asked))
    train(recipe, TrainingRun(out=str(tmp_path / "parts"), device="cpu", resume=True))
    whole, parts = (load_checkpoint(tmp_path / n, "sot") for n in ("whole", "parts"))
    assert all(np.array_equal(whole.weights[name], parts.weights[name]) for name in whole.weights)
    assert 0 < whole.config.thresholds["sure"] < 1
    assert whole.metrics["template_gradient"] > 0
    assert (
        create_searcher(f"sot:{tmp_path / 'whole'}", "cpu").sure
        == (whole.config.thresholds["sure"])
    )


def test_the_backbone_has_a_rate_of_its_own():
    recipe = SotRecipe(data="scenes", rate=1e-3, backbone_rate=0.1, **SMALL)
    model = recipe.build(None)
    groups = recipe.optimizers(model)["all"].param_groups
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(rates) == len(list(model.parameters()))
    assert {rates[id(p)] for p in model.backbone.parameters()} == {1e-4}
    assert {rates[id(p)] for p in model.head.parameters()} == {1e-3}
    frozen = SotRecipe(data="scenes", freeze_backbone=True, **SMALL).build(None)
    assert not any(p.requires_grad for p in frozen.backbone.parameters())


def test_held_out_examples_are_not_those_of_any_batch():
    recipe = SotRecipe(data="scenes", **SMALL)
    data = recipe.open_data()
    batches = recipe.batches(data, 0)
    first = batches.batch(0)
    assert torch.equal(first["search"], recipe.batches(data, 0).batch(0)["search"])
    assert not torch.equal(first["search"], batches.batch(1)["search"])
    assert len(data.held_out.boxes) == SMALL["measured"]
    assert not any(torch.equal(first["search"][0], one) for one in data.held_out.search)


def test_a_frame_log_keeps_its_video():
    assert split("otb:a, run.jsonl,v.mp4,scenes") == ["otb:a", "run.jsonl,v.mp4", "scenes"]
    assert split("runs/x.jsonl,mot:b") == ["runs/x.jsonl", "mot:b"]


def test_what_cannot_be_learned_is_refused(tmp_path):
    with pytest.raises(UsageError, match="needs sequences"):
        SotRecipe().open_data()
    for wrong in ({"size": 100}, {"dim": 20}, {"templates": 0}, {"absent": 1.0}, {"bs": 1}):
        with pytest.raises(UsageError, match=f"--{next(iter(wrong))}"):
            SotRecipe(**wrong)
    for backbone, words in (("random:huge", "names no size"), ("reid:nothing.onnx", "not exist")):
        recipe = SotRecipe(data="scenes", **{**SMALL, "backbone": backbone})
        with pytest.raises((UsageError, ModelError), match=words):
            recipe.build(None)


MINIATURE = {
    **SMALL,
    "dim": 64,
    "templates": 1,
    "bs": 16,
    "measured": 128,
    "rate": 2e-3,
    "ema": 20,
    "warm_up": 20,
}


@pytest.mark.slow
def test_only_with_the_template_the_right_one_is_found(tmp_path):
    """Three things of one shape lie around the middle; luck finds one in three."""
    learns = SotRecipe(data="scenes", steps=200, **MINIATURE)
    blind = SotRecipe(data="scenes", steps=200, no_fusion=True, **MINIATURE)
    seeing, lucky = (run_in(tmp_path / n, r).best.values for n, r in (("a", learns), ("b", blind)))
    assert lucky["template_gradient"] == 0
    assert lucky["success"] <= 0.45
    assert seeing["success_swapped"] <= 0.45
    assert seeing["success"] >= 0.5
    assert seeing["success"] - max(seeing["success_swapped"], lucky["success"]) >= 0.15
    follow_a_thing(create_searcher(f"sot:{tmp_path / 'a'}", "cpu"))


def follow_a_thing(searcher):
    """Show a thing in a picture, and search it among those of its shape."""
    sizes = Sizes(search_px=64, template_px=32, templates=1)
    found = []
    for seed in range(1000, 1024):
        example = DrawnScenes(sizes).draw(np.random.default_rng(seed))
        searcher.show(
            Frame(0, 0.0, example.templates[0]), np.array([1]), example.marks[0][None] * 32
        )
        middle = np.array([[24, 24, 40, 40]], np.float32)
        box = searcher.search(Frame(1, 0.04, example.search), np.array([1]), middle).xyxy[0] / 64
        found.append(np.abs((box[:2] + box[2:]) - (example.box[:2] + example.box[2:])).max() < 0.3)
    assert np.mean(found) >= 0.5
