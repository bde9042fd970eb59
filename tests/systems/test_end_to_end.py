"""The end-to-end tracker through the one door: all outputs, a resumed run, a batch, the library."""

from __future__ import annotations

import json

import numpy as np
import pytest

import mot_dinov3
from helpers.clips import read_back
from helpers.jobs import make_scene, mot_rows, records
from helpers.motr_runs import train_tracker, write_films
from mot_dinov3.commands import main
from mot_dinov3.config import DetectorConfig
from mot_dinov3.errors import EXIT_MODEL, EXIT_OK, EXIT_USAGE
from mot_dinov3.io.checkpoint import CheckpointConfig, ModelCheckpoint, save_checkpoint
from mot_dinov3.systems.end_to_end import EndToEnd, choose_scores

FRAMES = 12
OUTPUTS = ("--output", "o.mp4", "--save-mot", "o.txt", "--save-jsonl", "o.jsonl",
           "--stats-json", "s.json", "--report", "r.html")  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network of one step, which is sure of nothing."""
    folder = tmp_path_factory.mktemp("motr")
    train_tracker(folder / "run", write_films(folder / "films"))
    return folder / "run"


@pytest.fixture(autouse=True)
def clip(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return make_scene(tmp_path, FRAMES)


def words(model, *more, source="clip.mp4"):
    """Arguments of a run that takes everything for an object, as far as it overlaps no other."""
    low = ("--conf", "0", "--low-conf", "0", "--birth-iou", "0.2")
    return ["--source", source, "--tracker", "samba-motr", "--model", str(model), "--cpu",
            *low, *more]  # fmt: skip


def test_it_fills_every_output_and_embeds_nothing(model, clip, capsys):
    assert main(words(model, *OUTPUTS)) == EXIT_OK
    said = capsys.readouterr().err
    assert "embeddings   none" in said
    rows, lines = mot_rows("o.txt"), records("o.jsonl")
    assert set(rows[:, 0]) == set(range(1, FRAMES + 1))
    assert [len(line["tracks"]) > 0 for line in lines] == [True] * FRAMES
    assert lines[0]["tracks"][0]["class"] == "pedestrian"
    assert len(read_back(clip / "o.mp4")) == FRAMES
    stats = json.loads((clip / "s.json").read_text())
    assert stats["tracks"]["born"] == stats["tracks"]["confirmed"] == rows[:, 1].max()
    assert "samba" in (clip / "r.html").read_text()


def test_a_run_that_was_stopped_goes_on(model, clip, monkeypatch, capsys):
    step = EndToEnd.step

    def stop(self, frame):
        if frame.index == 7:
            raise mot_dinov3.MotError("stopped")
        return step(self, frame)

    with monkeypatch.context() as patch:
        patch.setattr(EndToEnd, "step", stop)
        assert main(words(model, "--no-video", "--save-mot", "o.txt")) != EXIT_OK
    assert main(words(model, "--no-video", "--save-mot", "o.txt", "--resume")) == EXIT_OK
    assert "Goes on after 7 frames" in capsys.readouterr().err
    assert main(words(model, "--no-video", "--save-mot", "whole.txt")) == EXIT_OK
    assert (clip / "o.txt").read_bytes() == (clip / "whole.txt").read_bytes()


def test_a_batch_forgets_one_clip_before_the_next(model, clip):
    (clip / "second.mp4").write_bytes((clip / "clip.mp4").read_bytes())
    more = ("second.mp4", "--no-video", "--save-mot", "out/{name}.txt")
    assert main(words(model, "--source", "clip.mp4", *more)) == EXIT_OK
    first, second = (mot_rows(clip / "out" / f"{name}.txt") for name in ("clip", "second"))
    np.testing.assert_array_equal(first, second)


def test_the_library_tracks_with_it(model, clip):
    settings = {"conf": 0.0, "low_conf": 0.0, "birth_iou": 0.2, "device": "cpu"}
    found = list(mot_dinov3.track("clip.mp4", tracker="samba-motr", model=str(model), **settings))
    assert len(found) == FRAMES
    assert all(len(one.tracks) for one in found)


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--tracker", "samba-motr"], EXIT_USAGE, "--model is missing"),
        (["--model", "run"], EXIT_USAGE, "--model does nothing with --system modular"),
        (["--tracker", "samba-motr", "--model", "no"], EXIT_MODEL, "'no' is not a checkpoint"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_sentence(clip, capsys, more, code, said):
    assert main(["--source", "clip.mp4", "--no-video", *more]) == code
    assert said in capsys.readouterr().err


def test_a_checkpoint_of_another_kind_is_refused(clip, capsys):
    weights = {"weight": np.zeros(1, np.float32)}
    save_checkpoint(clip / "detr", ModelCheckpoint(CheckpointConfig("detr"), weights, {}))
    assert main(words("detr", "--no-video")) == EXIT_MODEL
    assert "is of kind 'detr', and one of kind 'motr' is needed" in capsys.readouterr().err


def test_a_class_that_it_does_not_know_is_refused(model, capsys):
    assert main(words(model, "--no-video", "--classes", "cow")) == EXIT_USAGE
    assert "no class 'cow'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "stored", "used"),
    [
        ((0.5, 0.5), {"birth": 0.4, "keep": 0.3}, (0.4, 0.3)),
        ((0.5, 0.5), {}, (0.5, 0.5)),
        ((0.5, 0.2), {"birth": 0.4, "keep": 0.3}, (0.5, 0.2)),
        ((0.6, 0.5), {"birth": 0.4, "keep": 0.3}, (0.6, 0.5)),
    ],
)
def test_a_checkpoint_says_at_which_scores_it_tracks_best(given, stored, used):
    assert choose_scores(DetectorConfig(conf=given[0], low_conf=given[1]), stored) == used
