from __future__ import annotations

import pytest

from helpers.fakes import FakeClock
from mot_dinov3.runtime.timing import StageTimer


def test_stages_add_up_in_milliseconds():
    clock = FakeClock()
    timer = StageTimer(clock)
    for seconds in (0.25, 0.5):
        with timer("detect"):
            clock.now_s += seconds
    timer.add("read", 3.0)
    assert timer.stage_ms == {"detect": 750.0, "read": 3.0}


def test_a_stage_that_fails_is_timed_too():
    clock = FakeClock()
    timer = StageTimer(clock)

    def fail():
        clock.now_s += 1
        raise KeyError

    with pytest.raises(KeyError), timer("embed"):
        fail()
    assert timer.stage_ms == {"embed": 1000.0}


def test_the_speed_is_that_of_the_last_few_frames():
    clock = FakeClock()
    timer = StageTimer(clock)
    speeds = []
    for seconds in (0.0, 0.5, 0.5, 1.5):
        clock.now_s += seconds
        timer.begin({}, clock.now_s)
        speeds.append(timer.fps)
    assert speeds == pytest.approx([0, 2, 2, 1 / 0.6])
