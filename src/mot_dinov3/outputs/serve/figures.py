"""What the page tells of a run, as plain values."""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import Any

from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.runtime.timing import Clock
from mot_dinov3.values import FrameResult
from mot_dinov3.values.stats_json import to_stats

RECENT = 150
"""Frames that the chart shows."""
SUMMED_EVERY_S = 0.5
"""Adding a run up takes a millisecond: not for every frame."""
WATCHED_S = 3.0
"""Whoever has not asked for so long does not look any more."""


class LiveFigures:
    """Keeps the latest figures; written in the loop's thread, read by those of the page.

    What is read is replaced as a whole, never changed, so nobody waits for anybody.

    Attributes:
        total: frames expected, 0 if unknown.
        over: the run has ended.
    """

    def __init__(self, clock: Clock = perf_counter) -> None:
        self.total = 0
        self.over = False
        self._clock = clock
        self._began_s = self._summed_s = clock()
        self._asked_s = float("-inf")
        self._latest: tuple[FrameResult, float] | None = None
        self._statistics: RunStatistics | None = None
        self._run: dict[str, Any] = {}
        self._recent: deque[tuple[float, float, float]] = deque(maxlen=RECENT)
        self._latency_ms = 0.0

    def tell(self, result: FrameResult, statistics: RunStatistics) -> None:
        """Hear of one more frame."""
        now_s = self._clock()
        if self._latest is None:
            self._began_s = now_s
        latency_ms = statistics.latency_ms.total - self._latency_ms
        self._latency_ms = statistics.latency_ms.total
        self._recent.append((result.embed.embed_ms, result.embed.budget_ms, latency_ms))
        self._latest, self._statistics = (result, now_s), statistics
        due = now_s - self._summed_s >= SUMMED_EVERY_S
        if not self._run or (due and self.is_watched()):
            self._sum_up(now_s)

    def end(self) -> None:
        """Hear that no frame comes any more."""
        self._sum_up(self._clock())
        self.over = True

    def is_watched(self) -> bool:
        """Whether somebody asked for the figures a moment ago."""
        return self._clock() - self._asked_s < WATCHED_S

    def figures(self) -> dict[str, Any]:
        """The run so far: `frame` (the latest), `run` (as in `--stats-json`), `recent`."""
        now_s = self._asked_s = self._clock()
        out: dict[str, Any] = {"over": self.over, "total": self.total, "run": self._run}
        out["recent"] = [[round(value, 2) for value in row] for row in self._recent.copy()]
        if self._latest is not None:
            result, told_s = self._latest
            out["frame"] = describe_frame(result)
            out["silent_s"] = round(now_s - told_s, 1)
        return out

    def _sum_up(self, now_s: float) -> None:
        if self._statistics is not None:
            facts = self._statistics.facts(now_s - self._began_s)
            self._run = {**to_stats(facts), "backlog": self._statistics.backlog}
            self._summed_s = now_s


def describe_frame(result: FrameResult) -> dict[str, Any]:
    """One frame's counters: those of the progress line."""
    embed = result.embed
    return {
        "index": result.frame_index,
        "time_s": round(result.time_s, 2),
        "tracks": int((result.tracks.detection >= 0).sum()),
        "detections": len(result.detections),
        "computed": embed.computed,
        "embed_ms": round(embed.embed_ms, 2),
        "budget_ms": round(embed.budget_ms, 2),
    }
