"""After the run: all outputs speak of the same people, or all keep what they said before."""

from __future__ import annotations

import csv
import json
import os
import signal
from dataclasses import asdict, replace
from xml.etree import ElementTree

import numpy as np
import pytest

from helpers.added.sink import LINE
from helpers.clips import read_back
from helpers.jobs import mot_rows, records
from helpers.split_people import FILES, FRAMES, PEOPLE, configuration, system, tracked
from mot_dinov3.config import OutputConfig, SchedulerConfig, TrackConfig
from mot_dinov3.errors import EXIT_OK, EXIT_SIGINT, InputError, UsageError
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.outputs.sinks.factory import SINKS
from mot_dinov3.outputs.summary import format_summary
from mot_dinov3.runs.jobs import redraw as redrawing
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.runs.jobs.outputs import check_outputs
from mot_dinov3.runs.jobs.relinking import Relinker
from mot_dinov3.values.run_facts import RunFacts

EVERYONE_ONCE = set(range(1, PEOPLE + 1))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same run without and with relinking: two directories and two sets of facts."""
    out = []
    for name in ("plain", "merged"):
        place = tmp_path_factory.mktemp(name)
        out.append((place, tracked(place, relink=name == "merged").facts))
    return out


def identities(place):
    """Output -> the identities in it."""
    with (place / "o.csv").open(newline="") as file:
        table = {int(row["id"]) for row in csv.DictReader(file)}
    lines = records(place / "o.jsonl")
    with np.load(place / "o.npz") as archive:
        embedded = set(archive["id"].tolist())
    coco = json.loads((place / "o.coco.json").read_text())["annotations"]
    cvat = ElementTree.parse(place / "o.xml").getroot().iter("track")
    found = {
        "coco": {one["instance_id"] for one in coco},
        "cvat": {int(one.attrib["id"]) for one in cvat},
        "mot": set(mot_rows(place / "o.txt")[:, 1].astype(int)),
        "jsonl": {track["id"] for line in lines for track in line["tracks"]},
        "looks": {look["id"] for line in lines for look in line["looks"]},
        "csv": table,
        "trace": {line["track"] for line in records(place / "o.trace")},
        "npz": embedded,
        "crops": {int(folder.name) for folder in (place / "crops").iterdir()},
    }
    return {name: {i for i in ids if i > 0} for name, ids in found.items()}


def test_two_were_split_and_all_outputs_agree_that_they_are_one(both):
    (plain, _), (merged, facts) = both
    assert identities(plain)["mot"] == EVERYONE_ONCE | {7, 8}
    assert all(found == EVERYONE_ONCE for found in identities(merged).values()), identities(merged)
    assert [(m.old, m.new, m.after) for m in facts.merges] == [(7, 1, 1), (8, 4, 4)]
    assert [m.gap_s for m in facts.merges] == pytest.approx([7 / 25, 21 / 25])
    assert json.loads((merged / "o.json").read_text())["relinked"] == [
        asdict(m) for m in facts.merges
    ]


def test_nothing_but_identities_changes(both):
    (plain, _), (merged, _) = both
    new_of = {7: 1, 8: 4}
    before, after = mot_rows(plain / "o.txt"), mot_rows(merged / "o.txt")
    before[:, 1] = [new_of.get(int(number), number) for number in before[:, 1]]
    np.testing.assert_array_equal(before, after)
    with np.load(plain / "o.npz") as old, np.load(merged / "o.npz") as new:
        assert old.files == new.files
        for name in set(old.files) - {"id"}:
            np.testing.assert_array_equal(old[name], new[name])
        assert new["id"].tolist() == [new_of.get(n, n) for n in old["id"].tolist()]


def test_nobody_is_twice_in_a_frame(both):
    """The track that is continued is still predicted when the other begins: one of them goes."""
    (plain, _), (merged, _) = both
    together = [line["frame"] for line in records(plain / "o.jsonl")
                if {1, 7} <= {track["id"] for track in line["tracks"]}]  # fmt: skip
    assert together
    for line in records(merged / "o.jsonl"):
        assert len({track["id"] for track in line["tracks"]}) == len(line["tracks"])
        (first,) = [track for track in line["tracks"] if track["id"] == 1]
        if line["frame"] in together:
            assert first["detection"] is not None
    assert sum(1 for _ in FrameLog(merged / "o.jsonl")) == FRAMES
    with (merged / "o.csv").open(newline="") as file:
        rows = [(row["frame"], row["id"]) for row in csv.DictReader(file)]
    assert len(set(rows)) == len(rows)


def test_the_video_is_drawn_with_the_new_numbers(both):
    (plain, _), (merged, _) = both
    before, after = read_back(plain / "o.mp4"), read_back(merged / "o.mp4")
    assert len(before) == len(after) == FRAMES
    pairs = zip(before, after, strict=True)
    different = [np.abs(a.astype(int) - b.astype(int)).max() for (_, a), (_, b) in pairs]
    assert max(different[:12]) < 40
    assert min(different[20:]) > 80


def test_nothing_is_left_beside_the_outputs(both):
    (plain, _), (merged, _) = both
    assert {path.name for path in plain.iterdir()} == {path.name for path in merged.iterdir()}


def test_the_summary_says_who_was_merged(both):
    _, (_, facts) = both
    text = format_summary(facts)
    assert "2 identities merged into others in" in text
    assert "7 is 1: similarity" in text
    assert "relinked" not in format_summary(both[0][1])
    many = replace(facts, merges=facts.merges * 30)
    assert "and 40 more" in format_summary(many)


def test_a_video_alone_is_drawn_again_from_a_journal_of_our_own(tmp_path, both):
    none = {name for name in FILES if name.startswith("save_")}
    result = tracked(tmp_path, **dict.fromkeys(none, ""))
    assert len(result.facts.merges) == 2
    frames = read_back(tmp_path / "o.mp4"), read_back(both[1][0] / "o.mp4")
    for (_, one), (_, other) in zip(*frames, strict=True):
        np.testing.assert_array_equal(one, other)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "o.mp4", "o.json"}


def test_an_output_that_was_added_to_the_table_is_written_again_too(tmp_path, monkeypatch):
    monkeypatch.setitem(SINKS.table, "ids", LINE)
    tracked(tmp_path, no_video=True, save=f"ids={tmp_path / 'o.ids'}")
    lines = (tmp_path / "o.ids").read_text().splitlines()
    assert len(lines) == FRAMES
    given = {int(word) for line in lines for word in line.split()}
    assert {i for i in given if i > 0} == EVERYONE_ONCE


def test_without_a_video_nothing_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(redrawing, "redraw", None)
    result = tracked(tmp_path, no_video=True)
    assert len(result.facts.merges) == 2
    assert identities(tmp_path)["mot"] == EVERYONE_ONCE


def test_who_is_not_like_enough_stays_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(redrawing, "redraw", None)
    config = configuration(tmp_path)
    strict = replace(config, relink=replace(config.relink, similarity=1.0))
    result = run_job(strict, system())
    assert result.facts.merges == ()
    assert identities(tmp_path)["mot"] == EVERYONE_ONCE | {7, 8}


def test_a_drawing_that_fails_leaves_every_output_as_it_was(tmp_path, monkeypatch):
    def fail(*_):
        raise InputError("'clip.mp4' is gone.", fix="Look for it.")

    monkeypatch.setattr(redrawing, "redraw", fail)
    with pytest.raises(InputError, match="is gone"):
        tracked(tmp_path)
    assert identities(tmp_path)["mot"] == EVERYONE_ONCE | {7, 8}
    assert json.loads((tmp_path / "o.json").read_text())["relinked"] == []
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


def test_ctrl_c_while_drawing_leaves_every_output_as_it_was(tmp_path, monkeypatch):
    draw = redrawing.redraw

    def press(config, journal, observer):
        monkeypatch.setattr(
            redrawing, "read_first", lambda frames: pressed(redrawing.chain(frames))
        )
        return draw(config, journal, observer)

    def pressed(frames):
        for number, frame in enumerate(frames):
            if number == 9:
                os.kill(os.getpid(), signal.SIGINT)
            yield frame

    monkeypatch.setattr(redrawing, "redraw", press)
    result = tracked(tmp_path)
    assert result.exit_code == EXIT_SIGINT
    assert result.facts.merges == ()
    assert identities(tmp_path)["jsonl"] == EVERYONE_ONCE | {7, 8}
    assert len(read_back(tmp_path / "o.mp4")) == FRAMES
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


def test_a_run_that_is_interrupted_is_not_relinked(tmp_path, monkeypatch):
    class Presser:
        def watch(self, total):
            from contextlib import nullcontext

            return nullcontext(self.on_frame)

        def on_frame(self, result, statistics):
            if statistics.frames == 40:
                os.kill(os.getpid(), signal.SIGINT)

        def on_page(self, url):
            pass

        def on_summary(self, facts):
            pass

    monkeypatch.setattr(redrawing, "redraw", None)
    result = tracked(tmp_path, observer=Presser())
    assert result.exit_code == EXIT_SIGINT
    assert 7 in identities(tmp_path)["mot"]


def test_outputs_that_cannot_be_written_again_are_named(tmp_path, caplog):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with caplog.at_level("INFO", logger="mot_dinov3"):
            result = tracked(tmp_path, save_mot=str(pipe))
    finally:
        os.close(reader)
    assert result.exit_code == EXIT_OK
    assert f"keep the first identities: {pipe}" in caplog.text
    assert {i for i in identities_of_journal(tmp_path) if i > 0} == EVERYONE_ONCE


def identities_of_journal(place):
    return {track["id"] for line in records(place / "o.jsonl") for track in line["tracks"]}


def test_a_report_shows_the_merged_as_one(tmp_path):
    pytest.importorskip("plotly", reason="the extra [report] is not installed")
    tracked(tmp_path, report=str(tmp_path / "r.html"), save_jsonl="")
    merged = (tmp_path / "r.html").read_text(encoding="utf-8")
    (tmp_path / "plain").mkdir()
    tracked(tmp_path / "plain", relink=False, report=str(tmp_path / "plain" / "r.html"))
    plain = (tmp_path / "plain" / "r.html").read_text(encoding="utf-8")
    assert merged.count('class="identity"') + 2 == plain.count('class="identity"')


@pytest.mark.parametrize("policy", ["never", "value"])
def test_nobody_is_known_by_looks_without_embeddings(policy):
    config = configuration_without_looks(policy)
    with pytest.raises(UsageError, match="--relink compares the appearance"):
        check_outputs(config, None)
    check_outputs(replace(config, relink=replace(config.relink, relink=False)), None)


def configuration_without_looks(policy):
    config = TrackConfig(scheduler=SchedulerConfig(policy), output=OutputConfig(no_video=True))
    if policy != "never":
        config = replace(config, embedder=replace(config.embedder, embedder="none"))
    return replace(config, relink=replace(config.relink, relink=True))


def test_who_does_not_want_it_pays_nothing(tmp_path):
    relinker = Relinker(configuration(tmp_path, relink=False), None, None, [])
    assert relinker.sinks == []
    assert relinker.relink(RunFacts(), None, None, None, []) == RunFacts()
