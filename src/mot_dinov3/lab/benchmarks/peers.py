"""The tracker beside other people's, on the same detections: everything but the networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.synthetic.crowd import HEIGHT, WIDTH, CrowdConfig
from mot_dinov3.lab.benchmarks.association import (
    DIM,
    embed_by_place,
    measure_step_costs,
    record_mot_file,
)
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import compare_rounds, count_rounds
from mot_dinov3.lab.benchmarks.machine import open_one_core_pool
from mot_dinov3.lab.benchmarks.peer_link import PeerLink, save_rows
from mot_dinov3.lab.benchmarks.peer_process import PEERS
from mot_dinov3.lab.recordings.clip import RecordedClip
from mot_dinov3.lab.recordings.crowd import record_crowd
from mot_dinov3.perception.detectors.factory import detector_kind
from mot_dinov3.runtime.distribution import summarise
from mot_dinov3.values import Detections, Frame
from mot_dinov3.wording import counted

BARS = {"trackers ByteTrack": 2.0, "ultralytics BYTETracker": 3.0, "boxmot sfsort": 1.5}
"""How many times the time of ours a peer's frame should take at least."""

FRAMES, SKIPPED = 300, 20
CROWD = CrowdConfig(people=27, life_frames=300, missed=0.1)
OURS = {"ours, with embeddings": DIM, "ours, motion only": 0}

OwnPass = Callable[[int], list[float]]


@dataclass(slots=True)
class Duel:
    """Milliseconds a frame of a peer and, in the passes just before, of ours with embeddings."""

    ours: list[list[float]] = field(default_factory=list)
    theirs: list[list[float]] = field(default_factory=list)
    tracks: float = 0.0
    version: str = ""
    problem: str = ""

    def ratios(self) -> Figures:
        """How many times slower the peer is, round by round."""
        theirs, ours = (
            [float(np.median(one)) for one in many] for many in (self.theirs, self.ours)
        )
        return compare_rounds(theirs, ours, "ratio")


def measure_peers(context: BenchmarkContext) -> Report:
    """Measure milliseconds of a tracker's step, ours and each peer in turn, one thread each."""
    config, rounds = context.settings.config, count_rounds(context.settings.rounds)
    recorded = record_boxes(config, context.settings.frames or FRAMES)
    rows = context.directory / "rows.npz"
    save_rows(recorded, rows, (int(WIDTH), int(HEIGHT)))
    motion: list[list[float]] = []
    with (
        open_one_core_pool() as pool,
        PeerLink(context.settings.peers_python, rows, context.directory / "peers.log") as link,
    ):

        def own(dim: int) -> list[float]:
            return pool.submit(time_own_pass, rows, config, dim).result()

        duels = {name: Duel() for name in PEERS}
        for _ in range(rounds):
            motion.append(own(0))
            for name, duel in duels.items():
                run_round(duel, own, link, name)
    return build_report(recorded, duels, motion, rounds)


def record_boxes(config: TrackConfig, frames: int) -> RecordedClip:
    """Recorded detections where `--det mot:FILE` names some, else those of a drawn crowd."""
    if detector_kind(config.detector.det).stored:
        return record_mot_file(config.detector, frames)
    return record_crowd(CROWD, frames)


def run_round(duel: Duel, own: OwnPass, link: PeerLink, name: str) -> None:
    """Run one pass of ours and one of the peer; a peer that has failed is not asked again."""
    if duel.problem:
        return
    ours = own(DIM)
    reply = link.ask(name)
    duel.problem = reply.get("problem", "")
    if not duel.problem:
        duel.ours.append(ours[SKIPPED:])
        duel.theirs.append(reply["ms"][SKIPPED:])
        duel.tracks, duel.version = reply["tracks"], reply["version"]


def time_own_pass(rows: Path, config: TrackConfig, dim: int) -> list[float]:
    """Measure milliseconds a frame of everything but detecting and embedding."""
    return measure_step_costs(config, read_boxes(rows, dim))


@lru_cache(maxsize=2)
def read_boxes(rows: Path, dim: int) -> RecordedClip:
    """Read the boxes that `save_rows` wrote; with `dim`, embeddings are made up from them."""
    with np.load(rows) as file:
        table, count, size = file["rows"].astype(np.float32), int(file["frames"]), file["size"]
    recorded = RecordedClip("rows", {0: "person"}, frame_wh=(int(size[0]), int(size[1])))
    nothing = np.zeros((1, 1, 3), np.uint8)
    for number in range(count):
        own = table[table[:, 0] == number]
        boxes, score = np.ascontiguousarray(own[:, 1:5]), own[:, 5].copy()
        seen = Detections(boxes, score, np.zeros(len(own), np.int64))
        vectors = embed_by_place(seen, dim) if dim else None
        recorded.add(Frame(number, number / 30, nothing), seen, vectors)
    return recorded


def build_report(
    recorded: RecordedClip, duels: dict[str, Duel], motion: list[list[float]], rounds: int
) -> Report:
    """Build a row for ours with and without embeddings, and one for each peer."""
    embedded = [one for duel in duels.values() for one in duel.ours]
    rows = []
    for label, passes in zip(OURS, (embedded, motion), strict=True):
        if passes:
            rows.append(ResultRow(label, summarise_passes(passes)))
    for name, duel in duels.items():
        bar = Bar("ratio", BARS[name], at_least=True) if name in BARS else None
        if duel.problem:
            rows.append(ResultRow(name, {}, skipped=duel.problem))
        else:
            figures = (
                summarise_passes(duel.theirs) | duel.ratios() | {"tracks": round(duel.tracks, 1)}
            )
            rows.append(ResultRow(f"{name} {duel.version}", figures, bar))
    notes = [
        f"{rounds} rounds, ours before every peer; ratio: a peer's median frame over that of ours "
        "with embeddings, median of the rounds. Processor time. Peers track by motion alone; "
        "their input objects are made beforehand.",
        "settings: " + "; ".join(f"{name}: {peer.settings}" for name, peer in PEERS.items()),
    ]
    frames = counted(len(recorded), "frame")
    title = f"a tracker's step: {recorded.title}, {frames}, {recorded.per_frame:.1f} boxes"
    return Report(title, rows, notes)


def summarise_passes(passes: list[list[float]]) -> Figures:
    """Compute median and 95th percentile of all frames."""
    figures = summarise([ms for one in passes for ms in one])
    return {"p50_ms": figures["p50"], "p95_ms": figures["p95"]}
