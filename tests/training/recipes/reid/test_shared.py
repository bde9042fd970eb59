"""A head on the maps of a detector: it learns tracks, and is refused beside another detector."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.drawn_sequence import draw_sequence
from helpers.labelled import train_detector, write_squares
from mot_dinov3.config import DetectorConfig, DeviceConfig, EmbedderConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.evaluation.reid.gate import Gate
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.io.read.images import read_image
from mot_dinov3.perception.detectors.detr import load_detr
from mot_dinov3.perception.features.base import GENERAL, Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.perception.features.prior import find_prior
from mot_dinov3.perception.features.reid_networks import load_network
from mot_dinov3.training.engine import train
from mot_dinov3.training.recipes.reid import shared
from mot_dinov3.training.recipes.reid.recipe import ReidRecipe
from mot_dinov3.training.settings import TrainingRun
from mot_dinov3.values import Frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two detectors, a sequence, and a head that was trained for the first of them."""
    folder = tmp_path_factory.mktemp("shared")
    data = write_squares(folder / "squares")
    for name, seed in (("det", 0), ("other", 1)):
        train_detector(folder / name, data, seed=seed, imgsz=288)
    draw_sequence(folder / "street", 12, frames=12)
    train(build_recipe(folder), TrainingRun(out=str(folder / "head"), device="cpu"))
    return folder


def build_recipe(folder, **changes):
    settings = {"clip_len": 4, "holdout": 0.4, "bs": 28, "warm_up": 0, "ema": 0, "steps": 60}
    return ReidRecipe(
        video=str(folder / "street"), shared=str(folder / "det"), **{**settings, **changes}
    )


def load(folder, name="det", head="head"):
    detector = load_detr(
        str(folder / name), DetectorConfig(conf=0.5), "cpu", DeviceConfig(backend="torch")
    )
    named = EmbedderConfig(embedder="shared", embed_model=str(folder / head) if head else "")
    return detector, create_embedder(named, Placement("cpu", detector=detector))


def test_what_was_learned_tells_other_tracks_apart_and_one_untrained_does_less(folder):
    recipe = build_recipe(folder)
    data = recipe.open_data()
    assert len(np.unique(data.tracks.held.crops.identity)) == 4
    torch.manual_seed(0)
    untrained = recipe.evaluate(recipe.build(data).eval(), data).values["mAP"]
    learned = load_checkpoint(folder / "head", "reid").metrics["mAP"]
    assert learned > untrained + 0.05


def test_tracking_describes_boxes_by_the_head_that_is_named(folder):
    detector, embedder = load(folder)
    image = read_image(folder / "street" / "img1" / "000001.png")
    rows = np.loadtxt(folder / "street" / "gt" / "gt.txt", delimiter=",", max_rows=12)[:, 2:6]
    xyxy = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:]]).astype(np.float32)
    detector.detect(Frame(0, 0.0, image))
    vectors = embedder.embed(image, xyxy)
    weights = load_checkpoint(folder / "head", "reid").weights
    wanted = embedder.describe(image, xyxy) @ weights["matrix"] + weights["offset"]
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert vectors == pytest.approx(wanted, abs=1e-5)
    assert embedder.dim == vectors.shape[1] == 128
    assert not embedder.has_memory
    assert "head" in embedder.title
    assert embedder.fingerprint != load(folder, head="")[1].fingerprint


def test_the_head_brings_its_gate_along(folder):
    stored = load_checkpoint(folder / "head", "reid").config.thresholds["cosine_gate"]
    config = EmbedderConfig(embedder="shared", embed_model=str(folder / "head"))
    assert find_prior(config).gate == pytest.approx(stored)
    assert find_prior(EmbedderConfig(embedder="shared")) == GENERAL


def test_the_gate_is_found_from_early_boxes_as_a_tracker_remembers_them(folder, monkeypatch):
    recipe, asked = build_recipe(folder), []

    def note(vectors, identity, remembered):
        asked.append((identity, remembered))
        return Gate(0.25, 0.0, 0.0, 0.0)

    monkeypatch.setattr(shared, "suggest_memory_gate", note)
    data = recipe.open_data()
    assert recipe.evaluate(recipe.build(data).eval(), data).thresholds == {"cosine_gate": 0.25}
    identity, remembered = asked[0]
    for who in np.unique(identity):
        kept = remembered[identity == who]
        assert kept[0]
        assert not kept[-1]
        assert (np.diff(kept.astype(int)) <= 0).all()


def test_a_head_of_another_detector_is_refused(folder):
    with pytest.raises(ModelError, match="another detector's backbone"):
        load(folder, name="other")


def test_a_head_and_a_network_for_crops_are_not_taken_for_each_other(folder, tmp_path):
    with pytest.raises(ModelError, match="of kind 'detr'"):
        load(folder, head="det")
    with pytest.raises(ModelError, match="--embedder shared"):
        load_network(folder / "head")
