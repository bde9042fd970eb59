"""What the loop promises, one thing after another and side by side alike."""

from __future__ import annotations

import os
import signal
import threading
import time
from statistics import median

import pytest

from helpers.fakes import FakeClock
from helpers.loop_parts import Sink, Tracker, frames
from mot_dinov3.errors import DeviceError, InputError, OutputError
from mot_dinov3.runs.loop import RunOutcome, RunSettings, run
from mot_dinov3.runs.loop.loop import read_timed
from mot_dinov3.runtime.timing import StageTimer


def test_every_frame_goes_through_tracker_and_sinks_in_order(way):
    timer, tracker = StageTimer(), Tracker()
    sinks = [Sink(timer), Sink(timer)]
    calls = []

    def on_frame(result, statistics):
        calls.append((result.frame_index, statistics.frames, threading.current_thread()))

    outcome = run(frames(9, start=7), tracker, sinks, timer, on_frame, way)
    assert tracker.warmed == [7]
    assert tracker.seen == sinks[0].frames == sinks[1].frames == list(range(7, 16))
    assert calls == [(7 + n, 1 + n, threading.main_thread()) for n in range(9)]
    assert sinks[0].left_with is None
    assert outcome.statistics.frames == 9
    assert outcome.frame_size == (8, 6)
    assert (outcome.stopped_by, outcome.error) == (0, None)


def test_a_frame_s_stages_start_from_nothing(way):
    timer = StageTimer()
    outcome = run(frames(3), Tracker(), [Sink(timer), Sink(timer)], timer, None, way)
    stage_ms = outcome.statistics.stage_ms
    assert list(stage_ms["detect"].samples) == [2.0] * 3
    assert list(stage_ms["write"].samples) == [10.0] * 3
    assert len(stage_ms["read"]) == 3


def slow(seconds):
    return lambda: time.sleep(seconds)


def test_warming_up_is_no_latency_of_the_first_frame(way):
    tracker = Tracker()
    tracker.warm_up = lambda frame: time.sleep(0.3)
    outcome = run(frames(3), tracker, [Sink()], StageTimer(), None, way)
    assert outcome.warm_up_s >= 0.3
    assert max(outcome.statistics.latency_ms.samples) < 250


def test_latency_is_what_passes_from_reading_to_writing(way):
    sink = Sink(at=dict.fromkeys(range(4), slow(0.02)))
    outcome = run(frames(4), Tracker(at={0: slow(0.01)}), [sink], StageTimer(), None, way)
    latency_ms = outcome.statistics.latency_ms.samples
    assert len(latency_ms) == 4
    assert 29 < latency_ms[0] < 300
    assert min(latency_ms) > 19
    if way.overlap:
        assert latency_ms[2] > 35, "waiting behind the frame before it counts"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_current_frame_finish(unheard, number, way):
    sink = Sink()
    tracker = Tracker(at={1: lambda: os.kill(os.getpid(), number)})
    before = signal.getsignal(number)
    outcome = run(frames(9), tracker, [sink], StageTimer(), None, way)
    assert sink.frames == tracker.seen == [0, 1]
    assert outcome.statistics.frames == 2
    assert sink.left_with is None
    assert outcome.stopped_by == number
    assert not unheard
    assert signal.getsignal(number) is before


def test_a_second_interrupt_does_not_wait(unheard, way):
    def stop_twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    sink = Sink()
    with pytest.raises(KeyboardInterrupt):
        run(frames(9), Tracker(at={1: stop_twice}), [sink], StageTimer(), None, way)
    assert sink.frames in ([], [0])
    assert sink.left_with is KeyboardInterrupt


def test_outside_the_main_thread_signals_belong_to_the_host(way):
    outcomes = []
    thread = threading.Thread(
        target=lambda: outcomes.append(run(frames(2), Tracker(), [Sink()], StageTimer(), None, way))
    )
    thread.start()
    thread.join()
    assert outcomes[0].statistics.frames == 2


@pytest.mark.parametrize(
    ("tracker", "sink", "kept"),
    [
        ({"fail_at": 2}, {}, 2),
        ({}, {"fail_at": 1}, 1),
        ({}, {"fail_close": True}, 4),
    ],
)
def test_a_known_problem_ends_the_run_and_keeps_what_came_before(tracker, sink, kept, way):
    first, second = Sink(), Sink(**sink)
    outcome = run(frames(4), Tracker(**tracker), [first, second], StageTimer(), None, way)
    assert isinstance(outcome.error, OutputError)
    assert outcome.statistics.frames == len(second.frames) == kept
    assert outcome.exit_code(partial=True) == 5
    assert first.left_with != "never left"


