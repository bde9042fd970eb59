"""What may still be spent on embeddings, frame by frame."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import FakeClock
from mot_dinov3.config import SchedulerConfig
from mot_dinov3.errors import UsageError
from mot_dinov3.scheduling.budget import FrameRateBudget, create_budget
from mot_dinov3.scheduling.cost_model import CostModel


def budget(fps=25, crop_ms=5.0):
    model = CostModel()
    for n in (1, 2, 4, 8):
        for _ in range(12):
            model.observe(n, crop_ms * n)
    clock = FakeClock()
    return create_budget(SchedulerConfig(target_fps=fps), model, clock), clock


def test_embeddings_get_what_the_other_stages_leave():
    paced, _ = budget(fps=25)
    assert paced.limit_ms == 40
    for _ in range(10):
        paced.pace(24.0)
    assert paced.limit_ms == pytest.approx(16)
    paced.open()
    assert paced.fits(9, 8) == 3


def test_most_recent_frames_decide_not_their_mean():
    paced, _ = budget(fps=25)
    for ms in [10.0] * 20 + [30.0] * 10:
        paced.pace(ms)
    assert paced.other_ms == pytest.approx(30)
    for _ in range(30):
        paced.pace(10.0)
    assert paced.other_ms == pytest.approx(10), "a slow spell is forgotten"


def test_other_stages_that_fill_the_frame_leave_next_to_nothing_but_never_no_limit():
    paced, _ = budget(fps=25)
    paced.pace(300.0)
    assert 0 < paced.limit_ms <= 0.1
    paced.open()
    assert paced.fits(9, 8) == 0


def test_a_rate_is_kept_whatever_a_crop_costs():
    """Frames of 15 to 25 ms of other work and more crops waiting than ever fit, at 25 FPS."""
    rng = np.random.default_rng(3)
    for crop_ms in (1.0, 4.0, 9.0):
        paced, clock = budget(25, crop_ms)
        spent = []
        for _ in range(300):
            other_ms = rng.uniform(15, 25)
            started_s = clock.now_s
            paced.open()
            while n := paced.fits(20, 8):
                clock.now_s += n * crop_ms / 1000
                paced.charge(n, n * crop_ms)
            paced.close(1, 1)
            spent.append((clock.now_s - started_s) * 1000 + other_ms)
            paced.pace(other_ms)
        assert 40 - crop_ms - 4 < np.mean(spent[30:]) <= 40


@pytest.mark.parametrize("other", [{"budget_ms": 5.0}, {"budget_crops": 3}])
def test_a_rate_and_a_budget_exclude_each_other(other):
    with pytest.raises(UsageError, match="--target-fps are two ways to say one thing"):
        SchedulerConfig(target_fps=25, **other)


@pytest.mark.parametrize("fps", [-1.0, 1001.0, float("nan"), float("inf")])
def test_a_senseless_rate_is_refused(fps):
    with pytest.raises(UsageError, match="--target-fps must be 0 to 1000"):
        SchedulerConfig(target_fps=fps)


def test_a_rate_bounds_critical_work_too():
    assert SchedulerConfig(target_fps=25).bounds_critical
    assert not SchedulerConfig(budget_ms=20).bounds_critical
    assert isinstance(budget()[0], FrameRateBudget)
