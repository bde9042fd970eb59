"""The reader of frame logs, for any lines and any cut."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from mot_dinov3.config import TrackerConfig
from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.frame_log import FrameLog
from mot_dinov3.io.formats.records import BadRecordError, FrameRecord, parse_record
from mot_dinov3.lab.selftest.properties.base import holds_for
from mot_dinov3.lab.selftest.properties.machine import detections, frame_of
from mot_dinov3.lab.selftest.properties.mot_text import expect_words
from mot_dinov3.outputs.sinks.jsonl import describe_frame
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import FrameResult

NAMES = {0: "person", 1: "car", 2: 'a "b" \u00e9\\'}
FRAME_S = 1 / 30
odd_values: SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        1.5,
        1e400,
        -1e400,
        float("nan"),
        10**30,
        2**63,
        "",
        "x",
        [],
        {},
        [[]],
        {"a": None},
        "\ud800",
        "lost",
        [1, 2],
        [None] * 4,
    ]
).map(deepcopy)
"""A new value each time: damage may strike twice, in what it left before."""


def track_film(seen: list[list[tuple[float, ...]]], first: int = 0) -> list[dict[str, Any]]:
    """Track a film of a few frames and write its frame log; returns the records."""
    tracker, out = Tracker(TrackerConfig(), 0.3), []
    for index, rows in enumerate(seen, first):
        found, embeddings = frame_of(rows)
        view = tracker.predict(index * FRAME_S, found)
        tracks = tracker.update(tracker.compare(found, view), embeddings, view)
        result = FrameResult(index, index * FRAME_S, found, tracks, stage_ms={"read": 0.5})
        record = describe_frame(result, NAMES, result.stage_ms)
        record |= {"latency_ms": 1.0, "size": [640, 480], "fps": 9.5, "looks": []}
        out.append(record)
    return out


films = st.lists(detections, min_size=1, max_size=4).map(track_film)


@st.composite
def damaged_lines(draw: DrawFn) -> bytes:
    """A true line in which some values became others, keys went, or bytes changed."""
    record = draw(films)[-1]
    for _ in range(draw(st.integers(0, 3))):
        damage(draw, record)
    text = json.dumps(record).replace("Infinity", "1e400")
    line = bytearray(text.encode("utf-8", "surrogatepass"))
    for place in draw(st.lists(st.integers(0, len(line) - 1), max_size=2)):
        line[place] = draw(st.integers(0, 255))
    return bytes(line)


def damage(draw: DrawFn, record: dict[str, Any]) -> None:
    """Change or remove one value, somewhere in the record."""
    where: Any = record
    while True:
        keys = sorted(where) if isinstance(where, dict) else list(range(len(where)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        inside = where[key]
        if isinstance(inside, dict | list) and inside and draw(st.booleans()):
            where = inside
            continue
        if isinstance(where, dict) and draw(st.integers(0, 4)) == 0:
            del where[key]
        else:
            where[key] = draw(odd_values)
        return


@holds_for(damaged_lines() | st.binary(max_size=40))
def any_line_is_read_or_refused(line: bytes) -> None:
    """A line becomes a frame whose values are sound, or is refused with a reason."""
    try:
        record = parse_record(line)
    except BadRecordError:
        return
    tracks = record.result.tracks
    assert len(np.unique(tracks.id)) == len(tracks)
    assert (tracks.detection < len(record.result.detections)).all()
    assert not np.isinf(tracks.xyxy).any()
    again = describe_frame(record.result, record.names, record.result.stage_ms)
    # What was read can be written and read once more, and is the same then.
    back = parse_record(json.dumps(again, allow_nan=False).encode())
    np.testing.assert_array_equal(back.result.tracks.xyxy, tracks.xyxy)
    np.testing.assert_array_equal(back.result.tracks.id, tracks.id)
    np.testing.assert_array_equal(back.result.tracks.provisional, tracks.provisional)
    assert back.result.embed == record.result.embed


@holds_for(films, st.floats(0, 1), st.booleans())
def a_frame_log_cut_anywhere_is_read_to_the_cut(
    records: list[dict[str, Any]], share: float, newline: bool
) -> None:
    """All whole lines come back; half a line at the end is passed over and said."""
    lines = [json.dumps(record).encode() + b"\n" for record in records]
    data = b"".join(lines)
    place = round(share * len(data))
    whole = sum(len(b"".join(lines[: n + 1])) <= place for n in range(len(lines)))
    torn = place - len(b"".join(lines[:whole]))
    # A line without its line break is whole when nothing else of it is missing.
    unbroken = torn > 0 and torn == len(lines[whole]) - 1
    with TemporaryDirectory(prefix="mot-selftest-") as directory:
        path = Path(directory) / "in.jsonl"
        path.write_bytes(data[:place] + b"\n" * newline)
        log = FrameLog(path)
        try:
            found: list[FrameRecord] | None = list(log)
        except InputError as error:
            expect_words(error, path)
            found = None
    if found is None:
        assert newline
        assert not unbroken
        return
    complete = whole + unbroken
    assert len(found) == complete
    assert [record.result.frame_index for record in found] == list(range(complete))
    assert log.cut == (torn > 0 and not unbroken)
    for record, wrote in zip(found, records, strict=False):
        assert [round(float(v), 3) for v in record.result.tracks.score] == [
            round(track["score"], 3) for track in wrote["tracks"]
        ]
