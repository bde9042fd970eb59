"""The figures of a run that the page shows, as plain values."""

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
"""Seconds between summaries: one takes a millisecond, too much for every frame."""
WATCHED_S = 3.0
"""Seconds without a request after which the page counts as closed."""


class LiveFigures:
    """The latest figures; the thread of the loop writes them, those of the page read them.

    A value that is read is replaced as a whole and never changed, so no thread waits for another.

    Attributes:
        total: number of frames that are expected, 0 if unknown.
        over: the run has ended.
    """

    def __init__(self, clock: Clock = perf_counter) -> None:
        self.total = 0
        self.over = False
        self._clock = clock
        self._began_s = self._summed_s = clock()
        self._requested_s = float("-inf")
        self._latest: tuple[FrameResult, float] | None = None
        self._statistics: RunStatistics | None = None
        self._run: dict[str, Any] = {}
        self._recent: deque[tuple[float, float, float]] = deque(maxlen=RECENT)
        self._latency_ms = 0.0

    def update(self, result: FrameResult, statistics: RunStatistics) -> None:
        """Take one more frame.

        Args:
            result: of the frame.
            statistics: of the run up to and with this frame.
        """
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
        """Note that the run has ended."""
        self._sum_up(self._clock())
        self.over = True

    def is_watched(self) -> bool:
        """Whether a browser requested the figures a moment ago."""
        return self._clock() - self._requested_s < WATCHED_S

    def read(self) -> dict[str, Any]:
        """The run so far: `frame` (the latest), `run` (as in `--stats-json`), `recent`."""
        now_s = self._requested_s = self._clock()
        out: dict[str, Any] = {"over": self.over, "total": self.total, "run": self._run}
        out["recent"] = [[round(value, 2) for value in row] for row in self._recent.copy()]
        if self._latest is not None:
            result, updated_s = self._latest
            out["frame"] = describe_frame(result)
            out["silent_s"] = round(now_s - updated_s, 1)
        return out

    def _sum_up(self, now_s: float) -> None:
        if self._statistics is not None:
            facts = self._statistics.facts(now_s - self._began_s)
            self._run = {**to_stats(facts), "backlog": self._statistics.backlog}
            self._summed_s = now_s


def describe_frame(result: FrameResult) -> dict[str, Any]:
    """The counters of one frame, the same as in the progress line."""
    embed = result.embed
    return {
        "index": result.frame_index,
        "time_s": round(result.time_s, 2),
        "tracks": int(result.tracks.placed.sum()),
        "detections": len(result.detections),
        "computed": embed.computed,
        "embed_ms": round(embed.embed_ms, 2),
        "budget_ms": round(embed.budget_ms, 2),
    }
