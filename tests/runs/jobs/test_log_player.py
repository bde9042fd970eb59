"""A journal beside its source: in step, or one sentence about why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.results import frame_at, result_at
from mot_dinov3.errors import InputError
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.outputs.sinks.jsonl import JsonLinesSink
from mot_dinov3.runs.jobs.log_player import FrameLogPlayer, summarise_frame_log
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.values import Frame


class Reader:
    """Gives the frames of a list."""

    info = SourceInfo("v.mp4", 64, 48, 25.0, 0, False, None)

    def __init__(self, frames):
        self.frames = frames

    def __iter__(self):
        return iter(self.frames)


def journal(tmp_path, indices, fps=0.0):
    timer = StageTimer()
    with JsonLinesSink(str(tmp_path / "a.jsonl"), {0: "person"}, timer) as sink:
        for index in indices:
            timer.fps = fps + index
            sink.write(frame_at(index), result_at(index))
    return tmp_path / "a.jsonl"


def play(path, frames):
    return FrameLogPlayer(summarise_frame_log(path), Reader(frames), StageTimer())


@pytest.mark.parametrize(
    ("indices", "first", "last", "stride"),
    [
        ([0], 0, 0, 1),
        ([0, 1, 2, 3], 0, 3, 1),
        ([7, 10, 13], 7, 13, 3),
        ([0, 3, 6, 12], 0, 12, 3),  # a damaged frame was left out
        ([0, 2, 5], 0, 5, 1),
    ],
)
def test_a_survey_finds_what_was_tracked(tmp_path, indices, first, last, stride):
    known = summarise_frame_log(journal(tmp_path, indices))
    assert (known.frames, known.first, known.last) == (len(indices), first, last)
    assert (known.stride, known.names, known.cut) == (stride, {0: "person"}, False)


def test_a_survey_proves_every_line(tmp_path):
    path = journal(tmp_path, range(3))
    with path.open("a") as file:
        file.write("{}\n")
    with pytest.raises(InputError, match="line 4"):
        summarise_frame_log(path)


def test_nothing_to_tell_is_said(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"frame":')
    with pytest.raises(InputError, match="holds no frame"):
        summarise_frame_log(tmp_path / "a.jsonl")
    with pytest.raises(InputError, match="is not a regular file"):
        summarise_frame_log(Path("/dev/zero"))
    with pytest.raises(InputError, match="No such file"):
        summarise_frame_log(tmp_path / "b.jsonl")


def test_frames_that_were_not_tracked_are_passed_over(tmp_path):
    player = play(journal(tmp_path, [3, 5, 7]), [frame_at(index) for index in range(20)])
    seen = [(frame.index, player.step(frame)) for frame in player.frames()]
    assert [index for index, _ in seen] == [3, 5, 7]
    assert [result.frame_index for _, result in seen] == [3, 5, 7]
    assert seen[0][1].stage_ms == {}
    assert seen[0][1].tracks.id.tolist() == [1]


def test_sinks_are_shown_the_speed_of_the_run(tmp_path):
    timer = StageTimer()
    path = journal(tmp_path, range(3), fps=20.0)
    player = FrameLogPlayer(
        summarise_frame_log(path), Reader([frame_at(index) for index in range(3)]), timer
    )
    speeds = []
    with player:
        for frame in player.frames():
            timer.begin({}, 0.0)
            player.write(frame, player.step(frame))
            speeds.append(timer.fps)
    assert speeds == [20, 21, 22]


def test_what_a_run_still_adds_is_not_waited_for(tmp_path):
    path = journal(tmp_path, range(3))
    player = play(path, [frame_at(index) for index in range(9)])
    with path.open("a") as file:
        file.write(path.read_text().splitlines()[2].replace('"frame":2', '"frame":3') + "\n")
    assert [frame.index for frame in player.frames()] == [0, 1, 2]


def small(index):
    return frame_at(index, size=(32, 24))


def late(index):
    return Frame(index, index / 25 + 0.01, frame_at(index).image)


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([frame_at(0), frame_at(1)], "line 3 is about frame 2, but 'v.mp4' ends with 1"),
        ([], "line 1 is about frame 0, but 'v.mp4' ends with -1"),
        ([frame_at(0), frame_at(2)], "line 2 is about frame 1, which 'v.mp4' does not have"),
        ([small(0)], "line 1 is about a picture of 64x48 pixels, but 'v.mp4' has 32x24"),
        ([frame_at(0), late(1)], "line 2 has frame 1 at 0.040 s, but 'v.mp4' shows it at 0.050 s"),
    ],
)
def test_a_journal_of_another_source_is_one_sentence(tmp_path, frames, reason):
    player = play(journal(tmp_path, range(3)), frames)
    with pytest.raises(InputError) as caught:
        list(player.frames())
    assert caught.value.what == f"'{tmp_path / 'a.jsonl'}' {reason}."
    assert caught.value.exit_code == 3


def test_a_journal_without_sizes_is_told_too(tmp_path):
    path = journal(tmp_path, range(2))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        del line["size"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(list(play(path, [small(0), small(1)]).frames())) == 2
