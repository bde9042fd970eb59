from __future__ import annotations

from helpers.fakes import FakeClock
from helpers.loop_parts import frames
from mot_dinov3.runs.loop.reading import timed_reads


def test_reading_is_timed_per_frame():
    clock = FakeClock()

    def reading():
        for frame in frames(3):
            clock.now_s += 0.25
            yield frame

    for index, read in enumerate(timed_reads(reading(), clock)):
        assert read.frame.index == index
        assert read.stage_ms == {"read": 250.0}
        assert clock.now_s - read.began_s == 0.25
        clock.now_s += 1.0
