"""Replays a recording with one policy on one budget: scheduling and tracking only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.config.presets import preset
from mot_dinov3.errors import UsageError
from mot_dinov3.io.formats.mot import MotTable, MotWriter, read_mot
from mot_dinov3.lab.recordings.clip import CheapEvidencePlayer, ClipPlayer
from mot_dinov3.lab.recordings.clock import CostMeter, CostTable, VirtualClock
from mot_dinov3.lab.recordings.oracle import ObservedTracker, OraclePolicy
from mot_dinov3.lab.recordings.policies import ORACLE, REPLAY_POLICIES
from mot_dinov3.lab.recordings.recording import Recording
from mot_dinov3.scheduling.policies.base import Policy
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.values import EmbedCounts
from mot_dinov3.wording import program

LESSONS = 12
"""Batches of each size that the cost model has seen when a replay begins: no caution is left."""


@dataclass(frozen=True, slots=True)
class ReplayCase:
    """A policy on a budget.

    Attributes:
        policy: as after `--embed-policy`, such as "interval:5".
        budget_ms: milliseconds a frame for refreshes, 0 for no limit.
        budget_crops: the same in crops.
        cheap: with the cheap evidence that was recorded.
    """

    policy: str
    budget_ms: float = 0.0
    budget_crops: int = 0
    cheap: bool = False

    @property
    def family(self) -> str:
        """The policy without its argument."""
        return self.policy.partition(":")[0]

    @property
    def line(self) -> str:
        """What it is drawn and compared as: its family, with or without cheap evidence."""
        return f"{self.family}+cheap" if self.cheap else self.family

    @property
    def argument(self) -> str:
        """What stands behind the policy's colon."""
        return self.policy.partition(":")[2]

    @property
    def title(self) -> str:
        """The case in a word or three."""
        name = f"{self.policy}+cheap" if self.cheap else self.policy
        if self.budget_ms:
            return f"{name} {self.budget_ms:g} ms"
        return f"{name} {self.budget_crops} crops" if self.budget_crops else name

    def scheduler(self, base: SchedulerConfig) -> SchedulerConfig:
        """The scheduler's settings for it; a hard budget needs one to enforce.

        Raises:
            UsageError: the policy makes no sense.
        """
        limited = bool(self.budget_ms or self.budget_crops)
        return replace(
            base,
            embed_policy=self.policy,
            embed_all=False,
            budget_ms=self.budget_ms,
            budget_crops=self.budget_crops,
            hard_budget=base.hard_budget and limited,
        )


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The result of replaying one case.

    Attributes:
        table: the tracks, as the MOT text says them.
        sha256: of that text.
        counts: what the embedding step did, frame by frame; times are the virtual clock's.
    """

    table: MotTable
    sha256: str
    counts: list[EmbedCounts]

    @property
    def crops(self) -> int:
        """Count the crops that went through the embedder."""
        return sum(item.computed for item in self.counts)

    @property
    def embed_ms(self) -> float:
        """Milliseconds of embedding in all."""
        return sum(item.embed_ms for item in self.counts)


def replay(recording: Recording, config: TrackConfig, case: ReplayCase, path: Path) -> ReplayResult:
    """Track a recording and write its MOT text to `path`; the same in every run.

    Args:
        recording: what was recorded.
        config: scheduler and tracker; `conf` is the preset's, or else the recording's.
        case: policy and budget.
        path: where the tracks go.

    Raises:
        MotError: no such policy, it lacks what it needs, or the text cannot be written.
    """
    conf = preset(config.tracker.tracker).get("conf", recording.conf)
    config = replace(config, detector=replace(config.detector, conf=conf))
    scheduler = case.scheduler(config.scheduler)
    clock = VirtualClock()
    player = ClipPlayer(recording.clip, CostMeter(recording.costs, clock))
    policy = create_replay_policy(recording, case, scheduler)
    keeper = ObservedTracker.of(config, recording.prior)
    spender = EmbeddingScheduler(scheduler, clock, whole_frame=recording.clip.whole_frame)
    if case.cheap:
        require_cheap(recording)
    cheap = CheapEvidencePlayer(recording.clip, player) if case.cheap else None
    models = Models(player, player, cheap)
    tracker = ModularTracker(models, policy, spender, keeper)
    if isinstance(policy, OraclePolicy):
        policy.attach(keeper, lambda index: recording.clip.frames[index].vectors)
    teach_costs(spender, recording.costs)
    counts = []
    with MotWriter(path, recording.clip.names) as writer:
        for frame in recording.clip.black_frames():
            result = tracker.step(frame)
            writer.write(frame.index, result.tracks)
            counts.append(result.embed)
            if isinstance(policy, OraclePolicy):
                policy.learn(result)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ReplayResult(read_mot(path), digest, counts)


def require_cheap(recording: Recording) -> None:
    """Refuse cheap evidence where none was recorded.

    Raises:
        UsageError: names the source.
    """
    if not recording.clip.cheap_dim:
        raise UsageError(
            f"The cache of '{recording.origin.name}' holds no cheap evidence.",
            fix=f"Leave out --cheap-evidence, or record it: {program()} cache --cheap-evidence "
            "detector --replace",
        )


def create_replay_policy(
    recording: Recording, case: ReplayCase, scheduler: SchedulerConfig
) -> Policy:
    """Build the policy of a case for this recording.

    Raises:
        UsageError: it needs embeddings or ground truth, and there are none.
        UnknownNameError: there is no such policy.
    """
    if not recording.dim and REPLAY_POLICIES.load(case.family).embeds:
        raise UsageError(
            f"The cache of '{recording.origin.name}' has no embeddings for {case.policy}.",
            fix="Cache it with an embedder, or replay --policies never alone.",
        )
    if case.family != ORACLE:
        return create_policy(scheduler)
    if recording.truth is None:
        raise UsageError(
            f"The policy {ORACLE} needs the ground truth of '{recording.origin.name}'.",
            fix="Leave it out, or cache the source with --truth FILE.",
        )
    return OraclePolicy(scheduler, case.argument, recording.truth, list(recording.clip.frames))


def teach_costs(scheduler: EmbeddingScheduler, costs: CostTable) -> None:
    """Let the cost model know every batch size, so that it never has to fit a line."""
    if costs.embed_ms:
        for n in range(1, scheduler.config.critical_batch + 1):
            for _ in range(LESSONS):
                scheduler.model.observe(n, costs.batch_ms(n))
