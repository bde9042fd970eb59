"""Trackers and sinks for the loop: they count, fail and wait as a test says."""

from __future__ import annotations

from helpers.fakes import blank_frame
from mot_dinov3.errors import OutputError
from mot_dinov3.values import Detections, FrameResult, Tracks


class Tracker:
    """Tracks nothing; `at` maps a frame's index to something to do while it is tracked."""

    def __init__(self, fail_at=-1, at=None):
        self.fail_at, self.at = fail_at, at or {}
        self.warmed, self.seen, self.paced = [], [], []

    def warm_up(self, frame):
        self.warmed.append(frame.index)

    def pace(self, other_ms):
        self.paced.append(other_ms)

    def step(self, frame):
        if frame.index == self.fail_at:
            raise OutputError("full")
        self.at.get(frame.index, lambda: None)()
        self.seen.append(frame.index)
        stage_ms = {"detect": 2.0, "track": 1.0}
        return FrameResult(
            frame.index, frame.time_s, Detections.empty(), Tracks.empty(), stage_ms=stage_ms
        )


class Sink:
    """Keeps the indices it is given; `at` as in `Tracker`."""

    def __init__(self, timer=None, fail_at=-1, fail_close=False, at=None):
        self.timer, self.fail_at, self.fail_close = timer, fail_at, fail_close
        self.at = at or {}
        self.frames, self.left_with = [], "never left"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.left_with = kind
        if self.fail_close and kind is None:
            raise OutputError("no room at the end")

    def write(self, frame, result):
        if frame.index == self.fail_at:
            raise OutputError("no room")
        self.at.get(frame.index, lambda: None)()
        if self.timer is not None:
            self.timer.add("write", 5.0)
        assert result.frame_index == frame.index
        self.frames.append(frame.index)


def frames(n, start=0):
    return [blank_frame(index, width=8, height=6) for index in range(start, start + n)]
