"""Adds up a run: where every millisecond went, and what became of every embedding."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from mot_dinov3.runtime.distribution import Distribution
from mot_dinov3.values import EmbedCounts, FrameResult

STAGES = ("read", "detect", "embed", "track", "draw", "write")
"""What every run tells, in the order of the summary."""
ORDER = ("read", "detect", "camera", "cheap", "embed", "track", "draw", "write")
"""The same with stages that only some runs have."""
WAIT = "wait"
"""The stage in which a live source had nothing to give: neither work nor latency."""

TOLERANCE = 1.1
"""A frame counts as over its budget by more than noise from this factor on."""

NOTHING = Distribution()
"""Of a stage that no frame had."""

_COUNTS = ("critical", "refresh", "reused", "deferred", "starved", "nonfinite")


class RunStatistics:
    """Collects per-frame results in bounded memory.

    Attributes:
        frames: how many were counted.
        counts: what became of embeddings, by name.
        latency_ms: of frames.
        stage_ms: stage -> its time in the frames that had it.
        backlog: embeddings that were due and not computed in the last frame.
        detections: in all frames.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.counts: Counter[str] = Counter()
        self.latency_ms = Distribution()
        self.stage_ms: defaultdict[str, Distribution] = defaultdict(Distribution)
        self.backlog = 0
        self.detections = 0
        self._spent = _Spent()

    def add(self, result: FrameResult, stage_ms: Mapping[str, float], latency_ms: float) -> None:
        """Count one frame.

        Args:
            result: what the tracker said of it.
            stage_ms: all its stages, those of reading and writing included.
            latency_ms: from the beginning of its reading until it was written; more than its
                stages where it waited for a thread.
        """
        self.frames += 1
        self.detections += len(result.detections)
        self.latency_ms.add(latency_ms)
        for stage, ms in stage_ms.items():
            self.stage_ms[stage].add(ms)
        self._add_embed(result.embed)

    def _add_embed(self, embed: EmbedCounts) -> None:
        for name in _COUNTS:
            self.counts[name] += getattr(embed, name)
        self.backlog = embed.deferred + embed.starved
        self._spent.add(embed)

    def total_ms(self, stage: str | None = None) -> float:
        """Time of a stage in all frames, or of all stages."""
        if stage is not None:
            return self.stage_ms.get(stage, NOTHING).total
        return sum(spent.total for spent in self.stage_ms.values())

    @property
    def computed(self) -> int:
        """Crops embedded so far."""
        return self.counts["critical"] + self.counts["refresh"]

    def summary(self, wall_s: float) -> dict[str, Any]:
        """The figures of `--stats-json` that come from frames; names are stable."""
        return {
            "frames": self.frames,
            "wall_s": round(wall_s, 3),
            "fps": round(self.frames / wall_s, 3) if wall_s > 0 else 0.0,
            "latency_ms": self.latency_ms.summary(),
            "stages": self._stages(),
            "embeddings": self._embeddings(),
            "budget": self._budget(),
            "detections": self.detections,
        }

    def _stages(self) -> dict[str, dict[str, float]]:
        total = self.total_ms() or 1.0
        extra = [name for name in self.stage_ms if name not in ORDER]
        usual = [name for name in ORDER if name in STAGES or name in self.stage_ms]
        out = {}
        for stage in (*usual, *extra):
            spent = self.stage_ms.get(stage, NOTHING)
            share = round(spent.total / total, 4)
            mean = round(spent.total / max(self.frames, 1), 3)
            out[stage] = {"mean_ms": mean, "p95_ms": spent.summary()["p95"], "share": share}
        return out

    def _embeddings(self) -> dict[str, float]:
        out: dict[str, float] = {"computed": self.computed}
        out |= {name: self.counts[name] for name in _COUNTS}
        out["per_frame"] = round(self.computed / max(self.frames, 1), 3)
        return out

    def _budget(self) -> dict[str, float]:
        """Overshoots; `fitted` frames are those whose critical work alone was within budget."""
        spent = self._spent
        usual = float(spent.limit_ms.quantiles([0.5])[0])
        out: dict[str, float] = {"ms": round(usual, 3), "frames_over": 0, "worst_over_ms": 0.0}
        if usual:
            out["frames_over"] = spent.frames["over"]
            out["worst_over_ms"] = round(spent.worst_over_ms, 3)
            out["frames_critical_over"] = spent.frames["critical_over"]
            out["fitted_frames_over_1_1"] = spent.frames["fitted_over"]
            out["used_ms_mean"] = round(spent.embed_ms / self.frames, 3)
        if spent.ratio.count:
            p50, p95 = spent.ratio.quantiles([0.5, 0.95]).tolist()
            out["measured_over_predicted_p50"] = round(p50, 3)
            out["measured_over_predicted_p95"] = round(p95, 3)
        return out


class _Spent:
    """What embedding took, beside what it was allowed and expected to take."""

    def __init__(self) -> None:
        self.limit_ms, self.ratio = Distribution(), Distribution()
        self.frames: Counter[str] = Counter()
        self.embed_ms = self.worst_over_ms = 0.0

    def add(self, embed: EmbedCounts) -> None:
        """Count one frame; without a limit nothing is over it."""
        spent_ms, limit_ms = embed.embed_ms, embed.budget_ms
        self.embed_ms += spent_ms
        self.limit_ms.add(limit_ms)
        if embed.predicted_ms > 0:
            self.ratio.add(spent_ms / embed.predicted_ms)
        if limit_ms <= 0:
            return
        fitted = embed.critical_ms <= limit_ms
        self.worst_over_ms = max(self.worst_over_ms, spent_ms - limit_ms)
        self.frames["over"] += spent_ms > limit_ms
        self.frames["critical_over"] += not fitted
        self.frames["fitted_over"] += fitted and spent_ms > TOLERANCE * limit_ms
