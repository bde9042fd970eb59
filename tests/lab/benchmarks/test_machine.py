"""What a process holds, and how it grows."""

from __future__ import annotations

import math
import os

import pytest

from mot_dinov3.lab.benchmarks.machine import fit_memory_slope, memory_mb, resident_mb
from mot_dinov3.runtime.cpu import peak_mb


def test_memory_slope_ignores_the_settling_time():
    used = [
        (frame, 100.0 if frame < 2000 else 150 + 0.002 * frame) for frame in range(0, 10001, 50)
    ]
    figures = fit_memory_slope(used)
    assert figures["mb_per_1000"] == pytest.approx(2.0)
    assert figures["end_mb"] == pytest.approx(170.0)
    assert figures["start_mb"] == pytest.approx(154.0)


def test_resident_memory_is_the_second_number_in_pages():
    pages = 2**20 // os.sysconf("SC_PAGE_SIZE") * 7
    assert resident_mb(lambda: f"999999 {pages} 5 1 0 9 0") == pytest.approx(7.0)


def test_memory_is_told_or_not_a_number(tmp_path):
    assert math.isnan(memory_mb(tmp_path / "absent"))
    assert memory_mb() > 10
    assert peak_mb() >= 0.9 * memory_mb()
