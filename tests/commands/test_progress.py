from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import boxes
from mot_dinov3.commands import progress
from mot_dinov3.commands.progress import ProgressBar, describe_state
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import EmbedCounts, FrameResult, Tracks


def result(index, **embed):
    tracks = Tracks(
        np.array([1, 2]), np.zeros((2, 4), np.float32), np.ones(2, np.float32),
        np.zeros(2, np.int64), np.ones(2, np.int8), np.zeros(2, bool), np.array([0, -1]),
    )  # fmt: skip
    return FrameResult(index, index / 25, boxes((0, 0, 5, 5)), tracks, EmbedCounts(**embed))


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress, "perf_counter", lambda: now[0])
    return now


def feed(tell, clock, frames, step_s, **embed):
    statistics = RunStatistics()
    with tell:
        for index in range(frames):
            one = result(index, **embed)
            statistics.add(one, {"detect": 1.0}, 1.0)
            tell(one, statistics)
            clock[0] += step_s


def test_a_line_each_five_seconds_where_there_is_no_terminal(clock, capsys):
    feed(ProgressBar(30, quiet=False), clock, 30, 0.5)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["frame 11/30", "frame 21/30"]
    assert lines[0] == "frame 11/30, 2.2 FPS, ETA 9 s, trk 1 emb 0 budget - backlog 0"


def test_an_endless_source_has_no_eta(clock, capsys):
    feed(ProgressBar(0, quiet=False), clock, 12, 0.5)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("frame 11, ")
    assert "ETA" not in line


def test_quiet_is_silent(clock, capsys):
    feed(ProgressBar(30, quiet=True), clock, 30, 5.0)
    assert capsys.readouterr() == ("", "")


def test_the_state_tells_of_budget_and_backlog():
    statistics = RunStatistics()
    one = result(0, critical=2, refresh=1, deferred=4, starved=1, budget_ms=20.0, embed_ms=12.6)
    statistics.add(one, {}, 0.0)
    assert describe_state(one, statistics) == "trk 1 emb 3 budget 13/20ms backlog 5"
    lent = result(1, budget_ms=22.497, embed_ms=12.6)
    assert "budget 13/22.5ms" in describe_state(lent, statistics)
