"""Counting in a whole job: in its outputs and its facts, drawn later, resumed, and relinked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import read_back
from helpers.jobs import FRAMES, make_scene, records
from helpers.split_people import configuration, system
from mot_dinov3.commands import main
from mot_dinov3.config import CountConfig, OutputConfig, RelinkConfig
from mot_dinov3.errors import EXIT_OK, EXIT_USAGE
from mot_dinov3.outputs.report.finding import RunFiles, load_run
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.runs.jobs.redraw import redraw
from mot_dinov3.runs.resume.journal import RunJournal
from mot_dinov3.runs.resume.records import read_records

pytest.importorskip("supervision")

# Two boxes, side by side, walk right by 2 pixels a frame: their feet are at x = 20 + 2 * frame.
COUNT = ("--line", "middle=60,0,60,120", "late=70,0,70,120", "--zone",
         "right=0.35,0,0.45,0,0.45,1,0.35,1")  # fmt: skip
JOURNAL = Path(".o.mp4.journal")
OUTPUTS = ("--output", "o.mp4", "--save-events", "e.csv", "--save-jsonl", "o.jsonl",
           "--stats-json", "s.json")  # fmt: skip
TOTALS = ("identities", "lines", "zones")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def track(scene, tmp_path, monkeypatch, capsys):
    """Track the scene in an empty directory: (exit code, standard error)."""
    monkeypatch.chdir(tmp_path)
    usual = ("--source", scene / "clip.mp4", "--det", f"mot:{scene / 'det.txt'}", "--cpu",
             "--embedder", "none")  # fmt: skip

    def run(*words):
        code = main([str(word) for word in (*usual, *words)])
        return code, capsys.readouterr().err

    return run


def totals(path="s.json"):
    stats = json.loads(Path(path).read_text())
    return {name: stats[name] for name in TOTALS}


def test_a_job_counts_what_walks_by(track):
    code, err = track(*COUNT, *OUTPUTS)
    assert code == EXIT_OK, err
    found = totals()
    assert list(found["identities"].values()) == [2]
    (name,) = found["identities"]
    assert found["lines"] == {"middle": {"in": {name: 2}, "out": {}},
                              "late": {"in": {name: 2}, "out": {}}}  # fmt: skip
    zone = found["zones"]["right"]
    assert (zone["entered"], zone["left"], zone["most"]) == ({name: 2}, {name: 2}, 2)
    # Inside from x = 56 to x = 72: 9 frames, 8 steps between them.
    assert set(zone["seconds"][name]) == {"1", "2"}
    assert list(zone["seconds"][name].values()) == pytest.approx([8 / 25] * 2, abs=0.002)
    assert "count" in json.loads(Path("s.json").read_text())["stages"]
    assert "line         middle: in 2, out 0 (in: " in err
    assert "zone         right: 2 entered" in err
    rows = Path("e.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 + 2 + 2 * 2
    assert [int(row.split(",")[0]) for row in rows[1:]] == sorted(
        int(row.split(",")[0]) for row in rows[1:]
    )


def test_identities_are_counted_without_any_line(track):
    code, _ = track("--no-video", "--stats-json", "s.json")
    assert code == EXIT_OK
    stats = json.loads(Path("s.json").read_text())
    assert list(stats["identities"].values()) == [2]
    assert "lines" not in stats
    assert "zones" not in stats


def test_a_video_that_is_drawn_later_has_the_same_counts(track, scene, capsys):
    assert track(*COUNT, *OUTPUTS)[0] == EXIT_OK
    words = ["render", "--jsonl", "o.jsonl", "--source", str(scene / "clip.mp4"), *COUNT]
    assert main([*words, "--output", "again.mp4", "--save-events", "again.csv"]) == EXIT_OK
    assert Path("again.csv").read_text() == Path("e.csv").read_text()
    first, again = read_back(Path("o.mp4")), read_back(Path("again.mp4"))
    assert len(first) == FRAMES
    for (_, one), (_, other) in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    plain = [word for word in words if word not in COUNT]
    assert main([*plain, "--output", "plain.mp4"]) == EXIT_OK
    (_, one), (_, other) = first[0], read_back(Path("plain.mp4"))[0]
    assert (one != other).any()
    capsys.readouterr()


@pytest.mark.parametrize("frames", [1, 20, 25])
def test_a_resumed_run_has_the_totals_of_an_uninterrupted_one(track, monkeypatch, frames):
    with monkeypatch.context() as patch:
        patch.setattr(RunJournal, "finish", lambda *args, **more: None)
        assert track(*COUNT, *OUTPUTS)[0] == EXIT_OK
    whole, events = totals(), Path("e.csv").read_text()
    for path in ("o.mp4", "e.csv", "o.jsonl", "s.json"):
        Path(path).unlink()
    ends = [record.end for record in read_records(JOURNAL) if record.kind == b"F"]
    JOURNAL.write_bytes(JOURNAL.read_bytes()[: ends[frames - 1] + 5])
    code, err = track(*COUNT, *OUTPUTS, "--resume")
    assert code == EXIT_OK, err
    assert f"({frames} of them from the journal)" in err
    assert totals() == whole
    assert Path("e.csv").read_text() == events


def test_a_report_counts_again_what_the_frame_log_holds(track):
    assert track(*COUNT, *OUTPUTS)[0] == EXIT_OK
    run = load_run(RunFiles(Path("o.jsonl"), Path("s.json")))
    assert [column[-1] for column in run.counts.crossings["middle"]] == [2, 0]
    assert max(run.counts.inside["right"]) == 2
    assert len(run.counts) == FRAMES


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--line", "a=0,0,161,5"), "--line 'a' has the point 161,5, which is outside"),
        (("--zone", "z=5,5,9,5,9,500"), "outside the picture of 160 x 120 pixels"),
        (("--save-events", "e.csv"), "--save-events does nothing without --line"),
        ((*COUNT, "--save-events", "e.txt"), "End it in .csv or .jsonl."),
        (("--line", "a=1,2,3"), "--line 'a' needs 4 numbers, got 3"),
    ],
)
def test_what_cannot_be_counted_is_refused_before_anything_is_written(track, words, said):
    code, err = track("--no-video", "--save-mot", "o.txt", *words)
    assert code == EXIT_USAGE
    assert said in err
    assert len(err.strip().splitlines()) == 2
    assert not list(Path().glob("o*"))


def test_a_list_of_videos_tells_the_counts_of_each(track, scene):
    code, err = track("--batch-json", "all.json", *COUNT, "--no-video", "--save-mot", "{name}.txt")
    assert code == EXIT_OK, err
    (video,) = json.loads(Path("all.json").read_text())["videos"]
    assert list(video["identities"].values()) == [2]
    assert sum(video["lines"]["middle"]["in"].values()) == 2
    assert video["zones"]["right"]["most"] == 2


def counting(config):
    """The configuration with a line that all people cross, and a zone that they never leave."""
    count = CountConfig(line="middle=80,0,80,240", zone="all=0,0,1,0,1,1,0,1", after=1)
    return replace(config, count=count)


@pytest.mark.parametrize("log", ["o.jsonl", ""])
def test_identities_that_are_merged_are_counted_as_one_everywhere(tmp_path, log):
    """Person 0 is lost for 7 frames and comes back as 7, who is merged into 1."""
    names = {"save_events": str(tmp_path / "e.jsonl"), "save_jsonl": log and str(tmp_path / log)}
    config = counting(configuration(tmp_path, relink=True, **names))
    facts = run_job(config, system()).facts
    assert [(merge.old, merge.new) for merge in facts.merges] == [(7, 1), (8, 4)]
    (name,) = facts.identities
    assert facts.identities == {name: 6}
    assert set(facts.zones["all"].seconds[name]) == {"1", "2", "3", "4", "5", "6"}
    events = records(tmp_path / "e.jsonl")
    assert {event["id"] for event in events} == {1, 2, 3, 4, 5, 6}
    crossed = [event["id"] for event in events if event["event"] == "in"]
    assert sorted(crossed) == [1, 2, 3, 4, 5, 6]
    assert sum(facts.lines["middle"]["in"].values()) == 6
    if log:
        again = OutputConfig(no_video=True, save_events=str(tmp_path / "again.jsonl"))
        redraw(replace(config, output=again, relink=RelinkConfig()), tmp_path / log)
        assert records(tmp_path / "again.jsonl") == events


def test_merged_identities_are_counted_again_where_nothing_is_drawn(tmp_path):
    config = counting(configuration(tmp_path, relink=True))
    output = OutputConfig(no_video=True, save_mot=str(tmp_path / "o.txt"))
    facts = run_job(replace(config, output=output), system()).facts
    assert len(facts.merges) == 2
    (seconds,) = facts.zones["all"].seconds.values()
    assert set(seconds) == {"1", "2", "3", "4", "5", "6"}
