from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.clock import FrameClock, WorkMeter


def read_all(clock, *times):
    found = []
    for time_s in times:
        found.append(clock.read(time_s))
        clock.count(found[-1])
    return found


def test_a_frame_rate_gives_the_times():
    assert read_all(FrameClock(25), None, None, None) == pytest.approx([0, 0.04, 0.08])


def test_times_begin_anywhere():
    assert read_all(FrameClock(0), 1.7e9, 1.7e9 + 0.04) == [1.7e9, 1.7e9 + 0.04]
    assert read_all(FrameClock(0), -5, 0) == [-5, 0]


def test_a_time_is_read_again_where_no_frame_was_counted():
    clock = FrameClock(0)
    assert clock.read(5) == clock.read(5) == 5


@pytest.mark.parametrize(
    ("fps", "times", "what"),
    [
        (0, (None,), "not told when the picture was taken"),
        (0, (1.0, None), "not told when the picture was taken"),
        (25, (1.0,), "time_s=1 and fps=25 both say when"),
        (25, (None, 1.0), "time_s=1 and fps=25 both say when"),
        (0, (1.0, 1.0), "time_s=1 is not after the picture before, 1."),
        (0, (1.0, 0.5), "time_s=0.5 is not after the picture before, 1."),
        (0, (float("nan"),), "time_s=nan is not a time"),
        (0, ("now",), "time_s= is a str, not a number"),
        (0, (datetime.now(UTC),), "time_s= is a datetime datetime, not a number"),
        (0, (float("inf"),), "time_s=inf is not a time"),
    ],
)
def test_other_times_are_one_sentence(fps, times, what):
    with pytest.raises(UsageError, match=what) as caught:
        read_all(FrameClock(fps), *times)
    assert caught.value.fix


def test_work_between_frames_counts_and_waiting_does_not():
    meter = WorkMeter()
    meter.start()
    meter.stop(0.0)
    time.sleep(0.4)
    meter.start()
    assert meter.stop(0.0) < 200
    busy_until = time.thread_time() + 0.1
    while time.thread_time() < busy_until:
        pass
    meter.start()
    assert meter.stop(0.0) > 90
    assert meter.stop(60.0) < meter.stop(0.0) - 50
