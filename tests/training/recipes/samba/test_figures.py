"""A run is measured by what the tracker's motion model does with its weights."""

from __future__ import annotations

import pytest

from helpers.moving_together import draw_together, make_cell
from mot_dinov3.training.recipes.samba.figures import assess


def test_a_network_that_learned_nothing_is_one_kalman_filter():
    found = assess(make_cell(), [draw_together(0, frames=120)])
    assert (found.best, found.higher_is_better) == ("hidden", False)
    ratios = [value for name, value in found.values.items() if "hidden" in name or name == "ahead"]
    assert ratios[:5] == pytest.approx([1.0] * 5)
    worse = assess(make_cell(noise=0.3), [draw_together(0, frames=120)])
    assert worse.values["hidden"] > 1.2
