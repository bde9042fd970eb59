"""The recipe on drawn crops: it learns, goes on bit for bit, and refuses what it cannot use."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.training.engine import train
from mot_dinov3.training.recipes.gan.data import read_pictures
from mot_dinov3.training.recipes.gan.recipe import GanRecipe
from mot_dinov3.training.settings import TrainingRun

SMALL = {"ngf": 4, "ndf": 4, "noise": 8, "batch": 8, "seed": 2}


@pytest.fixture(scope="session")
def crops(tmp_path_factory):
    """Sixty crops of fifteen identities: a body of one colour before a wall."""
    folder = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(0)
    for who in range(15):
        colour = rng.integers(0, 256, 3).tolist()
        for number in range(4):
            picture = np.full((160, 70, 3), 200, np.uint8)
            x = int(rng.integers(25, 45))
            cv2.rectangle(picture, (x - 15, 40), (x + 15, 150), colour, -1)
            cv2.circle(picture, (x, 25), 12, (120, 150, 210), -1)
            cv2.imwrite(str(folder / f"{who:04d}_c1s1_{number:06d}_00.png"), picture)
    return folder


def run_in(folder, recipe, **asked):
    return train(recipe, TrainingRun(out=str(folder), device="cpu"), **asked)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dcgan", "vaegan"])
def test_a_short_training_beats_the_untrained_generator(tmp_path, crops, kind):
    recipe = GanRecipe(data=str(crops), objective=kind, steps=30, rate=6e-3, ema=5, **SMALL)
    figures = run_in(tmp_path, recipe).best.values
    assert figures["random_net_distance"] < 0.8 * figures["random_net_distance_untrained"]
    assert figures["random_net_distance_real"] < figures["random_net_distance"]
    checkpoint = load_checkpoint(tmp_path, "gan")
    assert checkpoint.config.sizes["width"] == 4
    assert all(name.startswith("layers.") for name in checkpoint.weights)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dcgan", "vaewgangp"])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path, crops, kind):
    recipe = GanRecipe(data=str(crops), objective=kind, steps=3, ema=3, **SMALL)
    run_in(tmp_path / "whole", recipe)
    asked = iter([False, True])
    run_in(tmp_path / "parts", recipe, wants_stop=lambda: next(asked))
    train(recipe, TrainingRun(out=str(tmp_path / "parts"), device="cpu", resume=True))
    whole, parts = (load_checkpoint(tmp_path / n, "gan").weights for n in ("whole", "parts"))
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)


def test_each_turn_of_the_critic_takes_a_part_of_the_batch_of_its_own(crops, monkeypatch):
    recipe = GanRecipe(data=str(crops), objective="vaewgangp", **SMALL)
    data = recipe.open_data()
    batch = recipe.batches(data, 0).batch(3)
    assert batch.shape == (16, 3, 128, 64)
    assert torch.equal(batch, recipe.batches(data, 0).batch(3))
    seen = {}
    for name in ("critic", "generator"):
        monkeypatch.setattr(
            f"mot_dinov3.training.recipes.gan.turns.lose_as_{name}",
            lambda recipe, model, real, name=name: seen.setdefault(name, []).append(real),
        )
    turns = list(recipe.optimizers(recipe.build(data)))
    for turn in turns:
        recipe.loss(None, batch, turn)
    assert turns == ["0", "1", "generator"]
    first, second = seen["critic"]
    assert torch.equal(torch.cat([first, second]), batch.float() / 127.5 - 1)
    assert torch.equal(seen["generator"][0], first)


def test_identities_that_are_measured_on_are_not_learned_from(crops, tmp_path):
    pictures = read_pictures(crops)
    assert (len(pictures.learned), len(pictures.held_out)) == (48, 12)
    one = tmp_path / "one"
    one.mkdir()
    for number, path in enumerate(sorted(crops.iterdir())[:10]):
        (one / f"7_c1_{number}.png").write_bytes(path.read_bytes())
    (one / "7_c1_99.png").write_bytes(b"torn")
    pictures = read_pictures(one)
    assert (len(pictures.learned), len(pictures.held_out)) == (8, 2)


def test_what_cannot_be_learned_from_is_refused(tmp_path, crops):
    with pytest.raises(UsageError, match="needs crops"):
        GanRecipe().open_data()
    (tmp_path / "1_c1_1.png").write_bytes(sorted(crops.iterdir())[0].read_bytes())
    with pytest.raises(InputError, match="1 picture that can be read"):
        read_pictures(tmp_path)
    for wrong in ({"ngf": 0}, {"batch": 3}, {"objective": "x"}):
        with pytest.raises(UsageError):
            GanRecipe(**wrong)
