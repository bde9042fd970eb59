"""Runs that go on and on: memory, open files and threads must stay where they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from time import sleep

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.data.synthetic.crowd import CrowdConfig
from mot_dinov3.lab.benchmarks.machine import STATM, fit_memory_slope, resident_mb, run_on_one_core
from mot_dinov3.lab.recordings.crowd import CrowdPlayer
from mot_dinov3.lab.selftest.base import MeasureContext, MeasureResult
from mot_dinov3.lab.selftest.cases import SelftestCase, expect, run_cases
from mot_dinov3.lab.selftest.program import Process, end, expect_code, start
from mot_dinov3.lab.selftest.scenes import draw_scene
from mot_dinov3.runtime.statistics import RunStatistics
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.wording import counted

TRACKED, PIPED = 1_000_000, 20_000
MOST_MB_PER_100_000 = 1.0
NOISE_MB = 1.0
"""Only a longer run can show whether so much more in a whole run is growth."""
SETTLED = 0.5
"""Share of a run after which growth counts: networks and codecs take long to fill their pools."""
CROWD = CrowdConfig(people=3, dim=16, life_frames=100, missed=0.05)
BUDGET_CROPS = 3
SAMPLES = 400
GLANCE_S = 0.25
LEAST_SAMPLES = 20
MODELS = ("--det", "demo", "--imgsz", "160", "--embed-model", "demo", "--device", "cpu")


@dataclass(frozen=True, slots=True)
class HeldResources:
    """What a process holds at a frame.

    Attributes:
        frame: how many frames were tracked.
        mb: resident memory in MiB.
        files: open files.
        threads: threads.
    """

    frame: int
    mb: float
    files: int
    threads: int


def measure_soak(context: MeasureContext) -> MeasureResult:
    """Track a restless crowd for long, and a long clip with models and all outputs."""
    if not STATM.is_file():
        return MeasureResult(2, skipped="this system does not show what a process holds")
    figures: dict[str, str] = {}
    runs: dict[str, Callable[[Path], list[HeldResources]]] = {
        "tracker": lambda directory: run_on_one_core(track_long, context.count_cases(TRACKED)),
        "pipeline": partial(soak_pipeline, context, context.count_cases(PIPED)),
    }

    def check(name: str, directory: Path) -> None:
        held = runs[name](directory)
        figures[name] = f"{name}: {format_held(held)}"
        expect_flat(held)

    outcome = run_cases(context, [SelftestCase(name, partial(check, name)) for name in runs])
    return replace(outcome, notes=[*outcome.notes, *figures.values()])


def expect_flat(held: list[HeldResources]) -> None:
    """Go on only when nothing grew after the settling time.

    Raises:
        BrokenPromiseError: memory, files or threads did.
    """
    looks = counted(len(held), "glance")
    expect(len(held) >= LEAST_SAMPLES, f"only {looks}: the run was too short")
    late, slope = select_settled(held), slope_mb(held)
    grown_mb = slope * (late[-1].frame - late[0].frame) / 100_000
    expect(
        slope < MOST_MB_PER_100_000 or grown_mb < NOISE_MB,
        f"memory grows by {slope:.2f} MB in 100,000 frames",
    )
    for name in ("files", "threads"):
        first, last = (getattr(item, name) for item in (late[0], late[-1]))
        expect(last <= first, f"{name} grow from {first} to {last}")


def slope_mb(held: list[HeldResources]) -> float:
    """MiB that the memory grows by in 100,000 frames, by least squares after settling."""
    used = [(item.frame, item.mb) for item in held]
    return 100 * fit_memory_slope(used, settled=SETTLED)["mb_per_1000"]


def select_settled(held: list[HeldResources]) -> list[HeldResources]:
    """Select the samples after the settling time."""
    return [item for item in held if item.frame >= SETTLED * held[-1].frame]


def format_held(held: list[HeldResources]) -> str:
    """Describe the figures of a run in words."""
    late = select_settled(held)
    files, threads = counted(late[-1].files, "file"), counted(late[-1].threads, "thread")
    return (
        f"{held[-1].frame:,} frames, {late[0].mb:.1f} to {late[-1].mb:.1f} MB, "
        f"{slope_mb(held):+.2f} MB in 100,000, {files}, {threads}"
    )


def track_long(frames: int) -> list[HeldResources]:
    """Track a restless crowd with a budget of crops, and keep its statistics."""
    config = TrackConfig(scheduler=SchedulerConfig(budget_crops=BUDGET_CROPS))
    player, kept = CrowdPlayer(CROWD), RunStatistics()
    tracker = assemble(config, Models(player, player))
    held, every = [], max(1, frames // SAMPLES)
    for frame in islice(player, frames):
        result = tracker.step(frame)
        kept.add(result, result.stage_ms, sum(result.stage_ms.values()))
        if (frame.index + 1) % every == 0:
            held.append(read_held("self", frame.index + 1))
    return held


def soak_pipeline(context: MeasureContext, frames: int, directory: Path) -> list[HeldResources]:
    """What the command line holds while it tracks a clip of `frames` frames with all outputs.

    The video is an mkv: an mp4 remembers every picture, some 90 bytes, for the index at its end.
    """
    scene = draw_scene(directory / "scene", frames)
    words = [
        "--source",
        scene.video,
        *MODELS,
        "--embed-budget-crops",
        BUDGET_CROPS,
        "--output",
        "o.mkv",
        "--save-mot",
        "o.txt",
        "--save-jsonl",
        "o.jsonl",
        "--save-trace",
        "o.trace",
        "--stats-json",
        "o.json",
        "--quiet",
    ]
    process = start(context.program, words, directory)
    held = list(sample_run(process, directory / "o.partial.jsonl"))
    expect_code(end(process), 0)
    return held


def sample_run(process: Process, frame_log: Path) -> Iterator[HeldResources]:
    """Sample what a run holds from time to time, while frames come in."""
    lines = offset = 0
    while process.poll() is None:
        sleep(GLANCE_S)
        try:
            with frame_log.open("rb") as file:
                file.seek(offset)
                new = file.read()
            seen, offset = lines + new.count(b"\n"), offset + len(new)
            if seen > lines:
                lines = seen
                yield read_held(str(process.pid), lines)
        except OSError:
            # Not begun yet, or over.
            continue


def read_held(process_id: str, frame: int) -> HeldResources:
    """Read what a process holds now (proc(5)).

    Raises:
        OSError: it is gone.
    """
    place = Path("/proc") / process_id
    files, threads = (len(list((place / name).iterdir())) for name in ("fd", "task"))
    return HeldResources(frame, resident_mb((place / "statm").read_text), files, threads)
