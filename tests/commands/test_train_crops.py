from __future__ import annotations

import pytest

from mot_dinov3.commands import crops
from mot_dinov3.commands.train_crops import prepare_crops
from mot_dinov3.errors import UsageError
from mot_dinov3.training.recipes.reid.recipe import ReidRecipe


@pytest.fixture
def asked(monkeypatch):
    """The command lines that `crops` would have run."""
    found = []
    monkeypatch.setattr(crops, "run", found.append)
    return found


def build(path, **others):
    return ReidRecipe(continual=True, unlabeled=str(path), **others)


def test_a_folder_is_learned_from_as_it_is(tmp_path, asked):
    recipe = build(tmp_path)
    assert prepare_crops(recipe, "runs/own") is recipe
    assert not asked


def test_a_video_becomes_a_folder_of_tracklets_beside_the_run(tmp_path, asked):
    video, out = tmp_path / "street.mp4", str(tmp_path / "own")
    video.write_bytes(b"x")
    recipe = prepare_crops(build(video), out + "/")
    assert (recipe.unlabeled, recipe.tracklets) == (out + "-crops", True)
    assert asked[0].source == [str(video)]
    assert str(asked[0].out) == out + "-crops"


def test_crops_that_are_there_are_not_made_again(tmp_path, asked):
    (tmp_path / "own-crops").mkdir()
    video = tmp_path / "street.mp4"
    video.write_bytes(b"x")
    assert prepare_crops(build(video), str(tmp_path / "own")).tracklets
    assert not asked


def test_a_frame_log_needs_its_video(tmp_path, asked):
    log = tmp_path / "run.jsonl"
    log.write_text("{}")
    with pytest.raises(UsageError, match="does not name its video"):
        prepare_crops(build(log), str(tmp_path / "own"))
    prepare_crops(build(log, source="street.mp4"), str(tmp_path / "own"))
    assert (asked[0].jsonl, asked[0].source) == ([log], ["street.mp4"])
