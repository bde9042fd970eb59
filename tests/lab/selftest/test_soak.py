"""What grows is seen, what settles is not mistaken for growth, and both runs can be watched."""

from __future__ import annotations

from dataclasses import replace
from mmap import mmap

import pytest

from mot_dinov3.lab.benchmarks.machine import STATM
from mot_dinov3.lab.benchmarks.own_program import build_own_command
from mot_dinov3.lab.selftest import soak
from mot_dinov3.lab.selftest.base import MeasureContext
from mot_dinov3.lab.selftest.cases import BrokenPromiseError
from mot_dinov3.lab.selftest.soak import HeldResources, expect_flat, slope_mb, track_long
from mot_dinov3.tracking.tracker import Tracker

FRAMES = 150

pytestmark = pytest.mark.skipif(not STATM.is_file(), reason="this system tells nothing")


def run_of(mb=lambda frame: 100.0, files=lambda frame: 8, threads=lambda frame: 2):
    frames = range(250, 100_001, 250)
    return [HeldResources(frame, mb(frame), files(frame), threads(frame)) for frame in frames]


def test_what_grew_before_it_settled_is_no_growth():
    flat = run_of(mb=lambda frame: min(frame / 1000, 15.0), threads=lambda f: 1 + (f > 500))
    expect_flat(flat)
    assert slope_mb(flat) == pytest.approx(0.0, abs=1e-6)
    assert "100,000 frames, 15.0 to 15.0 MB" in soak.format_held(flat)
    assert "0.00 MB in 100,000, 8 files, 2 threads" in soak.format_held(flat)


@pytest.mark.parametrize(
    ("grown", "words"),
    [
        ({"mb": lambda frame: frame / 25_000}, r"memory grows by 4.00 MB in 100,000 frames"),
        ({"files": lambda frame: 8 + frame // 90_000}, "files grow from 8 to 9"),
        ({"threads": lambda frame: 2 + frame // 90_000}, "threads grow from 2 to 3"),
    ],
)
def test_growth_is_seen(grown, words):
    with pytest.raises(BrokenPromiseError, match=words):
        expect_flat(run_of(**grown))


def test_less_than_noise_is_no_growth():
    expect_flat([replace(item, mb=item.frame / 25_000) for item in run_of()[:100]])


def test_a_run_that_was_hardly_looked_at_proves_nothing():
    with pytest.raises(BrokenPromiseError, match="only 3 glances"):
        expect_flat(run_of()[:3])


def test_a_tracker_that_keeps_what_it_saw_is_seen(monkeypatch):
    update, kept = Tracker.update, []

    def leaking(self, scene, embeddings, view):
        kept.append(mmap(-1, 20_480))  # not from the heap, which may have room to spare
        kept[-1].write(bytes(20_480))
        return update(self, scene, embeddings, view)

    monkeypatch.setattr(Tracker, "update", leaking)
    held = track_long(1500)
    assert len(held) == 500
    assert slope_mb(held) > 500
    with pytest.raises(BrokenPromiseError, match="memory grows"):
        expect_flat(held)


def test_a_few_thousand_frames_leave_little(monkeypatch):
    held = track_long(3000)
    half = [item for item in held if item.frame > 1500]
    assert half[-1].mb - half[0].mb < 2
    expect_flat([replace(item, mb=100.0) for item in half])


@pytest.mark.slow
def test_a_whole_run_is_watched_from_outside(tmp_path):
    bench = MeasureContext(program=tuple(build_own_command()), directory=tmp_path)
    held = soak.soak_pipeline(bench, FRAMES, tmp_path)
    assert held
    assert 0 < held[-1].frame <= FRAMES
    assert held[-1].mb > 50
    assert min(item.files for item in held) > 3
