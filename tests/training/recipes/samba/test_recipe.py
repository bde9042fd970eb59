"""The recipe: it learns what neighbours tell, goes on bit for bit, and refuses the rest."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.moving_together import draw_together, write_sequence
from mot_dinov3.config import MotionConfig
from mot_dinov3.errors import InputError, UsageError
from mot_dinov3.io.checkpoint import load_checkpoint
from mot_dinov3.tracking.motion.factory import create_motion
from mot_dinov3.tracking.motion.samba import SambaMotion
from mot_dinov3.training.engine import train
from mot_dinov3.training.recipes.samba.recipe import SambaRecipe
from mot_dinov3.training.settings import TrainingRun

SMALL = {"dim": 16, "states": 4, "bs": 6, "tracks": 4, "noise": "none", "frames": "24"}


@pytest.fixture(scope="module")
def flock(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flock")
    for number in range(6):
        one = draw_together(number, frames=120, objects=4)
        write_sequence(folder / str(number), one, detections=number == 0)
    return f"mot:{folder}"


def run_in(folder, recipe, **asked):
    return train(recipe, TrainingRun(out=str(folder), device="cpu"), **asked)


def test_neighbours_tell_where_a_hidden_track_went(flock, tmp_path):
    """A miniature: beside it the same without synchronisation, and the untrained control, 1.0."""
    steps = {"steps": 14, "warm_up": 2, "rate": 1e-2, "ema": 2, "evaluate_every": 0}
    reached = {}
    for no_sync in (False, True):
        recipe = SambaRecipe(data=flock, no_sync=no_sync, **steps, **SMALL)
        reached[no_sync] = run_in(tmp_path / str(no_sync), recipe).best.values
    assert reached[False]["hidden"] < 0.8
    assert reached[False]["hidden_15"] < 0.75 * reached[True]["hidden_15"]


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(flock, tmp_path):
    recipe = SambaRecipe(data=flock, steps=3, ema=3, **{**SMALL, "noise": "detector"})
    run_in(tmp_path / "whole", recipe)
    asked = iter([False, True])
    run_in(tmp_path / "parts", recipe, wants_stop=lambda: next(asked))
    train(recipe, TrainingRun(out=str(tmp_path / "parts"), device="cpu", resume=True))
    whole, parts = (load_checkpoint(tmp_path / n, "samba") for n in ("whole", "parts"))
    assert all(np.array_equal(whole.weights[name], parts.weights[name]) for name in whole.weights)
    assert isinstance(
        create_motion(MotionConfig(motion=f"samba:{tmp_path / 'whole'}")), SambaMotion
    )


def test_every_sixth_sequence_measures_unless_others_are_named(flock):
    data = SambaRecipe(data=flock, **SMALL).open_data()
    assert [one.name for one in data.learned] == ["0", "1", "2", "3", "4"]
    assert [one.name for one in data.held_out] == ["5"]
    assert data.noise is None
    data = SambaRecipe(data=flock, val=flock, **{**SMALL, "noise": "detector"}).open_data()
    assert len(data.learned) == len(data.held_out) == 6
    assert data.noise is not None


def test_what_makes_no_sense_is_refused(flock, tmp_path):
    for wrong in ("60..10", "some", "3..9", ""):
        with pytest.raises(UsageError, match="--frames"):
            SambaRecipe(data=flock, frames=wrong)
    assert SambaRecipe(data=flock, frames="40").lengths == (40, 40)
    with pytest.raises(UsageError, match="--dim"):
        SambaRecipe(data=flock, dim=7)
    with pytest.raises(UsageError, match="needs trajectories"):
        SambaRecipe().open_data()
    with pytest.raises(InputError, match="has 120 frames, and clips of 500"):
        SambaRecipe(data=flock, noise="none", frames="10..500").open_data()
    write_sequence(tmp_path / "bare", draw_together(0))
    with pytest.raises(InputError, match="--noise none"):
        SambaRecipe(data=f"mot:{tmp_path}").open_data()
