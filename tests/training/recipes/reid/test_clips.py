"""Learning from clips of tracks: what is in a clip, and a small run that learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.drawn_sequence import draw_sequence
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.nets.reid.factory import build_network
from mot_dinov3.perception.features.reid_networks import load_network, read_attention
from mot_dinov3.training.random_state import seed_everything
from mot_dinov3.training.recipes.reid import clips
from mot_dinov3.training.recipes.reid.learning import Weighting
from mot_dinov3.training.recipes.reid.recipe import ReidRecipe
from training.recipes.reid.test_supervised import learn, require_same_end

TRACK = np.repeat([0, 1, 2], [5, 2, 4])
"""Identities of pictures of which clips of three are made."""


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return draw_sequence(tmp_path_factory.mktemp("video") / "street", 20)


@pytest.fixture
def recipe(video, tiny):
    return ReidRecipe(
        video=str(video),
        backbone="tiny",
        size="64x32",
        bs=32,
        clip_len=4,
        instance=2,
        holdout=0.4,
        rate=3e-3,
        fresh=0.3,
        warm_up=0,
        erase=0,
        ema=4,
    )


def test_clips_begin_where_they_stay_on_their_track():
    assert clips.find_starts(TRACK, 3).tolist() == [0, 0, 0, -1, -1, 1, -1, 2, 2, -1, -1]
    rows = clips.extend_clips(TRACK, np.array([2, 5, 8]), 3)
    assert rows.tolist() == [[2, 3, 4], [5, 6, 5], [8, 9, 10]]  # the second is repeated


def test_clips_to_measure_share_no_picture_and_come_from_tracks_of_two_or_more():
    assert clips.split_clips(np.repeat([0, 1, 2], [7, 5, 6]), 3).tolist() == [
        [0, 1, 2],
        [3, 4, 5],
        [12, 13, 14],
        [15, 16, 17],
    ]
    assert clips.split_clips(TRACK, 3).shape == (0, 3)


def test_a_batch_has_clips_of_some_tracks(recipe):
    data = recipe.open_data()
    assert (data.training.crops.identities, data.held.crops.identities) == (12, 8)
    pixels, labels = recipe.batches(data, 0).batch(3)
    assert pixels.shape == (8 * 4, 3, 64, 32)
    assert labels.unique(return_counts=True)[1].tolist() == [2] * 4


def test_a_clip_is_weighed_by_unit_vectors_and_begins_as_their_mean(tiny):
    torch.manual_seed(0)
    samples = torch.zeros(1, 3, 64, 32, dtype=torch.uint8)
    model = clips.ClipNetwork(build_network("tiny"), 3, Weighting(0.3, 5e-4, 0.0, 0.1), samples)
    pixels, labels = torch.randn(8, 3, 64, 32), torch.tensor([0, 2])
    frames = model.eval().network.describe(pixels)
    unit = torch.nn.functional.normalize(frames.vectors, dim=1).view(2, 4, -1)
    torch.testing.assert_close(model.pool(frames, 2).vectors, unit.mean(1))
    terms = model.measure_loss(pixels, labels)
    assert terms.keys() == {"class", "triplet", "centre", "keep"}
    sum(terms.values()).backward()
    assert float(model.attention.score.weight.grad.abs().sum()) > 0


def test_a_small_run_finds_tracks_it_never_saw_and_another_begins_with_it(recipe, tmp_path):
    recipe = replace(recipe, bs=64, steps=100, colour=0.0)  # colours tell the drawn ones apart
    data = recipe.open_data()
    seed_everything(0)
    untrained = clips.assess(recipe, recipe.build(data), data).values
    best = learn(recipe, tmp_path / "run").best
    assert best.values["mAP"] > untrained["mAP"] + 0.1
    assert -1 < best.thresholds["cosine_gate"] < 1
    found = load_checkpoint(tmp_path / "run", "reid")
    network, _ = load_network(tmp_path / "run")
    assert not any(name.startswith("clip") for name in network.state_dict())
    weights = read_attention(found)
    again = replace(recipe, init=str(tmp_path / "run"))
    model = again.build(data)
    for name, value in model.attention.state_dict().items():
        assert np.array_equal(value.numpy(), weights[name]), name
    assert clips.assess(again, model, data).values == dict(best.values)


def test_a_run_that_is_killed_after_a_step_ends_as_the_whole_one(recipe, tmp_path):
    require_same_end(
        replace(recipe, steps=5, bs=16, erase=0.2, checkpoint_every=2, ema=2), tmp_path, 3
    )


def test_without_enough_tracks_nothing_is_measured(recipe, tmp_path, caplog):
    few = replace(recipe, video=str(draw_sequence(tmp_path / "few", 3)), steps=1)
    assert learn(few, tmp_path / "run").best is None
    assert "Nothing is measured" in caplog.text
