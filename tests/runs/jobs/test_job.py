"""What the main job adds to the loop."""

from __future__ import annotations

import pytest

from mot_dinov3.config import LoopConfig, TrackConfig
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.runs.jobs.figures import compute_thread_shares
from mot_dinov3.runs.jobs.job import create_settings
from mot_dinov3.runs.loop import RunOutcome, RunSettings, StopRequest


class Sink:
    waited_s = 0.5

    def __init__(self):
        self.threads_s = {"encode": 1.5}


def source(live=False, has_pixels=True):
    return SourceInfo("clip", 64, 48, 25.0, 100, live, None, has_pixels)


@pytest.mark.parametrize(
    ("busy_s", "shares"),
    [
        ({"main": 2.0}, {"main": 0.75, "encode": 0.75}),
        (
            {"main": 1.8, "read": 0.2, "sinks": 0.9},
            {"main": 0.9, "read": 0.1, "sinks": 0.2, "encode": 0.75},
        ),
    ],
)
def test_waiting_for_the_encoder_is_no_work_of_whoever_waited(busy_s, shares):
    outcome = RunOutcome(wall_s=2.0, busy_s=busy_s)
    assert compute_thread_shares(outcome, [Sink()]) == pytest.approx(shares)


def test_an_encoder_that_ends_later_was_busy_all_the_time():
    assert compute_thread_shares(RunOutcome(wall_s=1.0), [Sink()])["encode"] == 1.0


def test_nothing_tracked_gives_no_division_by_zero():
    assert compute_thread_shares(RunOutcome(), []) == {"main": 0.0}


def test_the_loop_overlaps_where_it_may_and_can():
    way, stop = TrackConfig(loop=LoopConfig(overlap=True)), StopRequest()
    assert create_settings(way, source(), stop) == RunSettings(live=False, overlap=True)
    assert create_settings(way, source(live=True), stop) == RunSettings(live=True, overlap=True)
    assert not create_settings(way, source(has_pixels=False), stop).overlap
    assert not create_settings(TrackConfig(loop=LoopConfig(overlap=False)), source(), stop).overlap
    assert create_settings(way, source(), stop).stop is stop
