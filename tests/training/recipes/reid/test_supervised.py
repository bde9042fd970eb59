"""Learning from known identities: the batches, and a small run that learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.drawn_crops import draw_crops
from mot_dinov3.errors import InputError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.perception.features.reid_networks import load_network
from mot_dinov3.training.engine import train
from mot_dinov3.training.random_state import seed_everything
from mot_dinov3.training.recipes.reid.augment import build_transforms
from mot_dinov3.training.recipes.reid.losses import NO_LABEL
from mot_dinov3.training.recipes.reid.recipe import ReidRecipe
from mot_dinov3.training.recipes.reid.supervised import sample_identities, search_with
from mot_dinov3.training.settings import TrainingRun

SMALL = ReidRecipe(backbone="tiny", size="64x32", bs=16, warm_up=0, erase=0.2, colour=0.0)


def learn(recipe, out, **more):
    return train(recipe, TrainingRun(out=str(out), device="cpu", **more))


def test_a_batch_has_so_many_pictures_of_each_identity():
    identity = np.repeat(np.arange(9), 6)
    rows = sample_identities(np.random.default_rng(0), identity, 16, 4)
    _, counts = np.unique(identity[rows], return_counts=True)
    assert counts.tolist() == [4] * 4
    assert len(set(rows.tolist())) == 16
    assert not np.array_equal(rows, sample_identities(np.random.default_rng(1), identity, 16, 4))


@pytest.mark.parametrize(("size", "each"), [(7, 3), (16, 4), (8, 8)])
def test_few_identities_and_few_pictures_are_repeated_and_those_of_none_left_out(size, each):
    identity = np.array([0, 0, -1, 1, -1, 2])
    rows = sample_identities(np.random.default_rng(0), identity, size, each)
    assert len(rows) == size
    assert set(identity[rows].tolist()) <= {0, 1, 2}
    assert (np.diff(identity[rows]) != 0).sum() == -(-size // each) - 1


def test_a_batch_is_a_function_of_its_number_and_of_the_random_state(drawn, tiny):
    data = SMALL.open_data() if SMALL.data else replace(SMALL, data=str(drawn)).open_data()
    source = SMALL.batches(data, 0)
    batches = []
    for seed in (1, 1, 2):
        seed_everything(seed)
        batches.append(source.batch(5))
    assert torch.equal(batches[0][0], batches[1][0])
    assert not torch.equal(batches[0][0], batches[2][0])  # covered and shifted elsewhere
    assert torch.equal(batches[0][1], batches[2][1])


def test_a_quarter_of_a_batch_is_made_up_where_there_are_made_up_pictures(drawn, tiny, tmp_path):
    made_up = draw_crops(tmp_path, 2, shots=2, first=90)
    recipe = replace(SMALL, data=str(drawn), synthetic=str(made_up))
    data = recipe.open_data()
    pixels, labels = recipe.batches(data, 0).batch(0)
    assert len(data.synthetic) == 8
    assert pixels.shape == (16, 3, 64, 32)
    assert (labels == NO_LABEL).tolist() == [False] * 12 + [True] * 4
    for path in made_up.iterdir():
        path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="None of the pictures"):
        recipe.open_data()


def test_crops_are_covered_and_shifted_but_not_what_is_kept_in_memory():
    pixels = torch.full((3, 64, 32), 200, dtype=torch.uint8)
    seed_everything(0)
    seen = torch.stack([build_transforms((64, 32), 1.0)(pixels) for _ in range(8)])
    middle = seen[:, :, 20:44, 8:24].flatten(1).float()
    assert int((middle.std(1) > 0).sum()) >= 4
    assert torch.equal(pixels, torch.full_like(pixels, 200))
    seen = torch.stack([build_transforms((64, 32), 0.0)(pixels) for _ in range(8)])
    assert seen[:, :, 20:44, 8:24].flatten(1).float().std(1).max() == 0  # nothing is covered


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


def test_a_small_run_learns_to_find_people_it_never_saw(drawn, tiny, outcome):
    recipe = replace(SMALL, data=str(drawn), val=str(drawn), steps=60, rate=3e-3, ema=10)
    data = recipe.open_data()
    seed_everything(0)
    untrained = search_with(recipe.build(data).network, data.search).values["mAP"]
    result = learn(recipe, outcome)
    assert result.best.values["mAP"] > untrained + 0.2
    found = load_checkpoint(outcome, "reid")
    network, _ = load_network(outcome)
    again = search_with(network, data.search)
    assert again.values == dict(result.best.values)
    assert found.config.thresholds == again.thresholds
    assert found.config.sizes == {"height_px": 64, "width_px": 32}


def test_without_a_set_to_measure_on_some_people_are_kept_apart(drawn, tiny, caplog):
    apart = replace(SMALL, data=str(drawn), holdout=0.4).open_data()
    assert (apart.training.crops.identities, len(apart.search.pictures.query)) == (8, 8)
    assert "Nothing is measured" not in caplog.text
    few = replace(SMALL, data=str(drawn), holdout=0.1).open_data()
    assert few.search is None
    assert "Nothing is measured" in caplog.text


@pytest.mark.parametrize("stop", [1, 3, 4])
def test_a_run_that_is_killed_after_a_step_ends_as_the_whole_one(drawn, tiny, tmp_path, stop):
    recipe = replace(SMALL, data=str(drawn), steps=5, bs=8, checkpoint_every=2, keep=0.1, ema=2)
    require_same_end(recipe, tmp_path, stop)


class Killed(Exception):
    """Stands for a kill: nothing is stored when it comes."""


def require_same_end(recipe, folder, stop):
    """A run that dies after `stop` steps goes on to the weights of one that did not."""

    def die(report):
        if report.step == stop:
            raise Killed

    learn(recipe, folder / "whole")
    place = TrainingRun(out=str(folder / "killed"), device="cpu")
    with pytest.raises(Killed):
        train(recipe, place, die)
    learn(recipe, folder / "killed", resume=True)
    for name in ("best", "last"):
        whole, other = (load_checkpoint(folder / run / name, "reid") for run in ("whole", "killed"))
        assert whole.weights.keys() == other.weights.keys()
        for key, value in whole.weights.items():
            assert np.array_equal(value, other.weights[key]), key
        assert whole.metrics == other.metrics
