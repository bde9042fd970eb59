"""The CSV: stable columns, one row a track a frame, and no name that calculates."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from helpers.results import Seen, frame_at, result_at
from mot_dinov3.errors import OutputError
from mot_dinov3.outputs.sinks.csv_table import CsvSink, make_harmless
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Detections, FrameResult, Tracks, TrackState

HEADER = "frame,time_s,id,class_id,class,state,seen,embedded,x1,y1,x2,y2,score"
WALKER = Seen(7, (10.126, -20, 30, 40.5), 0.87654)
LOST = Seen(9, (1, 2, 3, 4), 0.5, 5, TrackState.LOST, fresh=False, seen=False)


def written(path, names, *results):
    with CsvSink(str(path), names, StageTimer()) as sink:
        for result in results:
            sink.write(frame_at(result.frame_index), result)
    return path.read_text(encoding="utf-8")


def test_a_row_tells_everything_of_a_track_in_a_frame(tmp_path):
    text = written(tmp_path / "a.csv", {0: "person"}, result_at(3, WALKER, LOST), result_at(4))
    assert text.splitlines() == [
        HEADER,
        "3,0.12,7,0,person,confirmed,1,1,10.13,-20.0,30.0,40.5,0.8765",
        "3,0.12,9,5,,lost,0,0,1.0,2.0,3.0,4.0,0.5",
        "4,0.16,1,0,person,confirmed,1,1,10.0,20.0,30.0,40.0,0.75",
    ]


def test_a_run_without_anybody_leaves_a_header(tmp_path):
    assert written(
        tmp_path / "a.csv", {}, FrameResult(0, 0.0, Detections.empty(), Tracks.empty())
    ) == (HEADER + "\n")


def test_what_is_not_finite_is_an_empty_cell(tmp_path):
    odd = Seen(box=(np.nan, np.inf, 3, 4), score=np.nan)
    assert written(tmp_path / "a.csv", {}, result_at(0, odd)).endswith(",1,1,,,3.0,4.0,\n")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("person", "person"),
        ("t-shirt, red", "t-shirt, red"),
        ('say "cheese"', 'say "cheese"'),
        ("人", "人"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum(A1)", "'@sum(A1)"),
        ("\t=1", " '=1"),
        ("\r\n=1", "  '=1"),
        ("\uff1d1", "'\uff1d1"),  # a wide equals sign
        ("cat;=1", "cat;'=1"),
        ("cat,=1", "cat,'=1"),
        ('cat"=1', "cat\"'=1"),
        ("two\nlines\u2028three", "two lines three"),
        ("half \ud800", "half  "),
        ("nul\0", "nul "),
    ],
)
def test_names_neither_calculate_nor_break_rows(tmp_path, name, shown):
    assert make_harmless(name) == shown
    written(tmp_path / "a.csv", {0: name}, result_at(0))
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert [len(row) for row in rows] == [13, 13]
    assert rows[1][4] == shown


def test_rows_are_there_as_soon_as_they_are_written(tmp_path):
    with CsvSink(str(tmp_path / "a.csv"), {}, StageTimer()) as sink:
        assert (tmp_path / "a.partial.csv").read_text() == HEADER + "\n"
        for index in range(3):
            sink.write(frame_at(index), result_at(index))
            assert len((tmp_path / "a.partial.csv").read_text().splitlines()) == index + 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_full_disk_is_an_output_error():
    with pytest.raises(OutputError, match="No space"), CsvSink("/dev/full", {}, StageTimer()):
        pass
