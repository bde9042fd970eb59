"""Threads and instruction sets, read off what the system says."""

from __future__ import annotations

import os

import pytest

from mot_dinov3.runtime import cpu


def test_threads_follow_the_variable_or_the_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert cpu.thread_count() == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 4, 5, 6, 7}, raising=False)
    for unusable in ("many", "0", ""):
        monkeypatch.setenv("OMP_NUM_THREADS", unusable)
        assert cpu.thread_count() == 5
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cpu.thread_count() == os.cpu_count()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model name\t: X\nflags\t\t: fpu avx512_bf16 sse\n\nflags : fpu\n", True),
        ("flags : fpu amx_bf16\n", True),
        ("flags : fpu avx512f\nbugs : avx512_bf16\n", False),
        ("Features : fp asimd bf16\n", False),
        ("", False),
        (None, False),
    ],
)
def test_bf16_is_told_by_the_flags(monkeypatch, tmp_path, text, expected):
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "cpuinfo")
    cpu.cpu_flags.cache_clear()
    try:
        assert cpu.has_bf16() is expected
    finally:
        cpu.cpu_flags.cache_clear()
