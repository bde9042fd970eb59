"""A detector and an embedder, each one file and one line of a table, go through every command."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from helpers.added import detector
from helpers.added.detector import AreaDetector
from helpers.added.embedder import ColourEmbedder
from helpers.added.tables import MODELS, add_members
from helpers.added.walk import FRAMES, make_walk, words
from helpers.jobs import mot_rows, records
from mot_dinov3.commands import main
from mot_dinov3.config import DetectorConfig, EmbedderConfig, SourceConfig, TrackConfig
from mot_dinov3.errors import EXIT_MODEL, EXIT_OK, EXIT_USAGE, UsageError
from mot_dinov3.io.read.sources import open_source
from mot_dinov3.lab.recordings.store import read_recording
from mot_dinov3.runs.session import require_pixels

OUTPUTS = ("--output", "o.mp4", "--save-mot", "o.txt", "--save-jsonl", "o.jsonl", "--save-csv",
           "o.csv", "--save-embeddings", "o.npz", "--stats-json", "s.json")  # fmt: skip


@pytest.fixture(autouse=True)
def added(monkeypatch, tmp_path):
    add_members(MODELS, monkeypatch.setitem)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(AreaDetector, "built", 0)
    monkeypatch.setattr(ColourEmbedder, "built", 0)
    return make_walk(tmp_path)


def test_it_tracks_and_fills_every_output(added):
    assert main(words(added, *OUTPUTS, "--save-crops", "crops", "--report")) == EXIT_OK
    rows = mot_rows("o.txt")
    assert {1, 2} == set(rows[:, 1])
    assert len(rows) >= 2 * FRAMES - 4
    assert len(records("o.jsonl")) >= FRAMES
    assert (added / "o.mp4").stat().st_size > 0
    stats = json.loads((added / "s.json").read_text())
    assert (stats["detector"], stats["embedder"]) == ("areas, cpu", "colours, cpu")
    assert stats["embeddings"]["computed"] > 0
    with np.load(added / "o.npz") as arrays:
        assert arrays["vectors"].shape[1] == 3
    assert list((added / "crops").rglob("*.jpg"))
    assert "areas, cpu" in next(added.glob("*.html")).read_text()


def test_what_was_tracked_can_be_drawn_later(added):
    assert main(words(added, "--no-video", "--save-jsonl", "o.jsonl")) == EXIT_OK
    drawn = ["render", "--source", "walk", "--jsonl", "o.jsonl", "--output", "later.mp4"]
    assert main(drawn) == EXIT_OK
    assert (added / "later.mp4").stat().st_size > 0


def test_the_shell_completes_its_name():
    pytest.importorskip("shtab", reason="the extra [completion] is not installed")
    from mot_dinov3.commands.completion import build_script

    said = build_script("bash", "mot-dinov3")
    assert "colours" in said
    assert "mot drawn motion demo detr hf yolo areas" in said


def test_help_lists_it(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "mot, drawn, motion, demo, detr, hf, yolo or areas" in said
    assert "detector, shared, colours or none" in said


def test_a_sequence_without_images_is_refused_before_anything_is_loaded(added):
    (added / "blind").mkdir()
    (added / "blind" / "seqinfo.ini").write_text(
        "[Sequence]\nname=blind\nimDir=img1\nframeRate=30\nseqLength=3\nimWidth=64\n"
        "imHeight=48\nimExt=.jpg\n"
    )
    with open_source(SourceConfig(source="mot:blind")) as reader:
        info = reader.info
    config = TrackConfig(
        detector=DetectorConfig("areas:areas.txt"), embedder=EmbedderConfig("colours")
    )
    with pytest.raises(UsageError, match=r"--det areas:areas\.txt and --embedder colours"):
        require_pixels(config, info)
    assert AreaDetector.built == 0


def test_it_is_recorded_and_replayed_and_a_recording_knows_its_weights(added, capsys):
    command = ["cache", *words(added), "--out", "cache"]
    assert main(command) == EXIT_OK
    setup = read_recording(added / "cache" / "walk.npz").setup
    assert (setup.detector, setup.embedder) == ("areas, cpu", "colours, cpu")
    assert len(setup.detector_weights) == len(setup.embedder_weights) == 64
    assert main(command) == EXIT_OK
    assert "kept" in capsys.readouterr().out
    assert main(["replay", "--cache", "cache", "--out", "r", "--policies", "never", "always",
                 "-q"]) == EXIT_OK  # fmt: skip
    for file, what in (("colours.txt", "embedder colours, cpu"), ("areas.txt", "detector areas")):
        before = (added / file).read_text()
        (added / file).write_text(f" {before}")
        assert main(command) == EXIT_USAGE
        said = capsys.readouterr().err
        assert what in said
        assert "with other weights" in said
        (added / file).write_text(before)


@pytest.fixture
def stopped(added, monkeypatch):
    """A run that ends after eleven frames, to be resumed."""
    with monkeypatch.context() as patch:
        patch.setattr(AreaDetector, "stops_at", 11)
        assert main(words(added, *OUTPUTS)) == EXIT_MODEL
    return added


def test_it_is_resumed_to_what_an_uninterrupted_run_writes(stopped, capsys):
    assert main(words(stopped, *OUTPUTS, "--resume")) == EXIT_OK
    assert "Goes on after 11 frames" in capsys.readouterr().err
    text = (stopped / "o.txt").read_bytes()
    assert main(words(stopped, "--no-video", "--save-mot", "whole.txt")) == EXIT_OK
    assert text == (stopped / "whole.txt").read_bytes()


@pytest.mark.parametrize(
    ("file", "said"),
    [("areas.txt", "weights of the detector"), ("colours.txt", "weights of the embedder")],
)
def test_other_weights_do_not_go_on_with_a_run(stopped, capsys, file, said):
    (stopped / file).write_text(" " + (stopped / file).read_text())
    assert main(words(stopped, *OUTPUTS, "--resume")) == EXIT_USAGE
    message = capsys.readouterr().err
    assert f"other {said}" in message
    assert message.count(" weights of the ") == 1


def test_a_batch_loads_it_once(added):
    make_walk(added / "second", frames=12)
    more = ("--source", str(added / "second" / "walk"), "--no-video", "--save-mot",
            "out/{name}.txt", "--batch-json", "batch.json")  # fmt: skip
    assert main(words(added, *more)) == EXIT_OK
    assert (AreaDetector.built, ColourEmbedder.built) == (1, 1)
    assert len(mot_rows("out/walk.txt")) > len(mot_rows("out/walk-2.txt")) > 0


def test_one_that_repeats_boxes_of_one_source_is_not_shared_by_a_batch(added, monkeypatch, capsys):
    monkeypatch.setattr(detector, "AREAS", replace(detector.AREAS, stored=True))
    more = ("--source", "other", "--no-video", "--save-mot", "out/{name}.txt")
    assert main(words(added, *more)) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "belongs to one video, not to 2" in said
    assert "such as areas:{name}.txt" in said
    assert main(["cache", *words(added), "other", "--out", "cache"]) == EXIT_USAGE
    assert "belongs to one source, not to 2" in capsys.readouterr().err


def test_one_that_remembers_is_loaded_anew_for_each_video(added, monkeypatch):
    monkeypatch.setattr(AreaDetector, "has_memory", True)
    more = ("--source", str(added / "walk"), "--no-video", "--save-mot", "out/{name}.txt")
    assert main(words(added, *more)) == EXIT_OK
    assert (AreaDetector.built, ColourEmbedder.built) == (2, 1)
