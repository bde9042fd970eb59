"""Journals: what a run wrote comes back exactly, damage is one sentence with its line."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mot_dinov3.errors import InputError
from mot_dinov3.io.formats.frame_log import MOST_LINE_BYTES, FrameLog, read_results
from mot_dinov3.io.formats.records import BadRecordError, TornRecordError, parse_record
from mot_dinov3.outputs.sinks.jsonl import JsonLinesSink
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import (
    Appearance,
    Detections,
    EmbedCounts,
    Frame,
    FrameResult,
    Tracks,
    TrackState,
)

NAMES = {0: "person", 2: "car"}
TRACK = {"id": 7, "xyxy": [1.5, 2, 3, 4], "score": 0.5, "class_id": 0, "class": "person",
         "state": "confirmed", "fresh": True, "detection": 1}  # fmt: skip
LINE = {"frame": 0, "time_s": 0.0, "detections": 3, "tracks": [TRACK], "embed": {"critical": 2},
        "stage_ms": {"detect": 1.5}, "latency_ms": 9.5, "size": [64, 48], "fps": 25.5}  # fmt: skip


def result_at(index, rows=3, seed=0):
    """A frame with as many detections as tracks, the first of which coasts."""
    random = np.random.default_rng(seed + index)
    corner = random.uniform(-50, 5000, (rows, 2))
    xyxy = np.hstack((corner, corner + random.uniform(0, 500, (rows, 2)))).astype(np.float32)
    score = random.uniform(0, 1, rows).astype(np.float32)
    class_id = random.choice([0, 2], rows).astype(np.int64)
    detection = np.arange(rows) - 1
    states = np.array([TrackState.LOST, TrackState.CONFIRMED, TrackState.TENTATIVE], np.int8)
    fresh = random.uniform(size=rows) < 0.5
    tracks = Tracks(np.arange(1, rows + 1), xyxy, score, class_id, states[:rows], fresh, detection)
    seen = Detections(xyxy[1:], score[1:], class_id[1:])
    counts = EmbedCounts(critical=1, refresh=2, reused=3, deferred=4, budget_ms=20.0, embed_ms=1.25)
    return FrameResult(index, index / 25, seen, tracks, counts, {"detect": 1.5})


def journal(path, frames=4):
    with JsonLinesSink(str(path), NAMES, StageTimer()) as sink:
        for index in range(frames):
            image = np.zeros((48, 64, 3), np.uint8)
            sink.write(Frame(index, index / 25, image), result_at(index))
    return path


def test_a_journal_gives_back_what_the_run_wrote_exactly(tmp_path):
    read = FrameLog(journal(tmp_path / "a.jsonl"))
    records = list(read)
    assert (read.frames, read.cut, read.end) == (4, False, read.path.stat().st_size)
    assert read.names == NAMES
    for index, record in enumerate(records):
        was, now = result_at(index), record.result
        assert (now.frame_index, now.time_s, now.embed) == (index, index / 25, was.embed)
        for name, column in asdict(was.tracks).items():
            np.testing.assert_array_equal(getattr(now.tracks, name), column, err_msg=name)
            assert getattr(now.tracks, name).dtype == column.dtype
        np.testing.assert_array_equal(now.detections.xyxy, was.detections.xyxy)
        assert now.stage_ms["detect"] == 1.5
        assert (record.size, record.latency_ms > 0) == ((64, 48), True)
    assert [result.frame_index for result in read_results(read.path)] == [0, 1, 2, 3]


def test_a_searched_track_comes_back_as_one(tmp_path):
    path, result = tmp_path / "a.jsonl", result_at(0)
    state = np.array([TrackState.SEARCHED, TrackState.CONFIRMED, TrackState.LOST], np.int8)
    with JsonLinesSink(str(path), NAMES, StageTimer()) as sink:
        searched = replace(result.tracks, state=state)
        sink.write(Frame(0, 0, np.zeros((2, 2, 3), np.uint8)), replace(result, tracks=searched))
    assert json.loads(path.read_text())["tracks"][0]["state"] == "searched"
    (back,) = read_results(path)
    assert back.tracks.state.tolist() == [4, 1, 2]
    assert back.tracks.detection.tolist() == [-1, 0, 1]
    assert back.tracks.placed.tolist() == [True, True, True]
    assert back.tracks.present.tolist() == [False, True, False]


def test_detections_that_no_track_took_are_unknown():
    detections = parse_record(json.dumps(LINE).encode()).result.detections
    np.testing.assert_array_equal(np.isnan(detections.score), [True, False, True])
    np.testing.assert_array_equal(detections.xyxy[1], [1.5, 2, 3, 4])
    np.testing.assert_array_equal(detections.class_id, [-1, 0, -1])


def test_what_was_no_number_comes_back_as_none(tmp_path):
    path, result = tmp_path / "a.jsonl", result_at(0, rows=1)
    odd = replace(result.tracks, score=np.array([np.nan], np.float32),
                  xyxy=np.array([[np.inf, 0, 1, 2]], np.float32))  # fmt: skip
    with JsonLinesSink(str(path), {}, StageTimer()) as sink:
        sink.write(Frame(0, 0, np.zeros((2, 2, 3), np.uint8)), replace(result, tracks=odd))
    (back,) = read_results(path)
    assert np.isnan(back.tracks.score[0])
    assert np.isnan(back.tracks.xyxy[0, 0])
    assert back.tracks.xyxy[0, 3] == 2


def test_a_journal_of_an_older_run_is_read():
    old = {key: LINE[key] for key in ("frame", "time_s", "detections", "tracks", "embed",
                                      "stage_ms")}  # fmt: skip
    record = parse_record(json.dumps(old).encode())
    assert (record.size, record.fps, record.result.embed.critical) == (None, 0, 2)
    assert np.isnan(record.latency_ms)


@pytest.mark.parametrize("left", [1, 40, 200])
def test_half_a_last_line_is_passed_over_and_said(tmp_path, left):
    path = journal(tmp_path / "a.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:left])
    read = FrameLog(path)
    assert [record.result.frame_index for record in read] == [0, 1, 2]
    assert (read.cut, read.frames, read.end) == (True, 3, sum(map(len, lines[:3])))
    path.write_bytes(b"".join(lines).rstrip(b"\n"))
    assert len(list(read)) == 4
    assert not read.cut


def test_nothing_yet_is_no_error(tmp_path):
    (tmp_path / "a.jsonl").touch()
    assert list(FrameLog(tmp_path / "a.jsonl")) == []


def changed(**values):
    return json.dumps({**LINE, **values}).encode()


def changed_track(**values):
    return changed(tracks=[{**TRACK, **values}])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe{}", "is not UTF-8 text"),
        (b'{"frame": NaN}', "holds NaN, which JSON does not have"),
        (b'{"frame": ' + b"1" * 5000 + b"}", "holds a number that cannot be read"),
        (b"[" * 100_000, "is nested too deep"),
        (b"[]", "the line must be an object"),
        (b"7", "the line must be an object"),
        (b"{}", "'detections' must be a whole number"),
        (changed(frame=-1), "'frame' must be a whole number from 0 to 1000000000"),
        (changed(frame=True), "'frame' must be"),
        (changed(frame=1.0), "'frame' must be"),
        (changed(frame=10**30), "'frame' must be"),
        (changed(time_s=None), "'time_s' must be a number"),
        (changed(time_s="0"), "'time_s' must be"),
        (changed(detections=10**9), "'detections' must be"),
        (changed(tracks=None), "'tracks' must be a list"),
        (changed(tracks=[7]), "track 1 must be an object"),
        (changed(tracks=[TRACK, TRACK]), "has an identity twice"),
        (changed(tracks=[TRACK, {**TRACK, "id": 8}]), "gives a detection to two tracks"),
        (changed(embed=[]), "'embed' must be an object"),
        (changed(embed={"critical": 1.5}), "'critical' must be a whole number"),
        (changed(embed={"embed_ms": "1"}), "'embed_ms' must be a number or null"),
        (changed(stage_ms={"detect": -1}), "'stage_ms' must be a number or null"),
        (changed(size=[64]), "'size' must be"),
        (changed(size=[0, 48]), "'width' must be"),
        (changed(fps="fast"), "'fps' must be"),
        (changed_track(id=0), "'id' must not be 0"),
        (changed_track(provisional=1), "'provisional' must be"),
        (changed_track(id=2**63), "'id' must be"),
        (changed_track(xyxy=[1, 2, 3]), "'xyxy' must have four numbers"),
        (changed_track(xyxy=[1, 2, 3, "4"]), "'y2' must be a number or null"),
        (changed_track(xyxy=[1, 2, 3, 1e300]), "'y2' must be"),
        (changed_track(score=-0.5), "'score' must be"),
        (changed_track(state="dead"), "'state' must be one of tentative, confirmed"),
        (changed_track(state=["lost"]), "'state' must be one of"),
        (changed_track(fresh=1), "'fresh' must be true or false"),
        (changed_track(detection=3), "'detection' must be a whole number from 0 to 2"),
        (changed_track(**{"class": 7}), "'class' must be a text"),
        (changed_track(**{"class": "x" * 1001}), "'class' must be a text"),
        (
            changed_track(**{"class": "\ud800"}),
            "'class' must be a text of at most 1000 whole letters",
        ),
    ],
)
def test_every_kind_of_damage_is_one_sentence_with_its_line(tmp_path, line, reason):
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps({**LINE, "frame": 0}).encode() + b"\n" + line + b"\n")
    with pytest.raises(InputError) as caught:
        list(FrameLog(path))
    assert caught.value.what.startswith(f"'{path}' line 2: {reason}")
    assert len(caught.value.what) < len(str(path)) + 200
    assert caught.value.exit_code == 3


def test_a_line_without_end_is_not_read_into_memory(tmp_path):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.truncate(40 * MOST_LINE_BYTES)
    with pytest.raises(InputError, match=f"line 1: is longer than {MOST_LINE_BYTES} bytes"):
        list(FrameLog(path))


@pytest.mark.parametrize(("frames", "reason"), [((0, 0), "frame 0 after"), ((5, 4), "frame 4 aft")])
def test_frames_must_ascend(tmp_path, frames, reason):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(changed(frame=index) for index in frames) + b"\n")
    with pytest.raises(InputError, match=f"line 2: has {reason}"):
        list(FrameLog(path))


def test_a_class_keeps_its_name(tmp_path):
    path, other = tmp_path / "a.jsonl", changed(frame=1, tracks=[{**TRACK, "class": "car"}])
    path.write_bytes(changed() + b"\n" + other + b"\n")
    with pytest.raises(InputError, match="line 2: gives class 0 another name than before"):
        list(FrameLog(path))


def test_a_file_that_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"Cannot read '.*nothing': No such file"):
        list(FrameLog(tmp_path / "nothing"))
    with pytest.raises(InputError, match="Is a directory"):
        list(FrameLog(tmp_path))


def test_a_complete_line_that_is_no_frame_is_not_taken_for_half_a_line(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"frame": 0}')
    with pytest.raises(InputError, match="line 1"):
        list(FrameLog(tmp_path / "a.jsonl"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*LINE]), st.sampled_from([*TRACK, ""]), JSON)
def test_any_value_anywhere_is_taken_or_refused_in_words(key, track_key, value):
    line = changed_track(**{track_key: value}) if track_key else changed(**{key: value})
    with suppress(BadRecordError):
        parse_record(line)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 300))
def test_any_bytes_in_a_line_are_taken_or_refused_in_words(noise, at):
    line = changed()
    with suppress(BadRecordError):
        parse_record(line[:at] + noise + line[at + len(noise) :])


@pytest.mark.parametrize("at", [1, 30, 150])
def test_half_a_line_is_told_from_a_bad_one(at):
    with pytest.raises(TornRecordError):
        parse_record(changed()[:at])


def test_what_embeddings_told_comes_back():
    told = [{"id": 7, "similarity": None, "resembles": [[3, 0.75], [1, -0.5]]},
            {"id": 8, "similarity": 0.875, "resembles": []}]  # fmt: skip
    looks = parse_record(json.dumps({**LINE, "looks": told}).encode()).looks
    assert (looks[0].track_id, looks[0].resembles) == (7, ((3, 0.75), (1, -0.5)))
    assert np.isnan(looks[0].similarity)
    assert looks[1] == Appearance(8, 0.875)
    assert parse_record(json.dumps(LINE).encode()).looks == ()


@pytest.mark.parametrize(
    "told",
    [
        [7],
        {"id": 7},
        [{"id": 0, "similarity": 0.5, "resembles": []}],
        [{"id": 7, "similarity": "much", "resembles": []}],
        [{"id": 7, "similarity": 0.5}],
        [{"id": 7, "similarity": 0.5, "resembles": [[3]]}],
        [{"id": 7, "similarity": 0.5, "resembles": [[3, "x"]]}],
        [{"id": 7, "similarity": 0.5, "resembles": [["3", 0.5]]}],
    ],
)
def test_a_look_that_is_none_is_refused(told):
    with pytest.raises(BadRecordError):
        parse_record(json.dumps({**LINE, "looks": told}).encode())


def test_detections_without_a_track_are_known_where_the_run_wrote_them(tmp_path):
    box = np.array([(1, 2, 3, 4.5), (5, 6, 7, 8)], np.float32)
    found = Detections(box, np.full(2, 0.1, np.float32), np.array([0, 2]))
    result = FrameResult(0, 0.0, found, Tracks.empty())
    for untracked in (True, False):
        path = tmp_path / f"{untracked}.jsonl"
        with JsonLinesSink(str(path), {}, StageTimer(), untracked=untracked) as sink:
            sink.write(Frame(0, 0.0, np.zeros((48, 64, 3), np.uint8)), result)
        (back,) = (record.result.detections for record in FrameLog(path))
        assert len(back) == 2
        if untracked:
            np.testing.assert_array_equal(back.xyxy, box)
            assert back.class_id.tolist() == [0, 2]
        else:
            assert np.isnan(back.xyxy).all()


@pytest.mark.parametrize(
    ("untracked", "said"),
    [
        (7, "'untracked' must be a list"),
        ([7], "an entry of 'untracked' must be an object"),
        ([{"xyxy": [1, 2, 3], "class_id": 0}], "'xyxy' must have four numbers"),
        ([{"xyxy": [1, 2, 3, 4], "class_id": 0}] * 9, "more detections without a track"),
    ],
)
def test_what_is_no_list_of_untracked_detections_is_refused(untracked, said):
    record = {
        "frame": 0, "time_s": 0.0, "detections": 1, "tracks": [], "stage_ms": {}, "embed": {},
        "untracked": untracked,
    }  # fmt: skip
    with pytest.raises(BadRecordError, match=said):
        parse_record(json.dumps(record).encode())


def test_a_byte_order_mark_changes_nothing(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(LINE).encode() + b"\n")
    log = FrameLog(path)
    assert [record.result.frame_index for record in log] == [0]
    assert not log.cut


def test_a_frame_log_in_utf_16_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes((json.dumps(LINE) + "\n").encode("utf-16"))
    with pytest.raises(InputError, match="line 1: is not UTF-8 text"):
        list(FrameLog(path))
