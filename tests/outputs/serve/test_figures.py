from __future__ import annotations

from helpers.fakes import FakeClock, blank_frame
from mot_dinov3.outputs.serve.figures import RECENT, LiveFigures
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.values import Detections, FrameResult, Tracks


class Counting(RunStatistics):
    summed = 0

    def facts(self, wall_s):
        self.summed += 1
        return super().facts(wall_s)


def told(board, statistics, clock, frames, step_s=0.1):
    for index in range(frames):
        clock.now_s += step_s
        frame = blank_frame(index)
        result = FrameResult(index, frame.time_s, Detections.empty(), Tracks.empty())
        statistics.add(result, {}, 10.0 + index)
        board.update(result, statistics)


def test_a_run_is_added_up_only_while_somebody_looks_and_not_for_every_frame():
    clock = FakeClock()
    board, statistics = LiveFigures(clock), Counting()
    told(board, statistics, clock, 100)
    assert statistics.summed == 1
    board.read()
    told(board, statistics, clock, 20)
    assert 3 <= statistics.summed <= 6
    clock.now_s += 60
    before = statistics.summed
    told(board, statistics, clock, 50)
    assert statistics.summed == before


def test_the_end_is_added_up_in_any_case():
    clock = FakeClock()
    board, statistics = LiveFigures(clock), Counting()
    told(board, statistics, clock, 30)
    board.end()
    out = board.read()
    assert out["over"]
    assert out["run"]["frames"] == 30
    assert out["run"]["wall_s"] == 2.9


def test_latency_is_that_of_each_frame_and_the_chart_is_bounded():
    clock = FakeClock()
    board, statistics = LiveFigures(clock), RunStatistics()
    told(board, statistics, clock, 3)
    assert [row[2] for row in board.read()["recent"]] == [10.0, 11.0, 12.0]
    told(board, statistics, clock, 2 * RECENT)
    assert len(board.read()["recent"]) == RECENT


def test_silence_is_told():
    clock = FakeClock()
    board, statistics = LiveFigures(clock), RunStatistics()
    told(board, statistics, clock, 1)
    clock.now_s += 7.0
    assert board.read()["silent_s"] == 7.0


def test_a_run_without_a_frame_has_figures_too():
    board = LiveFigures(FakeClock())
    board.end()
    assert board.read()["over"]
    assert "frame" not in board.read()
