"""What a policy costs a frame: from detections and predicted tracks to a plan."""

from __future__ import annotations

from time import perf_counter

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.machine import run_on_one_core
from mot_dinov3.lab.recordings.clip import ClipPlayer
from mot_dinov3.lab.recordings.crowd import record_crowd
from mot_dinov3.runtime.distribution import summarise
from mot_dinov3.scheduling.policies.base import PlanInput, Policy
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.values import EmbedPlan

BAR_MS = 0.5
PEOPLE = 100
DIM = 384
FRAMES, SKIPPED = 240, 20
REPEATS = 3

ALL_SEEN = "all seen"
CROWDS = {
    ALL_SEEN: CrowdConfig(PEOPLE, DIM),
    "a tenth missed, some lost": CrowdConfig(PEOPLE, DIM, life_frames=400, missed=0.1),
}


def measure_planning(context: BenchmarkContext) -> Report:
    """Measure milliseconds of a plan for 100 detections and 100 tracks, on one core."""
    names = dict.fromkeys(("value", "continuity", context.settings.config.scheduler.embed_policy))
    rows = []
    for name in names:
        for title, crowd in CROWDS.items():
            bar = Bar("p95_ms", BAR_MS) if name == "value" and title == ALL_SEEN else None
            config = context.settings.config
            figures = run_on_one_core(time_plans, config, name, crowd, context.settings.rounds)
            rows.append(ResultRow(f"{name}, {title}", figures, bar))
    notes = [
        f"A plan is pure: each is made {REPEATS} times and the fastest counts, so that what "
        "other programs take of the core does not."
    ]
    return Report(f"a plan for {PEOPLE} x {PEOPLE}", rows, notes)


class TimedPolicy(Policy):
    """A policy that measures how long another one takes, and how many tracks it is given."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.spent_ms: list[float] = []
        self.tracks: list[int] = []
        self.lost: list[int] = []

    def plan(self, scene: PlanInput) -> EmbedPlan:
        """The plan of the policy behind it."""
        fastest_s = float("inf")
        for _ in range(REPEATS):
            started_s = perf_counter()
            out = self.policy.plan(scene)
            fastest_s = min(fastest_s, perf_counter() - started_s)
        self.spent_ms.append(fastest_s * 1000)
        self.tracks.append(len(scene.track_id))
        self.lost.append(len(scene.lost_id))
        return out


def time_plans(config: TrackConfig, name: str, crowd: CrowdConfig, rounds: int) -> Figures:
    """Measure milliseconds of a plan, after a warm-up, and how much there was to plan."""
    recorded = record_crowd(crowd, FRAMES)
    spent_ms: list[float] = []
    tracks = lost = 0.0
    for _ in range(rounds):
        timed = TimedPolicy(create_policy(SchedulerConfig(embed_policy=name)))
        player = ClipPlayer(recorded)
        tracker = assemble(config, Models(player, player))
        tracker.policy = timed
        for frame in recorded.black_frames():
            tracker.step(frame)
        spent_ms += timed.spent_ms[SKIPPED:]
        tracks = sum(timed.tracks) / len(timed.tracks)
        lost = sum(timed.lost) / len(timed.lost)
    figures = summarise(spent_ms)
    return {
        "plans": len(spent_ms),
        "detections": round(recorded.per_frame, 1),
        "tracks": round(tracks, 1),
        "lost": round(lost, 1),
        "p50_ms": figures["p50"],
        "p95_ms": figures["p95"],
    }
