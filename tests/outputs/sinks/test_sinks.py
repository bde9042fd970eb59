"""Sinks: the right outputs, timed, whole after any end."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import Clip, make_clip, read_back
from helpers.fakes import FakeClock
from mot_dinov3.config import DrawConfig, OutputConfig, SearchConfig, SourceConfig, TrackConfig
from mot_dinov3.errors import OutputError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.io.read.sources import open_source
from mot_dinov3.outputs.sinks.factory import create_sinks
from mot_dinov3.outputs.sinks.jsonl import JsonLinesSink, describe_frame
from mot_dinov3.outputs.sinks.mot_text import MotTextSink
from mot_dinov3.outputs.sinks.video import VideoSink, explain_lost_sound, is_whole
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Detections, EmbedCounts, Frame, FrameResult, Tracks, TrackState

NAMES = {0: "person"}


def frame_at(index, fps=25.0):
    return Frame(index, index / fps, np.full((48, 64, 3), 100, np.uint8))


def result_at(index, score=0.75, box=(10.123456, 20, 30, 40)):
    tracks = Tracks(
        id=np.array([7], np.int64),
        xyxy=np.array([box], np.float32),
        score=np.array([score], np.float32),
        class_id=np.zeros(1, np.int64),
        state=np.full(1, TrackState.CONFIRMED, np.int8),
        fresh=np.ones(1, np.bool_),
        detection=np.zeros(1, np.int64),
    )
    detections = Detections(tracks.xyxy, tracks.score, tracks.class_id)
    embed = EmbedCounts(critical=1, refresh=2, budget_ms=20.0, embed_ms=3.14159)
    return FrameResult(index, index / 25, detections, tracks, embed, {"detect": 1.23456})


def source_info(path=None, live=False):
    return SourceInfo("clip", 64, 48, 25.0, 100, live, path)


def sinks_for(tmp_path, timer=None, source=None, **output):
    names = {k: str(tmp_path / v) if isinstance(v, str) else v for k, v in output.items()}
    config = TrackConfig(source=source or SourceConfig(), output=OutputConfig(**names))
    return create_sinks(config, source_info(), NAMES, timer or StageTimer())


def run(sinks, frames=5):
    with ExitStack() as stack:
        for sink in sinks:
            stack.enter_context(sink)
        for index in range(frames):
            for sink in sinks:
                sink.write(frame_at(index), result_at(index))


def test_each_output_that_was_asked_for_has_a_sink(tmp_path):
    assert sinks_for(tmp_path, no_video=True) == []
    sinks = sinks_for(tmp_path, output="a.mp4", save_mot="a.txt", save_jsonl="a.jsonl")
    assert [type(sink) for sink in sinks] == [VideoSink, MotTextSink, JsonLinesSink]
    assert [Path(sink.path).name for sink in sinks] == ["a.mp4", "a.txt", "a.jsonl"]


def test_all_outputs_are_whole_at_the_end(tmp_path):
    run(sinks_for(tmp_path, output="a.mp4", save_mot="a.txt", save_jsonl="a.jsonl"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.mp4", "a.txt"]
    times = [time_s for time_s, _ in read_back(tmp_path / "a.mp4")]
    np.testing.assert_allclose(times, np.arange(5) / 25, atol=1e-3)
    assert (tmp_path / "a.txt").read_text().splitlines()[4].startswith("5,7,10.12,20.00,")
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line)["frame"] for line in lines] == list(range(5))


def test_the_video_shows_the_boxes(tmp_path):
    run(sinks_for(tmp_path, output="a.mp4"))
    _, image = read_back(tmp_path / "a.mp4")[0]
    assert np.ptp(image.astype(int)) > 60


def test_another_frame_rate_changes_the_times(tmp_path):
    run(sinks_for(tmp_path, source=SourceConfig(fps=5.0), output="a.mp4"))
    times = [time_s for time_s, _ in read_back(tmp_path / "a.mp4")]
    np.testing.assert_allclose(times, np.arange(5) / 5, atol=1e-3)


def test_a_stride_lowers_the_nominal_rate(tmp_path):
    (sink,) = sinks_for(tmp_path, source=SourceConfig(vid_stride=5), output="a.mp4")
    assert sink.writer.config.fps == 5


@pytest.mark.parametrize(
    ("selection", "whole"),
    [
        ({}, True),
        ({"start_frame": 1}, False),
        ({"end_frame": 0}, False),
        ({"max_frames": 9}, False),
        ({"vid_stride": 2}, False),
        ({"fps": 10.0}, False),
    ],
)
def test_sound_is_copied_only_with_the_whole_file(tmp_path, selection, whole):
    source = SourceConfig(**selection)
    assert is_whole(source) is whole
    config = TrackConfig(source=source, output=OutputConfig(output=str(tmp_path / "a.mp4")))
    clip = tmp_path / "clip.mp4"
    (sink,) = create_sinks(config, source_info(clip), NAMES, StageTimer())
    assert sink.writer.config.audio_from == (clip if whole else None)
    (live,) = create_sinks(config, source_info(clip, live=True), NAMES, StageTimer())
    assert live.writer.config.audio_from is None


@pytest.mark.parametrize("audio", ["aac", ""])
def test_sound_that_is_left_out_is_said(tmp_path, audio):
    make_clip(tmp_path / "clip.mp4", Clip(frames=4, audio=audio))
    cut = SourceConfig(str(tmp_path / "clip.mp4"), start_frame=1, fps=5.0)
    with open_source(cut) as reader:
        info = reader.info
    said = "The video has no sound: that of the source does not fit with --start-frame and --fps."
    assert explain_lost_sound(TrackConfig(source=cut), info) == (said if audio else "")
    assert explain_lost_sound(TrackConfig(source=SourceConfig(cut.source)), info) == ""
    silent = TrackConfig(source=cut, output=OutputConfig(no_video=True))
    assert explain_lost_sound(silent, info) == ""


def test_no_clobber_reaches_the_writer(tmp_path):
    (sink,) = sinks_for(tmp_path, output="a.mp4", no_clobber=True)
    assert sink.writer.config.replace is False


class FakeWriter:
    """Takes pictures; each costs `cost_s` of the clock."""

    def __init__(self, clock, cost_s):
        self.clock, self.cost_s, self.taken = clock, cost_s, []
        self.config = type("Config", (), {"path": "a.mp4"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def write(self, image, time_s):
        self.clock.now_s += self.cost_s
        self.taken.append(time_s)


def test_drawing_and_writing_are_booked_apart(monkeypatch):
    clock = FakeClock()
    timer, writer = StageTimer(clock), FakeWriter(clock, 0.5)
    speeds = []

    def draw(self, image, result, names, fps):
        clock.now_s += 0.25
        speeds.append(fps)
        return image

    monkeypatch.setattr("mot_dinov3.outputs.drawing.TrackPainter.draw", draw)
    with VideoSink(writer, DrawConfig(), NAMES, timer) as sink:
        for index in range(3):
            timer.begin({}, clock())
            sink.write(frame_at(index), result_at(index))
            assert timer.stage_ms == {"draw": 250.0, "write": 500.0}
    assert speeds[0] == 0
    assert speeds[1:] == pytest.approx([1 / 0.75, 1 / 0.75])
    assert writer.taken == [0, 0.04, 0.08]


def test_text_sinks_book_their_time(tmp_path):
    timer = StageTimer()
    run(sinks_for(tmp_path, timer, no_video=True, save_mot="a.txt", save_jsonl="a.jsonl"))
    assert list(timer.stage_ms) == ["write"]
    assert timer.stage_ms["write"] > 0


@pytest.mark.parametrize("wanted", [False, True])
def test_the_text_holds_what_was_searched_only_if_asked_to(tmp_path, wanted):
    path = tmp_path / "a.txt"
    config = TrackConfig(
        search=SearchConfig(rescue=True, save_searched=wanted),
        output=OutputConfig(no_video=True, save_mot=str(path)),
    )
    (sink,) = create_sinks(config, source_info(), NAMES, StageTimer())
    with sink:
        for index in range(4):
            result = result_at(index)
            if index % 2:
                state, row = np.full(1, TrackState.SEARCHED, np.int8), np.full(1, -1)
                tracks = replace(result.tracks, state=state, detection=row)
                result = replace(result, tracks=tracks)
            sink.write(frame_at(index), result)
    frames = [line.partition(",")[0] for line in path.read_text().splitlines()]
    assert frames == (["1", "2", "3", "4"] if wanted else ["1", "3"])


def test_a_line_holds_everything_known_of_a_frame():
    record = describe_frame(result_at(3), NAMES, {"detect": 1.23456})
    assert record == {
        "frame": 3, "time_s": 0.12, "detections": 1,
        "tracks": [{
            "id": 7, "xyxy": [10.123456, 20.0, 30.0, 40.0], "score": 0.75, "class_id": 0,
            "class": "person", "state": "confirmed", "fresh": True, "detection": 0,
        }],
        "embed": {
            "computed": 3, "critical": 1, "refresh": 2, "reused": 0, "deferred": 0, "starved": 0,
            "nonfinite": 0, "without_track": 0, "budget_ms": 20.0, "embed_ms": 3.142,
            "critical_ms": 0.0, "predicted_ms": 0.0,
        },
        "stage_ms": {"detect": 1.235},
    }  # fmt: skip


def test_lines_are_strict_json_whatever_the_numbers(tmp_path):
    path = tmp_path / "a.jsonl"
    odd = result_at(0, score=float("nan"), box=(float("inf"), 0, 1, 2))
    with JsonLinesSink(str(path), {}, StageTimer()) as sink:
        sink.write(frame_at(0), odd)
    text = path.read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    (track,) = json.loads(text)["tracks"]
    assert (track["score"], track["xyxy"][0], track["class"]) == (None, None, None)


def test_every_line_is_there_as_soon_as_it_is_written(tmp_path):
    with JsonLinesSink(str(tmp_path / "a.jsonl"), NAMES, StageTimer()) as sink:
        for index in range(3):
            sink.write(frame_at(index), result_at(index))
            lines = (tmp_path / "a.partial.jsonl").read_text().splitlines()
            assert [json.loads(line)["frame"] for line in lines] == list(range(index + 1))


@pytest.mark.parametrize("broken", ["save_mot", "save_jsonl"])
def test_when_one_sink_fails_the_others_are_finished(tmp_path, broken):
    output = {"output": "a.mp4", "save_mot": "a.txt", "save_jsonl": "a.jsonl"}
    sinks = sinks_for(tmp_path, **output)
    place = {"save_mot": 1, "save_jsonl": 2}[broken]

    def full(*_):
        raise OutputError("the disk is full")

    sinks[place].write = full
    with pytest.raises(OutputError, match="the disk is full"):
        run(sinks)
    assert len(read_back(tmp_path / "a.mp4")) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.mp4", "a.txt"]


def test_a_full_disk_is_an_output_error():
    with pytest.raises(OutputError, match="No space"):
        write_lines_to("/dev/full")


def write_lines_to(path):
    with JsonLinesSink(path, NAMES, StageTimer()) as sink:
        sink.write(frame_at(0), result_at(0))
