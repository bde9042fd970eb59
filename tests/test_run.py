from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from fakes import blank_frame
from mot_dinov3.errors import InputError, OutputError
from mot_dinov3.run import RunOutcome, StopRequest, run, timed_reads
from mot_dinov3.structures import Detections, FrameResult, Tracks
from mot_dinov3.timing import StageTimer


class Tracker:
    def __init__(self, fail_at=-1):
        self.fail_at, self.warmed, self.seen, self.paced = fail_at, [], [], []

    def warm_up(self, frame):
        self.warmed.append(frame.index)

    def pace(self, other_ms):
        self.paced.append(other_ms)

    def step(self, frame):
        if frame.index == self.fail_at:
            raise OutputError("full")
        self.seen.append(frame.index)
        stage_ms = {"detect": 2.0, "track": 1.0}
        return FrameResult(
            frame.index, frame.time_s, Detections.empty(), Tracks.empty(), stage_ms=stage_ms
        )


class Sink:
    def __init__(self, timer=None, fail_at=-1, fail_close=False):
        self.timer, self.fail_at, self.fail_close = timer, fail_at, fail_close
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
        if self.timer is not None:
            self.timer.add("write", 5.0)
        assert result.frame_index == frame.index
        self.frames.append(frame.index)


def frames(n, start=0):
    return [blank_frame(index, width=8, height=6) for index in range(start, start + n)]


def test_every_frame_goes_through_tracker_and_sinks_in_order():
    timer, tracker = StageTimer(), Tracker()
    sinks = [Sink(timer), Sink(timer)]
    told = []
    outcome = run(frames(3, start=7), tracker, sinks, timer, lambda r, s: told.append(s.frames))
    assert tracker.warmed == [7]
    assert tracker.seen == sinks[0].frames == sinks[1].frames == [7, 8, 9]
    assert told == [1, 2, 3]
    assert sinks[0].left_with is None
    assert outcome.statistics.frames == 3
    assert outcome.frame_size == (8, 6)
    assert (outcome.stopped_by, outcome.error) == (0, None)


def test_stages_of_reader_tracker_and_sinks_are_one_latency():
    timer = StageTimer()
    outcome = run(frames(2), Tracker(), [Sink(timer), Sink(timer)], timer)
    stage_ms = outcome.statistics.stage_ms
    assert stage_ms["detect"] == [2.0, 2.0]
    assert stage_ms["write"] == [10.0, 10.0], "a frame's stages start from nothing"
    assert len(stage_ms["read"]) == 2
    expected = [sum(values) for values in zip(*stage_ms.values(), strict=True)]
    assert outcome.statistics.latency_ms == pytest.approx(expected)


@pytest.fixture
def unheard():
    """Take SIGINT and SIGTERM first, so that a run that does not hear them ends no test run."""
    missed = []
    previous = {
        number: signal.signal(number, lambda n, _: missed.append(n))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    yield missed
    for number, handler in previous.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_current_frame_finish(unheard, number):
    sink = Sink()

    def stop_at_two(result, statistics):
        if statistics.frames == 2:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    outcome = run(frames(9), Tracker(), [sink], StageTimer(), stop_at_two)
    assert sink.frames == [0, 1]
    assert sink.left_with is None
    assert outcome.stopped_by == number
    assert not unheard
    assert signal.getsignal(number) is before


def test_a_second_interrupt_does_not_wait(unheard):
    def stop_twice(result, statistics):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    sink = Sink()
    with pytest.raises(KeyboardInterrupt):
        run(frames(9), Tracker(), [sink], StageTimer(), stop_twice)
    assert sink.left_with is KeyboardInterrupt


def test_outside_the_main_thread_signals_belong_to_the_host():
    outcomes = []
    thread = threading.Thread(
        target=lambda: outcomes.append(run(frames(2), Tracker(), [Sink()], StageTimer()))
    )
    thread.start()
    thread.join()
    assert outcomes[0].statistics.frames == 2


@pytest.mark.parametrize(
    ("tracker", "sink", "kept"),
    [
        (Tracker(fail_at=2), Sink(), 2),
        (Tracker(), Sink(fail_at=1), 1),
        (Tracker(), Sink(fail_close=True), 4),
    ],
)
def test_a_known_problem_ends_the_run_and_keeps_what_came_before(tracker, sink, kept):
    other = Sink()
    outcome = run(frames(4), tracker, [other, sink], StageTimer())
    assert isinstance(outcome.error, OutputError)
    assert outcome.statistics.frames == kept
    assert outcome.exit_code(partial=True) == 5
    assert other.left_with != "never left"


def test_a_bug_is_not_swallowed():
    class Broken(Tracker):
        def step(self, frame):
            raise ZeroDivisionError

    sink = Sink()
    with pytest.raises(ZeroDivisionError):
        run(frames(2), Broken(), [sink], StageTimer())
    assert sink.left_with is ZeroDivisionError


def test_a_source_that_ends_in_an_error_keeps_its_frames():
    def breaking():
        yield from frames(2)
        raise InputError("gone")

    sink = Sink()
    outcome = run(breaking(), Tracker(), [sink], StageTimer())
    assert sink.frames == [0, 1]
    assert outcome.exit_code(partial=False) == 3


def test_an_empty_source_never_warms_up():
    tracker, sink = Tracker(), Sink()
    outcome = run([], tracker, [sink], StageTimer())
    assert (outcome.statistics.frames, tracker.warmed, sink.left_with) == (0, [], None)


def test_what_comes_first_decides_the_exit_code():
    assert RunOutcome().exit_code(partial=False) == 0
    assert RunOutcome().exit_code(partial=True) == 4
    assert RunOutcome(stopped_by=signal.SIGINT).exit_code(partial=True) == 130
    assert RunOutcome(stopped_by=signal.SIGTERM).exit_code(partial=False) == 143
    assert RunOutcome(stopped_by=2, error=OutputError("full")).exit_code(partial=True) == 5


def test_reading_is_timed_per_frame():
    read = list(timed_reads(frames(3)))
    assert [frame.index for frame, _ in read] == [0, 1, 2]
    assert all(set(stages) == {"read"} and stages["read"] >= 0 for _, stages in read)


def test_hearing_ends_with_the_context(unheard):
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest().listening() as stop:
        assert signal.getsignal(signal.SIGTERM) is not before
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.signal == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


class Camera:
    """Keeps its reader waiting for 20 ms, then for a picture that takes 5 ms to decode."""

    def __iter__(self):
        for frame in frames(3):
            time.sleep(0.02)
            busy = time.thread_time() + 0.005
            while time.thread_time() < busy:
                pass
            yield frame


def test_waiting_for_a_camera_is_neither_work_nor_latency():
    tracker = Tracker()
    outcome = run(Camera(), tracker, [], StageTimer(), live=True)
    stage_ms = outcome.statistics.stage_ms
    assert min(stage_ms["wait"]) > 15
    assert all(4 < ms < 15 for ms in stage_ms["read"])
    assert max(outcome.statistics.latency_ms) < 18
    assert max(tracker.paced) < 18
    assert outcome.wall_s > 0.075


def test_a_tracker_hears_what_a_frame_took_beside_embedding():
    class Embedding(Tracker):
        def step(self, frame):
            result = super().step(frame)
            result.stage_ms["embed"] = 500.0
            return result

    timer, tracker = StageTimer(), Embedding()
    run(frames(2), tracker, [Sink(timer)], timer)
    assert len(tracker.paced) == 2
    assert all(8 <= ms < 100 for ms in tracker.paced), "detect 2, track 1, write 5, and reading"
