"""Side by side: what only threads can get wrong."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from helpers.loop_parts import Sink, Tracker, frames
from mot_dinov3.errors import InputError, OutputError
from mot_dinov3.runs.loop import RunSettings, run
from mot_dinov3.runtime.timing import StageTimer

OVERLAP = RunSettings(overlap=True)
LONG_S = 20
"""A test that waits so long has found a deadlock."""


def overlapped(source, tracker, *sinks, timer=None):
    before, started = threading.active_count(), time.monotonic()
    try:
        return run(source, tracker, sinks, timer or StageTimer(), None, OVERLAP)
    finally:
        assert time.monotonic() - started < LONG_S / 2
        assert threading.active_count() == before, "a thread is left"


def test_the_next_frame_is_tracked_while_this_one_is_written():
    tracked = threading.Event()
    answers = []
    sink = Sink(at={0: lambda: answers.append(tracked.wait(LONG_S))})
    outcome = overlapped(frames(3), Tracker(at={1: tracked.set}), sink)
    assert answers == [True]
    assert sink.frames == [0, 1, 2]
    assert set(outcome.busy_s) == {"main", "read", "sinks"}


def test_the_next_frame_is_read_while_this_one_is_tracked():
    read = threading.Event()
    answers = []

    def source():
        yield from frames(2)
        read.set()
        yield from frames(1, start=2)

    overlapped(source(), Tracker(at={1: lambda: answers.append(read.wait(LONG_S))}))
    assert answers == [True]


def test_nothing_is_read_ahead_while_the_models_warm_up():
    seen = []

    class Slow(Tracker):
        def warm_up(self, frame):
            time.sleep(0.02)
            seen.append(len(made))

    made = []

    def source():
        for frame in frames(4):
            made.append(frame.index)
            yield frame

    overlapped(source(), Slow())
    assert seen == [1], "its latency would be that of the warm-up"


def test_all_sinks_are_written_in_one_thread_and_left_in_the_caller_s():
    threads = {"write": set(), "leave": set()}

    class Noting(Sink):
        def write(self, frame, result):
            super().write(frame, result)
            threads["write"].add(threading.current_thread())

        def __exit__(self, *problem):
            threads["leave"].add(threading.current_thread())

    overlapped(frames(5), Tracker(), Noting(), Noting())
    assert len(threads["write"]) == 1
    assert threads["leave"] == {threading.main_thread()}
    assert not threads["write"] & threads["leave"]


def test_a_sink_that_fails_behind_a_full_queue_ends_the_run():
    ready = threading.Event()

    def fail():
        ready.wait(LONG_S)
        time.sleep(0.05)  # the tracker waits for room by now
        raise OutputError("no room")

    sink = Sink(at={1: fail})
    tracker = Tracker(at={3: ready.set})
    outcome = overlapped(frames(50), tracker, sink)
    assert isinstance(outcome.error, OutputError)
    assert sink.frames == [0]
    assert outcome.statistics.frames == 1
    assert len(tracker.seen) < 10


def test_a_tracker_that_fails_leaves_everything_before_it_written():
    sink = Sink(at=dict.fromkeys(range(9), lambda: time.sleep(0.01)))
    outcome = overlapped(frames(9), Tracker(fail_at=5), sink)
    assert outcome.exit_code(partial=False) == 5
    assert sink.frames == [0, 1, 2, 3, 4]
    assert outcome.statistics.frames == 5


def test_a_reader_that_fails_while_the_sinks_are_behind():
    def breaking():
        yield from frames(4)
        raise InputError("gone")

    sink = Sink(at=dict.fromkeys(range(9), lambda: time.sleep(0.01)))
    outcome = overlapped(breaking(), Tracker(), sink)
    assert outcome.exit_code(partial=False) == 3
    assert sink.frames == [0, 1, 2, 3]


@pytest.mark.parametrize("where", ["reader", "sink"])
def test_a_bug_in_a_thread_keeps_its_type(where):
    def source():
        yield from frames(2)
        if where == "reader":
            raise ZeroDivisionError
        yield from frames(9, start=2)

    def divide():
        raise ZeroDivisionError

    sink = Sink(at={2: divide})
    with pytest.raises(ZeroDivisionError):
        overlapped(source(), Tracker(), sink)
    assert sink.left_with is ZeroDivisionError
    assert sink.frames == [0, 1]


@pytest.mark.parametrize(("processors", "paced"), [(1, 8.0), (2, 4.0), (64, 3.0)])
def test_a_tracker_hears_its_own_stages_or_its_share_of_all_work(monkeypatch, processors, paced):
    """Detect 2, track 1, write 5: with few processors the sinks take some of the tracker's time."""
    monkeypatch.setattr("mot_dinov3.runs.loop.loop.os.cpu_count", lambda: processors)
    tracker, timer = Tracker(at={8: lambda: time.sleep(0.05)}), StageTimer()
    overlapped(frames(9), tracker, Sink(timer), timer=timer)
    assert len(tracker.paced) == 9
    assert tracker.paced[0] == pytest.approx(3.0) or processors == 1
    assert tracker.paced[-1] == pytest.approx(paced, abs=0.5)


def test_a_second_interrupt_does_not_wait_for_what_is_still_to_be_written(unheard):
    gate = threading.Event()
    sink = Sink(at={0: lambda: gate.wait(LONG_S)})

    def interrupt_twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        gate.set()

    killer = threading.Timer(0.1, interrupt_twice)
    killer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(frames(3), Tracker(), [sink], StageTimer(), None, OVERLAP)
    finally:
        killer.join()
    assert sink.frames == [0], "only the frame that was being written"
    assert sink.left_with is KeyboardInterrupt
