"""Adds up a run: where every millisecond went, and what became of every embedding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from mot_dinov3.structures import EmbedCounts, FrameResult
from mot_dinov3.timing import summarise

STAGES = ("read", "detect", "embed", "track", "draw", "write")
"""What every run tells, in the order of the summary."""
ORDER = ("read", "detect", "camera", "cheap", "embed", "track", "draw", "write")
"""The same with stages that only some runs have."""
WAIT = "wait"
"""The stage in which a live source had nothing to give: neither work nor latency."""

TOLERANCE = 1.1
"""A frame counts as over its budget by more than noise from this factor on."""

_COUNTS = ("critical", "refresh", "reused", "deferred", "starved", "nonfinite")


class RunStatistics:
    """Collects per-frame results; memory grows by a few floats a frame."""

    def __init__(self) -> None:
        self.frames = 0
        self.counts: Counter[str] = Counter()
        self.latency_ms: list[float] = []
        self.stage_ms: dict[str, list[float]] = {}
        self.backlog = 0
        self.detections = 0
        self._spent: list[tuple[float, float, float, float]] = []

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
        self.latency_ms.append(latency_ms)
        for stage, ms in stage_ms.items():
            self.stage_ms.setdefault(stage, []).append(ms)
        self._add_embed(result.embed)

    def _add_embed(self, embed: EmbedCounts) -> None:
        for name in _COUNTS:
            self.counts[name] += getattr(embed, name)
        self.backlog = embed.deferred + embed.starved
        limit_ms = embed.budget_ms
        self._spent.append((embed.embed_ms, embed.critical_ms, embed.predicted_ms, limit_ms))

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
            "latency_ms": summarise(self.latency_ms),
            "stages": self._stages(),
            "embeddings": self._embeddings(),
            "budget": self._budget(),
            "detections": self.detections,
        }

    def _stages(self) -> dict[str, dict[str, float]]:
        total = sum(map(sum, self.stage_ms.values())) or 1.0
        extra = [name for name in self.stage_ms if name not in ORDER]
        usual = [name for name in ORDER if name in STAGES or name in self.stage_ms]
        out = {}
        for stage in (*usual, *extra):
            samples = self.stage_ms.get(stage, [])
            figures = summarise(samples)
            share = round(sum(samples) / total, 4)
            mean = round(sum(samples) / max(self.frames, 1), 3)
            out[stage] = {"mean_ms": mean, "p95_ms": figures["p95"], "share": share}
        return out

    def _embeddings(self) -> dict[str, float]:
        out: dict[str, float] = {"computed": self.computed}
        out |= {name: self.counts[name] for name in _COUNTS}
        out["per_frame"] = round(self.computed / max(self.frames, 1), 3)
        return out

    def _budget(self) -> dict[str, float]:
        """Overshoots; `fitted` frames are those whose critical work alone was within budget."""
        spent = np.array(self._spent, np.float64).reshape(-1, 4)
        embed, critical, predicted, limit = spent.T
        usual = float(np.median(limit)) if len(spent) else 0.0
        out: dict[str, float] = {"ms": round(usual, 3), "frames_over": 0, "worst_over_ms": 0.0}
        if usual:
            fitted = critical <= limit
            out["frames_over"] = int((embed > limit).sum())
            out["worst_over_ms"] = round(float(np.maximum(embed - limit, 0).max()), 3)
            out["frames_critical_over"] = int((~fitted).sum())
            out["fitted_frames_over_1_1"] = int((embed > TOLERANCE * limit)[fitted].sum())
            out["used_ms_mean"] = round(float(embed.mean()), 3)
        worked = predicted > 0
        if worked.any():
            ratio = embed[worked] / predicted[worked]
            out["measured_over_predicted_p50"] = round(float(np.median(ratio)), 3)
            out["measured_over_predicted_p95"] = round(float(np.quantile(ratio, 0.95)), 3)
        return out
