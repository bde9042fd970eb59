"""What a policy costs a frame: from detections and predicted tracks to a plan."""

from __future__ import annotations

from time import perf_counter

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.alone import on_one_core
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, Row
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.recordings.crowd import crowd_tape
from mot_dinov3.lab.recordings.tape import TapePlayer
from mot_dinov3.runtime.distribution import summarise
from mot_dinov3.scheduling.policies.base import PlanInput, Policy
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.modular import Models
from mot_dinov3.values import EmbedPlan

BAR_MS = 0.5
PEOPLE = 100
DIM = 384
FRAMES, SKIPPED = 240, 20
REPEATS = 3

CROWDS = {
    "everybody seen": CrowdConfig(PEOPLE, DIM),
    "a tenth missed, some lost": CrowdConfig(PEOPLE, DIM, life_frames=400, missed=0.1),
}


def planning(bench: Bench) -> Report:
    """Milliseconds of a plan for 100 detections and 100 tracks, on one core."""
    names = dict.fromkeys(("value", "continuity", bench.settings.config.scheduler.embed_policy))
    rows = []
    for name in names:
        for title, crowd in CROWDS.items():
            seen = title == "everybody seen"
            bar = Bar("p95_ms", BAR_MS) if name == "value" and seen else None
            config = bench.settings.config
            figures = on_one_core(plan_cost, config, name, crowd, bench.settings.rounds)
            rows.append(Row(f"{name}, {title}", figures, bar))
    notes = [f"A plan is pure: each is made {REPEATS} times and the fastest counts, so that what "
             "other programs take of the core does not."]  # fmt: skip
    return Report(f"a plan for {PEOPLE} x {PEOPLE}", rows, notes)


class Witness(Policy):
    """A policy that remembers what it saw and how long it took."""

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


def plan_cost(config: TrackConfig, name: str, crowd: CrowdConfig, rounds: int) -> Figures:
    """Milliseconds of a plan, after a warm-up, over all rounds, and how much there was to plan."""
    tape = crowd_tape(crowd, FRAMES)
    spent_ms: list[float] = []
    tracks = lost = 0.0
    for _ in range(rounds):
        witness = Witness(create_policy(SchedulerConfig(embed_policy=name)))
        player = TapePlayer(tape)
        tracker = assemble(config, Models(player, player))
        tracker.policy = witness
        for frame in tape.frames():
            tracker.step(frame)
        spent_ms += witness.spent_ms[SKIPPED:]
        tracks = sum(witness.tracks) / len(witness.tracks)
        lost = sum(witness.lost) / len(witness.lost)
    figures = summarise(spent_ms)
    return {
        "plans": len(spent_ms),
        "detections": round(tape.per_frame, 1),
        "tracks": round(tracks, 1),
        "lost": round(lost, 1),
        "p50_ms": figures["p50"],
        "p95_ms": figures["p95"],
    }
