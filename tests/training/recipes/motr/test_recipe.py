"""The recipe: it learns to follow, goes on bit for bit, begins with others, refuses the rest."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.labelled import write_squares
from helpers.motr_runs import recipe_of, train_tracker, write_films
from mot_dinov3.errors import InputError, ModelError, UsageError
from mot_dinov3.io.checkpoint import (
    CheckpointConfig,
    ModelCheckpoint,
    load_checkpoint,
    save_checkpoint,
)
from mot_dinov3.nets.motr import network as networks
from mot_dinov3.perception.motr_networks import load_network
from mot_dinov3.training.engine import train
from mot_dinov3.training.learner import Learner
from mot_dinov3.training.processes import OneProcess
from mot_dinov3.training.recipes.motr.recipe import UPDATERS, MotrRecipe
from mot_dinov3.training.settings import TrainingRun


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_films(tmp_path_factory.mktemp("films"))


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path, data):
    recipe = recipe_of(data, steps=3)
    train(recipe, TrainingRun(out=str(tmp_path / "whole"), device="cpu"))
    asked = iter([False, True])
    parts = TrainingRun(out=str(tmp_path / "parts"), device="cpu")
    train(recipe, parts, wants_stop=lambda: next(asked))
    train(recipe, replace(parts, resume=True))
    whole, found = (load_checkpoint(tmp_path / name, "motr") for name in ("whole", "parts"))
    assert all(np.array_equal(whole.weights[name], found.weights[name]) for name in whole.weights)


def test_it_learns_and_what_was_stored_answers_the_same(tmp_path, data):
    """A step teaches the updater, too; without a gradient on its frames it is left as it was."""
    recipe = recipe_of(data, train_backbone=True)
    sets = recipe.open_data()
    network = recipe.build(sets).train()
    batch = recipe.batches(sets, 0).batch(0)
    sum(recipe.loss(network, batch, "all").values()).backward()
    assert network.updater.layers[0].mixer.in_proj.weight.grad.any()
    assert network.backbone.stem[0].conv.weight.grad.any()
    network.zero_grad()
    late = replace(recipe, no_grad_first=2)
    sum(late.loss(network, batch, "all").values()).backward()
    assert network.updater.layers[0].mixer.in_proj.weight.grad is None
    train_tracker(tmp_path, data, updater="memotr")
    stored, found = load_network(tmp_path)
    assert found.config.classes == ("pedestrian",)
    assert isinstance(stored.updater, type(networks.UPDATERS["memotr"](64)))


@pytest.mark.parametrize("part", ["updater", "search", "enter", "head"])
def test_a_step_changes_every_part(data, part):
    """Most of a step's loss falls by the head alone, so that other parts could stay random."""
    learner = Learner(recipe_of(data), recipe_of(data).open_data(), OneProcess("cpu"))
    before = deepcopy(getattr(learner.model, part).state_dict())
    learner.take_step()
    after = getattr(learner.model, part).state_dict()
    assert any(not torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize("kind", ["detr", "motr"])
def test_it_begins_with_another_run(tmp_path, data, kind):
    other = recipe_of(data, seed=7)
    weights = {
        name: one.numpy() for name, one in other.build(other.open_data()).state_dict().items()
    }
    save_checkpoint(tmp_path / "first", ModelCheckpoint(CheckpointConfig(kind), weights, {}))
    recipe = recipe_of(data, init=str(tmp_path / "first"))
    network = recipe.build(recipe.open_data())
    name = "head.model.encoder.layers.0.mlp.fc1.weight"
    assert np.array_equal(network.state_dict()[name].numpy(), weights[name])


@pytest.mark.parametrize(("clip_frames", "best"), [(1, "deta"), (2, "hota")])
def test_pictures_alone_are_judged_by_what_is_found_in_them(data, clip_frames, best):
    recipe = recipe_of(data, val=data, clip_frames=clip_frames)
    sets = recipe.open_data()
    found = recipe.evaluate(recipe.build(sets).eval(), sets)
    assert found is not None
    assert found.best == best


def test_still_pictures_are_clips_too(tmp_path):
    squares = write_squares(tmp_path / "squares")
    recipe = recipe_of(str(squares))
    sets = recipe.open_data()
    network = recipe.build(sets)
    assert recipe.describe(sets).classes == ("red", "blue")
    assert not sets.measures
    moments = recipe.batches(sets, 0).batch(1)["moments"]
    assert len(moments) == 3
    assert torch.isfinite(sum(recipe.loss(network, {"moments": moments}, "all").values()))


def test_data_that_cannot_be_learned_from_is_one_sentence(tmp_path, data):
    with pytest.raises(UsageError, match="needs clips"):
        recipe_of("").open_data()
    with pytest.raises(UsageError, match="does not say what kind of data"):
        recipe_of(str(tmp_path)).open_data()
    with pytest.raises(InputError, match="has 8 pictures, and clips of 9 are"):
        recipe_of(data, clip_frames=9).open_data()
    write_films(tmp_path)
    truth = tmp_path / "film0" / "gt" / "gt.txt"
    text = truth.read_text()
    lines = text.splitlines()
    truth.write_text("\n".join(line.replace(line.split(",")[1], "-1", 1) for line in lines[8:]))
    with pytest.raises(InputError, match="is not an identity"):
        recipe_of(f"mot:{tmp_path}").open_data()
    truth.write_text("\n".join(reversed(lines)))
    mixed = recipe_of(f"mot:{tmp_path}").open_data().sources.films[0]
    assert (np.diff(mixed.truth.frame_index) >= 0).all()
    truth.write_text("\n".join(line.replace(",1,1,1", ",0,1,1") for line in lines))
    with pytest.raises(InputError, match="no box that counts"):
        recipe_of(f"mot:{tmp_path}").open_data()


def test_a_start_that_does_not_fit_is_refused(tmp_path, data):
    empty = {"head.other": np.zeros(1, np.float32)}
    save_checkpoint(tmp_path / "other", ModelCheckpoint(CheckpointConfig("reid"), empty, {}))
    save_checkpoint(tmp_path / "odd", ModelCheckpoint(CheckpointConfig("motr"), empty, {}))
    for name, said in (("no", "not a checkpoint"), ("other", "of kind 'reid'"), ("odd", "fits")):
        recipe = recipe_of(data, init=str(tmp_path / name))
        with pytest.raises(ModelError, match=said):
            recipe.build(recipe.open_data())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clip_frames": 0}, "--clip must be at least 1"),
        ({"no_grad_first": 3}, "--no-grad-first must be from 0, and below --clip"),
        ({"interval": 0}, "--interval must be at least 1"),
        ({"dim": 60}, "--dim must be"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, said):
    with pytest.raises(UsageError, match=said):
        recipe_of("mot:x", **changes)


def test_every_updater_can_be_chosen():
    assert set(UPDATERS) == set(networks.UPDATERS)
    assert MotrRecipe().updater == "samba"
