"""The tracker beside other people's, on the same detections: everything but the networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from mot_dinov3.config import TrackConfig
from mot_dinov3.data.synthetic.crowd import HEIGHT, WIDTH, CrowdConfig
from mot_dinov3.lab.alone import one_core
from mot_dinov3.lab.benchmarks.association import DIM, looks_by_place, mot_tape
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, Row
from mot_dinov3.lab.benchmarks.bench import Bench
from mot_dinov3.lab.benchmarks.peer_link import PeerLink, save_rows
from mot_dinov3.lab.benchmarks.peer_process import PEERS
from mot_dinov3.lab.benchmarks.rounds import ratio_figures, rounds_of
from mot_dinov3.lab.benchmarks.step_cost import step_costs
from mot_dinov3.lab.recordings.crowd import crowd_tape
from mot_dinov3.lab.recordings.tape import Tape
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
        return ratio_figures(theirs, ours, "ratio")


def peers(bench: Bench) -> Report:
    """Milliseconds of a tracker's step, ours and each peer in turn, one thread each."""
    config, rounds = bench.settings.config, rounds_of(bench.settings.rounds)
    tape = tape_of(config, bench.settings.frames or FRAMES)
    rows = bench.directory / "rows.npz"
    save_rows(tape, rows, (int(WIDTH), int(HEIGHT)))
    motion: list[list[float]] = []
    with (
        one_core() as pool,
        PeerLink(bench.settings.peers_python, rows, bench.directory / "peers.log") as link,
    ):

        def own(dim: int) -> list[float]:
            return pool.submit(own_pass, rows, config, dim).result()

        duels = {name: Duel() for name in PEERS}
        for _ in range(rounds):
            motion.append(own(0))
            for name, duel in duels.items():
                fight(duel, own, link, name)
    return report(tape, duels, motion, rounds)


def tape_of(config: TrackConfig, frames: int) -> Tape:
    """Recorded detections where `--det mot:FILE` names some, else those of a drawn crowd."""
    if detector_kind(config.detector.det).stored:
        return mot_tape(config.detector, frames)
    return crowd_tape(CROWD, frames)


def fight(duel: Duel, own: OwnPass, link: PeerLink, name: str) -> None:
    """One pass of ours and one of the peer; a peer that has failed is not asked again."""
    if duel.problem:
        return
    ours = own(DIM)
    reply = link.ask(name)
    duel.problem = reply.get("problem", "")
    if not duel.problem:
        duel.ours.append(ours[SKIPPED:])
        duel.theirs.append(reply["ms"][SKIPPED:])
        duel.tracks, duel.version = reply["tracks"], reply["version"]


def own_pass(rows: Path, config: TrackConfig, dim: int) -> list[float]:
    """Milliseconds a frame of everything but detecting and embedding."""
    return step_costs(config, own_tape(rows, dim))


@lru_cache(maxsize=2)
def own_tape(rows: Path, dim: int) -> Tape:
    """The boxes that `save_rows` wrote; with `dim`, looks that go with their places."""
    with np.load(rows) as file:
        table, count, size = file["rows"].astype(np.float32), int(file["frames"]), file["size"]
    tape = Tape("rows", {0: "person"}, frame_wh=(int(size[0]), int(size[1])))
    nothing = np.zeros((1, 1, 3), np.uint8)
    for number in range(count):
        own = table[table[:, 0] == number]
        boxes, score = np.ascontiguousarray(own[:, 1:5]), own[:, 5].copy()
        seen = Detections(boxes, score, np.zeros(len(own), np.int64))
        vectors = looks_by_place(seen, dim) if dim else None
        tape.add(Frame(number, number / 30, nothing), seen, vectors)
    return tape


def report(tape: Tape, duels: dict[str, Duel], motion: list[list[float]], rounds: int) -> Report:
    """A row for ours with and without embeddings, and one for each peer."""
    with_looks = [one for duel in duels.values() for one in duel.ours]
    rows = []
    for label, passes in zip(OURS, (with_looks, motion), strict=True):
        if passes:
            rows.append(Row(label, times(passes)))
    for name, duel in duels.items():
        bar = Bar("ratio", BARS[name], at_least=True) if name in BARS else None
        if duel.problem:
            rows.append(Row(name, {}, skipped=duel.problem))
        else:
            figures = times(duel.theirs) | duel.ratios() | {"tracks": round(duel.tracks, 1)}
            rows.append(Row(f"{name} {duel.version}", figures, bar))
    notes = [
        f"{rounds} rounds, ours before every peer; ratio: a peer's median frame over that of ours "
        "with embeddings, median of the rounds. Processor time. Peers track by motion alone; "
        "their input objects are made beforehand.",
        "settings: " + "; ".join(f"{name}: {peer.settings}" for name, peer in PEERS.items()),
    ]
    frames = counted(len(tape), "frame")
    title = f"a tracker's step: {tape.title}, {frames}, {tape.per_frame:.1f} boxes"
    return Report(title, rows, notes)


def times(passes: list[list[float]]) -> Figures:
    """Median and 95th percentile of all frames."""
    figures = summarise([ms for one in passes for ms in one])
    return {"p50_ms": figures["p50"], "p95_ms": figures["p95"]}
