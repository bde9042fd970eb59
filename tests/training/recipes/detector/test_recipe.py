"""The recipe: it learns, goes on bit for bit, keeps its backbone as it is, and refuses the rest."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers as t

from helpers.labelled import NAMES, SMALL, train_detector, write_squares
from mot_dinov3.errors import InputError, ModelError, UsageError
from mot_dinov3.evaluation.detection import ScoredPicture
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.perception.detectors.detr_networks import PROBE, load_network
from mot_dinov3.training.engine import train
from mot_dinov3.training.recipes.detector.figures import assess, find_best_conf
from mot_dinov3.training.recipes.detector.pictures import stack
from mot_dinov3.training.recipes.detector.recipe import HEADS, DetectorRecipe
from mot_dinov3.training.settings import TrainingRun
from mot_dinov3.values import Detections


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_squares(tmp_path_factory.mktemp("squares"))


def recipe_of(data, **changes):
    return DetectorRecipe(data=str(data), **{**SMALL, **changes})


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path, data):
    recipe = recipe_of(data, steps=3)
    train(recipe, TrainingRun(out=str(tmp_path / "whole"), device="cpu"))
    asked = iter([False, True])
    parts = TrainingRun(out=str(tmp_path / "parts"), device="cpu")
    train(recipe, parts, wants_stop=lambda: next(asked))
    train(recipe, replace(parts, resume=True))
    whole, found = (load_checkpoint(tmp_path / name, "detr") for name in ("whole", "parts"))
    assert all(np.array_equal(whole.weights[name], found.weights[name]) for name in whole.weights)
    assert whole.metrics == found.metrics
    assert whole.config.classes == tuple(NAMES.values())


@pytest.mark.parametrize("head", HEADS)
def test_what_was_stored_answers_as_what_was_trained(tmp_path, data, head):
    train_detector(tmp_path, data, head=head)
    network, found = load_network(tmp_path)
    recipe = recipe_of(data, head=head)
    sets = recipe.open_data()
    sets.attach(network)
    again = assess(network, sets).values
    stored = {name: value for name, value in found.metrics.items() if name in again}
    assert stored == pytest.approx(again, abs=1e-5)
    assert again["queries_filled"] == 0.2


def test_a_backbone_of_transformers_is_not_stored_but_told_apart(tmp_path, data):
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 32}
    config = t.DINOv3ViTConfig(num_hidden_layers=2, **sizes)
    model = t.DINOv3ViTModel(config)
    model.save_pretrained(tmp_path / "vit")
    name = str(tmp_path / "vit")
    train_detector(tmp_path / "run", data, backbone=name, layers=2, steps=2)
    stored = load_checkpoint(tmp_path / "run", "detr").weights
    assert not [key for key in stored if key.startswith("backbone.")]
    network, _ = load_network(tmp_path / "run")
    for key, value in model.state_dict().items():
        assert torch.equal(value, network.backbone.model.state_dict()[key])
    assert torch.allclose(network.probe(), torch.from_numpy(stored[PROBE]), atol=1e-5)
    with torch.no_grad():
        model.embeddings.patch_embeddings.weight.mul_(2)
    model.save_pretrained(tmp_path / "vit")
    with pytest.raises(ModelError, match="not the one that the detector was trained on"):
        load_network(tmp_path / "run")


def test_every_picture_comes_once_an_epoch_in_another_order(data):
    recipe = recipe_of(data, plain=True, bs=3)
    sets = recipe.open_data()
    recipe.build(sets)
    batches = recipe.batches(sets, 0)
    epochs = [
        torch.cat([batches.batch(number)["pixels"] for number in numbers]).mean((1, 2, 3))
        for numbers in ((0, 1), (2, 3))
    ]
    assert torch.equal(epochs[0].sort().values, epochs[1].sort().values)
    assert len(epochs[0].unique()) == 6
    assert not torch.equal(epochs[0], epochs[1])
    assert recipe.count_steps(sets) == 20
    assert recipe.count_evaluation_steps(sets) == 2


@pytest.mark.parametrize("where", ["ram", "disk"])
def test_maps_that_were_kept_teach_the_same(data, where):
    losses = []
    for kept in ("off", where):
        recipe = recipe_of(data, plain=True, cache_features=kept)
        sets = recipe.open_data()
        torch.manual_seed(1)
        network = recipe.build(sets).eval()
        for _ in range(2):
            with torch.no_grad():
                terms = recipe.loss(network, recipe.batches(sets, 0).batch(1), "all")
        losses.append([float(term) for term in terms.values()])
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)


def test_kept_maps_of_a_mirrored_picture_are_its_own(data):
    recipe = recipe_of(data, cache_features="ram", bs=6)
    sets = recipe.open_data()
    network = recipe.build(sets)
    batch = recipe.batches(sets, 0).batch(0)
    shown = [sets._load_turned(row, flipped=flipped) for row, flipped in sets._cache._kept]
    from mot_dinov3.training.recipes.detector.caching import normalise

    with torch.no_grad():
        wanted = network.look(normalise(stack(shown)["pixels"]))
    assert all(torch.allclose(a, b, atol=2e-2) for a, b in zip(batch["maps"], wanted, strict=True))
    assert {key[1] for key in sets._cache._kept} == {True, False}


@pytest.mark.parametrize("where", ["ram", "disk"])
def test_a_picture_whose_maps_are_kept_is_not_read_again(data, where, monkeypatch):
    recipe = recipe_of(data, cache_features=where, plain=True, bs=6)
    sets = recipe.open_data()
    recipe.build(sets)
    first = recipe.batches(sets, 0).batch(0)
    monkeypatch.setattr(sets, "_load", lambda row: pytest.fail("read again"))
    again = recipe.batches(sets, 0).batch(0)
    assert torch.equal(first["mask"], again["mask"])
    for one, other in zip(first["labels"], again["labels"], strict=True):
        assert torch.equal(one["boxes"], other["boxes"])


def test_a_pilot_says_what_a_full_run_takes(tmp_path):
    data = write_squares(tmp_path / "data", count=14)
    result = train_detector(tmp_path / "run", data, pilot=True, steps=0)
    assert result.steps == 5  # ten pictures by two
    values = result.best.values
    assert values["pictures_per_s"] > 0
    assert values["peak_gib"] > 0.1
    epoch_s = 14 / values["pictures_per_s"] + 4 / values["measured_per_s"]
    assert values["hours_per_epoch"] == pytest.approx(epoch_s / 3600)


def test_a_picture_that_cannot_be_read_is_left_out_and_said_once(tmp_path, caplog):
    data = write_squares(tmp_path)
    for split in ("train", "val"):
        (tmp_path / split / "images" / "000002.jpg").write_bytes(b"no picture")
    caplog.set_level(logging.WARNING)
    train_detector(tmp_path / "run", data, steps=4)
    said = [record.message for record in caplog.records if "cannot be read" in record.message]
    assert len(said) == 2


def test_more_boxes_than_queries_are_said(data, caplog):
    recipe_of(data, queries=1).open_data()
    assert "3 pictures have more than the 1 boxes that --queries allows" in caplog.text


def test_a_head_begins_with_another_detector(tmp_path, data):
    torch.manual_seed(5)
    config = t.DetrConfig(
        backbone_config=t.ResNetConfig(hidden_sizes=[8] * 4, depths=[1] * 4, embedding_size=8),
        use_timm_backbone=False,
        num_labels=5,
        d_model=64,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        num_queries=10,
    )
    other = t.DetrForObjectDetection(config)
    other.save_pretrained(tmp_path / "other")
    recipe = recipe_of(data, head="detr", init_head=str(tmp_path / "other"))
    network = recipe.build(recipe.open_data())
    own, theirs = network.head.state_dict(), other.state_dict()
    key = "model.query_position_embeddings.weight"
    assert torch.equal(own[key], theirs[key])
    key = "class_labels_classifier.weight"
    assert own[key].shape != theirs[key].shape
    recipe = recipe_of(data, dim=128, init_head=str(tmp_path / "other"))
    sets = recipe.open_data()
    with pytest.raises(ModelError, match="No weight"):
        recipe.build(sets)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"data": ""}, UsageError, "needs pictures"),
        ({"data": "/nowhere/data.yaml"}, InputError, "nowhere"),
        ({"dim": 33}, UsageError, "--dim"),
        ({"queries": 0}, UsageError, "--queries"),
        ({"layers": 5}, UsageError, "--layers"),
        ({"train_backbone": True, "cache_features": "ram"}, UsageError, "--train-backbone"),
        ({"backbone": "random:giant"}, UsageError, "names no size"),
    ],
)
def test_bad_settings_are_refused(data, changes, error, words):
    def begin():
        recipe = DetectorRecipe(**{"data": str(data), **SMALL, **changes})
        recipe.build(recipe.open_data())

    with pytest.raises(error, match=words):
        begin()


def test_pictures_without_a_box_that_can_be_used_are_refused(tmp_path):
    data = write_squares(tmp_path / "squares")
    for path in (tmp_path / "squares").rglob("*.txt"):
        path.write_text("0 five words and no box\n")
    with pytest.raises(InputError, match=r"No picture of 'train' .* has a box that can be used"):
        recipe_of(data).open_data()


def test_a_detector_learns_and_an_untrained_one_finds_nothing(tmp_path):
    data = write_squares(tmp_path / "data", count=16)
    changes = {"head": "rtdetr", "train_backbone": True, "backbone_rate": 1.0, "plain": True}
    changes |= {"bs": 4, "evaluate_every": 1000, "clip": 1.0}
    changes |= {"encoder_layers": 0, "decoder_layers": 1}
    learned = train_detector(tmp_path / "learned", data, steps=40, rate=3e-3, **changes)
    untrained = train_detector(tmp_path / "untrained", data, steps=1, rate=0.0, **changes)
    assert learned.best.values["ap50"] > 0.4
    assert untrained.best.values["ap50"] < 0.05


def test_the_best_confidence_leaves_errors_and_repeated_boxes_out():
    truth = np.array([[0, 0, 10, 10], [20, 20, 40, 40]], np.float32)
    boxes = np.array(
        [[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 40, 41], [60, 60, 70, 70]], np.float32
    )
    found = Detections(boxes, np.array([0.9, 0.8, 0.4, 0.3], np.float32), np.zeros(4, np.int64))
    picture = ScoredPicture(found, truth, np.zeros(2, np.int64))
    assert find_best_conf([picture]) == pytest.approx(0.4)
    nothing = ScoredPicture(found[[3]], truth, np.zeros(2, np.int64))
    assert find_best_conf([nothing]) == 0
