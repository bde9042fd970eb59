from __future__ import annotations

from mot_dinov3.lab.selftest.factory import MEASURES, create_measure


def test_every_measure_has_a_bar_and_can_be_imported():
    assert all(callable(create_measure(name)) for name in MEASURES)
    assert all(MEASURES.help(name) for name in MEASURES)
