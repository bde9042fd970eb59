"""Learning without labels: what clusters do, a small run that adapts, and its control."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.drawn_crops import draw_crops
from helpers.tiny_backbone import TinyBackbone
from mot_dinov3.data.reid.crops import build_crops
from mot_dinov3.errors import ModelError, UsageError
from mot_dinov3.nets.reid.network import ReidNetwork
from mot_dinov3.training.engine import train
from mot_dinov3.training.recipes.reid import adaptation
from mot_dinov3.training.recipes.reid.adaptation import split_cosines
from mot_dinov3.training.recipes.reid.clusters import measure_centroids
from mot_dinov3.training.recipes.reid.learning import (
    MOMENTUM,
    TEMPERATURE,
    MemoryNetwork,
    Weighting,
)
from mot_dinov3.training.recipes.reid.recipe import ReidRecipe
from mot_dinov3.training.settings import TrainingRun
from training.recipes.reid.test_supervised import SMALL, learn, require_same_end


@pytest.fixture(scope="module")
def first(drawn, tmp_path_factory):
    """A run on a few other people, that knows something of people."""
    from helpers.tiny_backbone import TABLE_ROW
    from mot_dinov3.nets.reid.factory import BACKBONES

    root = tmp_path_factory.mktemp("first")
    people = draw_crops(root / "people", 4, first=40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES.table, "tiny", TABLE_ROW)
        learn(replace(SMALL, data=str(people), steps=8, rate=3e-3, ema=0), root / "run")
    return root / "run"


@pytest.fixture
def recipe(drawn, tiny, first, tmp_path):
    return ReidRecipe(
        backbone="tiny",
        size="64x32",
        bs=16,
        warm_up=0,
        erase=0.2,
        continual=True,
        init=str(first),
        unlabeled=str(draw_crops(tmp_path / "tracklets", 12, shots=6, tracklets=True)),
        tracklets=True,
        val=str(drawn),
        steps=60,
        round=15,
        rate=1e-3,
        eps=0.8,
        ema=8,
    )


def fail(*arguments):
    """What clustering says of pictures that look all alike."""
    raise ModelError("The pictures fall into one cluster.")


def test_centroids_are_the_means_of_clusters_and_pictures_of_none_are_in_none():
    vectors = np.array([[1, 0], [0, 1], [1, 0], [0, -1]], np.float32)
    centroids = measure_centroids(vectors, np.array([0, 0, 1, -1]))
    np.testing.assert_allclose(centroids, [[2**-0.5, 2**-0.5], [1, 0]], atol=1e-6)


def crops_of(facts):
    return build_crops([Path(f"{row}.png") for row in range(len(facts))], facts)


def test_cosines_are_split_by_whether_their_pictures_share_a_cluster():
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    crops = crops_of([("0", 1, 1, row) for row in range(4)])
    labels = np.array([0, 0, 1, -1])
    same, different = split_cosines(crops, vectors, labels, tracklets=False)
    assert same.tolist() == [1]
    assert different.tolist() == [0, 0]


def test_only_tracklets_that_were_seen_at_once_are_strangers():
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    crops = crops_of([("a", 1, 1, 0), ("a", 1, 1, 9), ("b", 1, 1, 5), ("c", 1, 1, 50)])
    labels = np.array([0, 0, 1, 2])
    same, different = split_cosines(crops, vectors, labels, tracklets=True)
    assert same.tolist() == [1]
    assert different.tolist() == [0, 0]  # of "c" nothing is known


def test_the_memory_moves_towards_the_pictures_of_its_clusters():
    torch.manual_seed(0)
    samples = torch.zeros(1, 3, 64, 32, dtype=torch.uint8)
    weighting = Weighting(0.3, 0.0, 0.0, 0.0)
    model = MemoryNetwork(ReidNetwork(TinyBackbone()), 9, weighting, samples).eval()
    centroids = np.eye(4, 32, dtype=np.float32)
    model.remember(centroids)
    pixels, labels = torch.randn(4, 3, 64, 32), torch.tensor([1, 3, 3, 1])
    terms = model.measure_loss(pixels, labels)
    unit = torch.nn.functional.normalize(model.network(pixels), dim=1).detach()
    logits = unit @ torch.from_numpy(centroids).T / TEMPERATURE
    expected = torch.nn.functional.cross_entropy(logits, labels)
    torch.testing.assert_close(terms["class"], expected)
    moved = (1 - MOMENTUM) * torch.eye(4, 32)[3] + MOMENTUM * unit[1:3].mean(0)
    torch.testing.assert_close(model.memory[3], moved / moved.norm())
    assert torch.equal(model.memory[:3:2], torch.eye(4, 32)[:3:2])  # clusters that were not shown
    assert float(model.memory[4:].abs().max()) == 0


def test_a_small_run_without_labels_rises_and_one_with_shuffled_clusters_falls(recipe, tmp_path):
    before = recipe.build(data := recipe.open_data())
    untouched = adaptation.assess(recipe, before, data).values["mAP"]
    adapted = learn(recipe, tmp_path / "run").best
    control = learn(replace(recipe, shuffle_labels=True), tmp_path / "control").best
    assert adapted.values["mAP"] > untouched + 0.03
    assert control.values["mAP"] < untouched
    assert -1 < adapted.thresholds["cosine_gate"] < 1


@pytest.mark.parametrize("stop", [1, 3, 4, 5])
def test_a_run_that_is_killed_around_a_round_ends_as_the_whole_one(recipe, tmp_path, stop):
    """Clusters are found before steps 1, 4 and 7, and a state is stored after 2, 4 and 6."""
    short = replace(recipe, steps=7, bs=8, round=3, checkpoint_every=2, ema=2)
    require_same_end(short, tmp_path, stop)


def test_clusters_are_found_once_a_round_of_steps(recipe, tmp_path, monkeypatch):
    found = []
    find = adaptation.find_clusters

    def note(*arguments):
        found.append(arguments[1])
        return find(*arguments)

    monkeypatch.setattr(adaptation, "find_clusters", note)
    short = replace(recipe, steps=4, bs=8, round=2, val="")
    learn(replace(short, accumulate=3), tmp_path)
    assert len(found) == 2 + 1  # and once to measure


def test_pictures_that_are_measured_on_are_refused(recipe, drawn, tmp_path):
    for folder in (drawn, drawn / "query", drawn / "bounding_box_test"):
        with pytest.raises(UsageError, match="figures on pictures that were learned from"):
            replace(recipe, unlabeled=str(folder)).open_data()
    link = tmp_path / "elsewhere"
    link.symlink_to(drawn / "query")
    with pytest.raises(UsageError, match="16 of the 16"):
        replace(recipe, unlabeled=str(link)).open_data()


def test_clusters_that_fall_together_at_the_end_leave_the_network_without_a_gate(
    recipe, monkeypatch
):
    short = replace(recipe, steps=1, bs=8)
    data = short.open_data()
    model = short.build(data)
    assert adaptation.assess(short, model, data).thresholds
    monkeypatch.setattr(adaptation, "find_clusters", fail)
    assessment = adaptation.assess(short, model, data)
    assert (assessment.values["clusters"], assessment.thresholds) == (0, {})
    assert assessment.best == "mAP"


def test_clusters_that_fall_together_on_the_way_stay_those_of_the_last_round(
    recipe, caplog, monkeypatch
):
    short = replace(recipe, bs=8, round=2)
    data = short.open_data()
    short.build(data)
    source = short.batches(data, 0)
    source.batch(0)
    before = source.state_dict()["labels"].clone()
    monkeypatch.setattr(adaptation, "find_clusters", fail)
    source.batch(2)
    assert torch.equal(source.state_dict()["labels"], before)
    assert "stay" in caplog.text
    with pytest.raises(ModelError):
        short.batches(data, 0).batch(0)


def test_it_learns_in_one_process(recipe, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="one process"):
        recipe.open_data()


def test_tracklets_are_told_by_the_names_of_files(recipe, drawn, tmp_path):
    people = tmp_path / "people"
    shutil.copytree(drawn / "bounding_box_train", people)
    tracked = replace(recipe, unlabeled=str(people), tracklets=True, val="")
    data = tracked.open_data()
    tracked.build(data)
    _, labels = tracked.batches(data, 0).batch(0)
    assert labels.min() >= 0
    rows = adaptation.find_clusters(
        tracked, data.training.crops, np.eye(len(data.training.crops), dtype=np.float32)
    )
    for who in range(data.training.crops.identities):
        assert len(np.unique(rows[data.training.crops.identity == who])) == 1


def test_a_run_says_how_many_clusters_there_were(recipe, tmp_path):
    result = train(replace(recipe, steps=1, val=""), TrainingRun(out=str(tmp_path), device="cpu"))
    assert result.best.best == "clustered"
    assert result.best.values["clusters"] >= 2
