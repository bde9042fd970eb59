"""Events as text: a line each, there for a reader as soon as it happened."""

from __future__ import annotations

import csv
import json

import pytest

from helpers.results import frame_at, result_at
from mot_dinov3.config import CountConfig, OutputConfig, TrackConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.outputs.sinks.events import COLUMNS, EventsSink
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import FrameResult
from mot_dinov3.values.counting import CountEvent, CountKind, FrameCounts

NAMES = {0: "person", 1: "=cmd|' /C calc'!A0"}
EVENTS = (
    CountEvent(3, 0.12, CountKind.IN, "door, west", 7, 0),
    CountEvent(3, 0.12, CountKind.LEAVE, "-yard", 8, 1, 2.50049),
    CountEvent(3, 0.12, CountKind.ENTER, "yard", 9, 5),
)


def with_events(*events) -> FrameResult:
    usual = result_at(3)
    return FrameResult(
        3, 0.12, usual.detections, usual.tracks, counted=FrameCounts(events) if events else None
    )


def write(path, *results):
    with EventsSink(str(path), NAMES, StageTimer()) as sink:
        for result in results:
            sink.write(frame_at(result.frame_index), result)


def test_a_table_has_a_header_and_a_row_for_each_event(tmp_path):
    write(tmp_path / "e.csv", with_events(), with_events(*EVENTS))
    header, *rows = list(csv.reader((tmp_path / "e.csv").read_text().splitlines()))
    assert tuple(header) == COLUMNS
    assert rows == [
        ["3", "0.12", "in", "door, west", "7", "0", "person", ""],
        ["3", "0.12", "leave", "'-yard", "8", "1", "'=cmd|' /C calc'!A0", "2.5"],
        ["3", "0.12", "enter", "yard", "9", "5", "", ""],
    ]


def test_json_has_the_same_names_and_none_for_what_is_not_known(tmp_path):
    write(tmp_path / "e.jsonl", with_events(*EVENTS))
    records = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [tuple(record) for record in records] == [COLUMNS] * 3
    assert records[0]["place"] == "door, west"
    assert (records[0]["seconds"], records[1]["seconds"], records[2]["class"]) == (None, 2.5, None)


def test_a_reader_sees_every_event_at_once(tmp_path):
    with EventsSink(str(tmp_path / "e.jsonl"), NAMES, StageTimer()) as sink:
        seen = []
        for _ in range(3):
            sink.write(frame_at(3), with_events(EVENTS[0]))
            seen.append(len(sink.partial.read_text().splitlines()))
    assert seen == [1, 2, 3]
    assert sink.partial.name == "e.partial.jsonl"


def test_without_a_line_or_a_zone_there_is_nothing_to_write():
    with pytest.raises(UsageError, match="--save-events has nothing to write"):
        EventsSink.check("e.csv", TrackConfig(output=OutputConfig(save_events="e.csv")))


def test_another_suffix_is_refused():
    counting = TrackConfig(count=CountConfig(line="a=0,0,1,1"))
    EventsSink.check("E.CSV", counting)
    with pytest.raises(UsageError, match=r"'e.txt' is not a name for a file of events"):
        EventsSink.check("e.txt", counting)
