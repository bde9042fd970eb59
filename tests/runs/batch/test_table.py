"""The table of a batch, for people and for programs."""

from __future__ import annotations

import csv
import io
import json

from mot_dinov3.runs.batch.base import TaskOutcome
from mot_dinov3.runs.batch.table import BatchEnd, format_table, to_csv, to_json

END = BatchEnd(
    [
        TaskOutcome("walk", "clips/walk.mp4", frames=300, fps=45.23, tracks=7, crops=41,
                written=("outputs/walk/tracked.mp4",)),
        TaskOutcome("bad", "bad.mp4", 3, "'bad.mp4' is empty.", "Copy it again."),
        TaskOutcome("x" * 60, "x" * 60 + "end.mp4", 130, "not begun", begun=False),
    ],
    130,
    10.0,
    "workers",
)  # fmt: skip


def test_a_line_a_video_and_one_for_all():
    head, walk, bad, unbegun, total = format_table(END).splitlines()
    assert head.split() == ["source", "frames", "FPS", "tracks", "crops", "exit", "reason"]
    assert walk.split() == ["clips/walk.mp4", "300", "45.2", "7", "41", "0"]
    assert bad.split(maxsplit=6)[:6] == ["bad.mp4", "0", "0.0", "0", "0", "3"]
    assert bad.endswith("'bad.mp4' is empty.")
    assert unbegun.startswith("...xxx")
    assert unbegun.split()[5] == "-"
    assert total == "1 of 3 videos without a problem: 300 frames in 10.0 s, 30.0 FPS in all"
    assert len({line.index(word) for line, word in ((head, "reason"), (bad, "'bad"))}) == 1


def test_a_batch_of_one_video_with_one_frame():
    end = BatchEnd([TaskOutcome("a.mp4", "a.mp4", 0, frames=1)], 0, 1.0, "serial")
    total = format_table(end).splitlines()[-1]
    assert total == "1 of 1 video without a problem: 1 frame in 1.0 s, 1.0 FPS in all"


def test_programs_read_the_same():
    figures = json.loads(to_json(END))
    assert (figures["exit_code"], figures["crew"], figures["frames"]) == (130, "workers", 300)
    walk, bad, unbegun = figures["videos"]
    assert (walk["name"], walk["written"]) == ("walk", ["outputs/walk/tracked.mp4"])
    assert (bad["exit_code"], bad["fix"]) == (3, "Copy it again.")
    assert unbegun["exit_code"] is None


def test_a_spreadsheet_has_a_column_for_all_that_was_counted():
    gate = {"in": {"person": 3, "car": 1}, "out": {}}
    yard = {"entered": {"person": 2}, "left": {"person": 1}, "most": 2, "seconds": {}}
    counted = TaskOutcome(
        "=gate", "gate.mp4", frames=9, identities={"person": 4, "car": 1},
        lines={"door": gate}, zones={"yard": yard},
    )  # fmt: skip
    end = BatchEnd([counted, *END.outcomes], 0, 1.0, "serial")
    rows = list(csv.DictReader(io.StringIO(to_csv(end))))
    assert [row["name"] for row in rows[:3]] == ["'=gate", "walk", "bad"]
    first, walk, bad, unbegun = rows
    assert (first["identities person"], first["identities car"]) == ("4", "1")
    assert (first["line door in"], first["line door out"]) == ("4", "0")
    assert (first["zone yard entered"], first["zone yard left"]) == ("2", "1")
    assert (walk["fps"], walk["tracks"], walk["identities person"]) == ("45.23", "7", "0")
    assert (bad["exit_code"], bad["reason"]) == ("3", "'bad.mp4' is empty.")
    assert unbegun["exit_code"] == ""


def test_no_secret_gets_into_the_file():
    secret = "rtsp://me:hunter2@cam/1 needs hf_abcdefgh"
    end = BatchEnd([TaskOutcome("cam", "cam", 3, secret, secret)], 3, 0.0, "serial")
    assert "hunter2" not in to_json(end)
    assert "hf_abc" not in to_json(end)
    assert "hunter2" not in to_csv(end)
    assert format_table(end).endswith("0 frames in 0.0 s, 0.0 FPS in all")
