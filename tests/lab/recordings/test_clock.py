"""Recorded costs and the clock that only they move."""

from __future__ import annotations

import pytest

from mot_dinov3.lab.recordings.clock import CostMeter, CostTable, VirtualClock

COSTS = CostTable({1: 4.0, 4: 10.0, 8: 16.0}, {"read": 1.0, "detect": 30.25, "track": 0.5})


@pytest.mark.parametrize(
    ("crops", "ms"),
    [
        pytest.param(0, 0.0, id="nothing"),
        pytest.param(1, 4.0, id="measured"),
        pytest.param(2, 6.0, id="between"),
        pytest.param(8, 16.0, id="the largest"),
        pytest.param(10, 19.0, id="beyond, at the last slope"),
    ],
)
def test_a_batch_costs_what_was_measured(crops, ms):
    assert COSTS.batch_ms(crops) == ms


def test_one_measured_size_is_taken_in_proportion():
    assert CostTable({4: 10.0}).batch_ms(8) == 20.0
    assert CostTable({}).batch_ms(8) == 0.0


def test_only_work_moves_the_clock():
    clock = VirtualClock()
    assert clock() == clock() == 0.0
    meter = CostMeter(COSTS, clock)
    meter.charge_frame()
    assert clock() == pytest.approx(31.25e-3)
    meter.charge_batch(2)
    assert clock() == pytest.approx(37.25e-3)


def test_many_small_steps_add_up_exactly():
    clock = VirtualClock()
    for _ in range(10_000):
        clock.advance(0.1)
    assert clock() == 1.0


def test_a_frame_costs_its_stages():
    assert COSTS.fixed_ms == 31.75
