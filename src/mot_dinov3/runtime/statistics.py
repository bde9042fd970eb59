"""Adds up a run: where every millisecond went, and what became of every embedding."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from mot_dinov3.runtime.distribution import Distribution
from mot_dinov3.runtime.identities import IdentityCounter
from mot_dinov3.values import SEARCHED, EmbedCounts, FrameResult
from mot_dinov3.values.run_facts import (
    BudgetFacts,
    EmbeddingFacts,
    RunFacts,
    SearchFacts,
    StageFacts,
)

STAGES = ("read", "detect", "embed", "track", "draw", "write")
"""Stages of every run, in the order of the summary."""
ORDER = ("read", "detect", "search", "camera", "cheap", "embed", "track", "count", "draw", "write")
"""Stages of every run and those of some runs, in the order of the summary."""
WAIT = "wait"
"""The stage in which a live source had nothing to give: neither work nor latency."""

TOLERANCE = 1.1
"""A frame counts as over its budget by more than noise from this factor on."""

NOTHING = Distribution()
"""The times of a stage that no frame had."""

_COUNTS = (
    "critical",
    "refresh",
    "reused",
    "deferred",
    "starved",
    "nonfinite",
    "without_track",
)


class RunStatistics:
    """Collects per-frame results in bounded memory.

    Attributes:
        frames: number of frames that were added.
        counts: number of embeddings by what became of them, in all frames.
        latency_ms: latencies of the frames.
        stage_ms: stage -> its times in the frames that had it.
        backlog: embeddings that were due and not computed in the last frame.
        detections: number of detections in all frames.
        searched: number of boxes in all frames that a searcher stands for, and no detection.
        identities: the confirmed tracks and their classes.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.identities = IdentityCounter()
        self.counts: Counter[str] = Counter()
        self.latency_ms = Distribution()
        self.stage_ms: defaultdict[str, Distribution] = defaultdict(Distribution)
        self.backlog = 0
        self.detections = self.searched = 0
        self._spent = _Spent()

    def add(self, result: FrameResult, stage_ms: Mapping[str, float], latency_ms: float) -> None:
        """Count one frame.

        Args:
            result: what the system said of the frame.
            stage_ms: milliseconds of all its stages, those of reading and writing included.
            latency_ms: milliseconds from the beginning of its reading until it was written; more
                than the sum of its stages where the frame waited for a thread.
        """
        self.frames += 1
        self.detections += len(result.detections)
        self.latency_ms.add(latency_ms)
        for stage, ms in stage_ms.items():
            self.stage_ms[stage].add(ms)
        self.identities.add(result.tracks)
        if "search" in stage_ms:
            tracks = result.tracks
            here = tracks.state == SEARCHED if "detect" in stage_ms else tracks.placed
            self.searched += int(here.sum())
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

    def facts(self, wall_s: float) -> RunFacts:
        """The facts that come from frames; every other field is None.

        Args:
            wall_s: seconds that the frames took together.
        """
        budget = self._budget()
        return RunFacts(
            frames=self.frames,
            wall_s=wall_s,
            fps=self.frames / wall_s if wall_s > 0 else 0.0,
            latency_ms=self.latency_ms.spread(),
            stages=self._stages(),
            embeddings=self._embeddings(),
            budget=budget,
            search=self._search(),
            detections=self.detections,
            repeatable=False if budget.ms else None,
        )

    def _stages(self) -> dict[str, StageFacts]:
        total = self.total_ms() or 1.0
        extra = [name for name in self.stage_ms if name not in ORDER]
        usual = [name for name in ORDER if name in STAGES or name in self.stage_ms]
        out = {}
        for stage in (*usual, *extra):
            spent = self.stage_ms.get(stage, NOTHING)
            mean_ms = spent.total / max(self.frames, 1)
            out[stage] = StageFacts(mean_ms, spent.spread().p95, spent.total / total)
        return out

    def _embeddings(self) -> EmbeddingFacts:
        per_frame = self.computed / max(self.frames, 1)
        counts = {name: self.counts[name] for name in _COUNTS}
        return EmbeddingFacts(self.computed, **counts, per_frame=per_frame)

    def _search(self) -> SearchFacts | None:
        if "search" not in self.stage_ms:
            return None
        return SearchFacts(self.stage_ms.get("detect", NOTHING).count, self.searched)

    def _budget(self) -> BudgetFacts:
        spent = self._spent
        usual_ms = float(spent.limit_ms.quantiles([0.5])[0])
        ratio = spent.ratio.spread() if spent.ratio.count else None
        limited = usual_ms > 0
        return BudgetFacts(
            ms=usual_ms,
            frames_over=spent.frames["over"] if limited else 0,
            worst_over_ms=spent.worst_over_ms if limited else 0.0,
            frames_critical_over=spent.frames["critical_over"],
            fitted_frames_over_1_1=spent.frames["fitted_over"],
            used_ms_mean=spent.embed_ms / max(self.frames, 1),
            measured_over_predicted_p50=ratio.p50 if ratio else None,
            measured_over_predicted_p95=ratio.p95 if ratio else None,
        )


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