def test_a_lack_of_memory_is_no_bug_and_keeps_what_came_before(way):
    class Exhausted(Tracker):
        def step(self, frame):
            if frame.index == 2:
                raise MemoryError
            return super().step(frame)

    sink = Sink()
    outcome = run(frames(4), Exhausted(), [sink], StageTimer(), None, way)
    assert isinstance(outcome.error, DeviceError)
    assert outcome.statistics.frames == len(sink.frames) == 2


def test_a_bug_is_not_swallowed(way):
    class Broken(Tracker):
        def step(self, frame):
            raise ZeroDivisionError

    sink = Sink()
    with pytest.raises(ZeroDivisionError):
        run(frames(2), Broken(), [sink], StageTimer(), None, way)
    assert sink.left_with is ZeroDivisionError


def test_a_source_that_ends_in_an_error_keeps_its_frames(way):
    def breaking():
        yield from frames(5)
        raise InputError("gone")

    sink = Sink()
    outcome = run(breaking(), Tracker(), [sink], StageTimer(), None, way)
    assert sink.frames == [0, 1, 2, 3, 4]
    assert outcome.exit_code(partial=False) == 3


def test_an_empty_source_never_warms_up(way):
    tracker, sink = Tracker(), Sink()
    outcome = run([], tracker, [sink], StageTimer(), None, way)
    assert (outcome.statistics.frames, tracker.warmed, sink.left_with) == (0, [], None)


def test_warming_up_is_told_apart_from_the_run(way):
    class Slow(Tracker):
        def warm_up(self, frame):
            time.sleep(0.3)

    outcome = run(frames(2), Slow(), [], StageTimer(), None, way)
    assert outcome.warm_up_s > 0.29
    assert 0 < outcome.wall_s < 0.25


def test_what_comes_first_decides_the_exit_code():
    assert RunOutcome().exit_code(partial=False) == 0
    assert RunOutcome().exit_code(partial=True) == 4
    assert RunOutcome(stopped_by=signal.SIGINT).exit_code(partial=True) == 130
    assert RunOutcome(stopped_by=signal.SIGTERM).exit_code(partial=False) == 143
    assert RunOutcome(stopped_by=2, error=OutputError("full")).exit_code(partial=True) == 5


class Camera:
    """Keeps its reader waiting for 20 ms, then for a picture that takes 5 ms to decode."""

    def __init__(self):
        self.readers = set()

    def __iter__(self):
        for frame in frames(5):
            self.readers.add(threading.current_thread())
            time.sleep(0.02)
            busy = time.thread_time() + 0.005
            while time.thread_time() < busy:
                pass
            yield frame


@pytest.mark.parametrize("overlap", [False, True])
def test_waiting_for_a_camera_is_neither_work_nor_latency(overlap):
    tracker, camera = Tracker(), Camera()
    way = RunSettings(live=True, overlap=overlap)
    outcome = run(camera, tracker, [], StageTimer(), None, way)
    stage_ms = outcome.statistics.stage_ms
    assert camera.readers == {threading.main_thread()}, "read ahead, its frames would go stale"
    assert min(stage_ms["wait"].samples) > 15
    assert 4 < median(stage_ms["read"].samples) < 15
    assert median(outcome.statistics.latency_ms.samples) < 18
    assert median(tracker.paced) < 18
    assert outcome.wall_s > 0.125
    assert outcome.busy_s["main"] < outcome.wall_s - 0.09


class Embedding(Tracker):
    def step(self, frame):
        result = super().step(frame)
        result.stage_ms["embed"] = 500.0
        return result


def test_a_tracker_hears_what_a_frame_took_beside_embedding():
    timer, tracker = StageTimer(), Embedding()
    run(frames(2), tracker, [Sink(timer)], timer)
    assert len(tracker.paced) == 2
    assert all(8 <= ms < 100 for ms in tracker.paced), "detect 2, track 1, write 5, and reading"


def test_reading_is_timed_per_frame():
    clock = FakeClock()

    def reading():
        for frame in frames(3):
            clock.now_s += 0.25
            yield frame

    for index, read in enumerate(read_timed(reading(), clock)):
        assert read.frame.index == index
        assert read.stage_ms == {"read": 250.0}
        assert clock.now_s - read.began_s == 0.25
        clock.now_s += 1.0
