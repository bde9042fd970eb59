"""The benchmark of both ways to run the loop."""

from __future__ import annotations

import pytest

from mot_dinov3.commands import bench
from mot_dinov3.lab.benchmarks import overlap
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.overlap import Case
from mot_dinov3.runs.loop import RunOutcome
from mot_dinov3.values import Detections, EmbedCounts, FrameResult, Tracks


def test_a_case_adds_up_its_rounds():
    case = Case()
    for wall_s in (1.0, 2.0):
        outcome = RunOutcome(wall_s=wall_s, busy_s={"main": 0.5})
        for latency_ms in (10.0, 20.0):
            result = FrameResult(0, 0.0, Detections.empty(), Tracks.empty())
            outcome.statistics.add(result, {"detect": 4.0}, latency_ms)
        case.add(outcome, [EmbedCounts()] * 2)
    assert case.fps == [2.0, 1.0]
    assert case.latency_ms == [10.0, 20.0] * 2
    assert case.busy == {"main": [0.5, 0.25]}
    assert case.stage_ms == {"detect": [4.0] * 4}
    assert len(case.counts) == 4


@pytest.mark.slow
def test_both_ways_are_run_by_turns_with_models_here_and_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(overlap, "ELSEWHERE_MS", 1.0)
    monkeypatch.setattr(overlap, "rounds_of", lambda asked: asked)
    words = bench.parser().parse_args(["overlap", "--frames", "6", "--cpu"])
    report = overlap.overlap(Bench(bench.build_settings(words, tmp_path)))
    rows = {row.label: row.figures for row in report.rows}
    for place in ("here", "elsewhere"):
        serial, parallel = (rows[f"{place}, {way}"] for way in overlap.WAYS)
        assert serial["frames"] == parallel["frames"] == 6
        assert serial["main_busy"] == pytest.approx(1, abs=0.05)
        assert {"read_busy", "sinks_busy"} <= set(parallel) - set(serial)
        ratio = rows[f"{place}, ratio"]["fps_ratio"]
        assert ratio == pytest.approx(parallel["fps"] / serial["fps"], rel=0.02)
    assert {"over_share", "embed_ms_per_crop"} <= set(rows["here, side by side"])
    assert "over_share" not in rows["elsewhere, side by side"]
    assert rows["here, side by side: draw"]["p50_ms"] > 0
