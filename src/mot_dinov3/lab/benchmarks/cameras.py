"""Several cameras in one process beside as many processes."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import perf_counter, sleep

import av
import numpy as np

from mot_dinov3.config import NO_EMBEDDER, EmbedderConfig, OutputConfig, SourceConfig, TrackConfig
from mot_dinov3.config.flat import to_toml
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.lab.benchmarks.base import Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.clip import write_short_clip
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.benchmarks.figures import compare_rounds, count_rounds
from mot_dinov3.lab.benchmarks.own_program import build_own_command, clean_environment
from mot_dinov3.lab.benchmarks.program import LIMIT_S, ProgramError, find_last_line
from mot_dinov3.lab.benchmarks.whole_run import has_clip_and_weights
from mot_dinov3.wording import counted

COUNTS = (1, 2, 4)
FRAMES = 100
LOOK_S = 0.2
MIB = 1 << 20
WHAT_IT_NEEDS = "give --source CLIP and --det WEIGHTS; with --embedder it is measured, too"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of all cameras.

    Attributes:
        fps: frames a second of all of them.
        cpu_s: processor seconds of the whole program, starting and loading included.
        mib: the most memory, pages that processes share counted once.
    """

    fps: float
    cpu_s: float
    mib: float


@dataclass(slots=True)
class Case:
    """Some cameras and some settings, in one process and in as many.

    Attributes:
        label: for the table.
        config: the settings of every camera.
        cameras: how many.
        together: runs in one process.
        apart: runs in as many processes; those of one process where there is one camera.
        problem: why it has no figures, "" where it has some.
    """

    label: str
    config: TrackConfig
    cameras: int
    together: list[Run] = field(default_factory=list)
    apart: list[Run] = field(default_factory=list)
    problem: str = ""

    def figures(self) -> Figures:
        """Medians over the rounds."""
        out: Figures = {}
        for way, runs in (("one_process", self.together), ("processes", self.apart)):
            out[f"{way}_fps"] = round(float(np.median([run.fps for run in runs])), 1)
            out[f"{way}_cpu_s"] = round(float(np.median([run.cpu_s for run in runs])), 1)
            out[f"{way}_mib"] = round(max(run.mib for run in runs))
        together, apart = ([run.fps for run in runs] for runs in (self.together, self.apart))
        return out | compare_rounds(together, apart, "ratio")


def measure_cameras(context: BenchmarkContext) -> Report:
    """Measure frames a second of all cameras, which send as fast as they are tracked."""
    title = "cameras in one process, and in a process each"
    if not has_clip_and_weights(context):
        return Report(title, [ResultRow("cameras", {}, skipped=WHAT_IT_NEEDS)])
    clip = write_short_clip(context, context.settings.frames or FRAMES)
    cases, rounds = list(create_cases(context.config)), count_rounds(context.settings.rounds)
    with serve_stream(remux(clip.path)) as url:
        for turn in range(rounds + 1):
            for case in (one for one in cases if not one.problem):
                try:
                    run_both_ways(case, url, context.directory, counts=turn > 0)
                except ProgramError as error:
                    case.problem = str(error)
    notes = [
        f"{rounds} rounds in turn after one that does not count; medians. fps: frames of all "
        "cameras over the time of the slowest one. ratio: one process over a process each.",
        "cpu_s: processor seconds of the whole program, starting and loading included. mib: the "
        "most memory of all processes, pages that they share counted once.",
    ]
    size = f"{clip.wh[0]}x{clip.wh[1]}, {counted(clip.frames, 'frame')} a camera"
    rows = [
        ResultRow(case.label, {} if case.problem else case.figures(), skipped=case.problem)
        for case in cases
    ]
    return Report(f"{title}; {size}, input size {context.config.detector.imgsz}", rows, notes)


def create_cases(config: TrackConfig) -> Iterator[Case]:
    """By motion alone, and with the embedder if one is chosen."""
    alone = replace(config, embedder=EmbedderConfig(embedder=NO_EMBEDDER))
    kinds = {"motion only": alone}
    if config.embedder.embedder != NO_EMBEDDER:
        kinds[f"embedder {config.embedder.embedder}"] = config
    for kind, chosen in kinds.items():
        for cameras in COUNTS:
            yield Case(f"{kind}, {counted(cameras, 'camera')}", chosen, cameras)


def run_both_ways(case: Case, url: str, directory: Path, *, counts: bool) -> None:
    """Run a case in one process and then in as many; the first round does not count."""
    together = run_cameras(case, url, directory / "cameras", 0)
    apart = together
    if case.cameras > 1:
        apart = run_cameras(case, url, directory / "cameras", case.cameras)
    if counts:
        case.together.append(together)
        case.apart.append(apart)


def run_cameras(case: Case, url: str, directory: Path, workers: int) -> Run:
    """Track all cameras to their end.

    Raises:
        ProgramError: a camera was not tracked.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    output = OutputConfig(no_video=True, save_mot=str(directory / "{name}.txt"),
                          stats_json=str(directory / "{name}.json"))  # fmt: skip
    talk = replace(case.config.talk, quiet=True, verbose=False)
    settings = directory / "settings.toml"
    whole = replace(case.config, source=SourceConfig(), output=output, talk=talk)
    write_text(settings, to_toml(whole))
    words = ["--config", str(settings), "--source", *[f"{url}/{n}" for n in range(case.cameras)]]
    before_s = sum_children()
    mib = watch_memory([*words, "--workers", str(workers)] if workers else words)
    runs = [json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))]
    if len(runs) != case.cameras:
        raise ProgramError(f"{case.label}: only {counted(len(runs), 'camera')} came to an end")
    fps = sum(run["frames"] for run in runs) / max(run["wall_s"] for run in runs)
    return Run(fps, sum_children() - before_s, mib)


def sum_children() -> float:
    """Processor seconds of all processes that this one has started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def watch_memory(words: Sequence[str]) -> float:
    """Run the main job in a session of its own; returns the most memory of it in MiB.

    Raises:
        ProgramError: it fails, or is not done in time.
    """
    began_s, most = perf_counter(), 0.0
    with subprocess.Popen(
        build_own_command(*words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
        start_new_session=True,
    ) as process:
        while process.poll() is None:
            most = max(most, sum_memory(process.pid))
            if perf_counter() - began_s > LIMIT_S:
                process.kill()
                raise ProgramError(f"it was not done after {LIMIT_S:g} s")
            sleep(LOOK_S)
        said = process.stderr.read() if process.stderr is not None else ""
    if process.returncode:
        raise ProgramError(f"it ended with code {process.returncode}: {find_last_line(said)}")
    return most


def sum_memory(session: int) -> float:
    """MiB of all processes of a session, shared pages divided; 0 where the system hides it."""
    total = 0.0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) != session:
                continue
            lines = (place / "smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration, IndexError, ValueError):  # it has ended, or hides itself
            continue
    return total * 1024 / MIB


def remux(path: Path) -> bytes:
    """The pictures of a video file as a transport stream, coded as they are."""
    out = io.BytesIO()
    with av.open(str(path)) as source, av.open(out, "w", format="mpegts") as target:
        taken = source.streams.video[0]
        stream = target.add_stream_from_template(taken)
        for packet in source.demux(taken):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return out.getvalue()


class StreamHandler(BaseHTTPRequestHandler):
    """Sends the same stream to every caller; its length is said, so that none of it is dropped."""

    def __init__(self, *request: object, data: bytes) -> None:
        self._data = data
        super().__init__(*request)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send all of it."""
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.send_header("Content-Length", str(len(self._data)))
        self.end_headers()
        self.wfile.write(self._data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve_stream(data: bytes) -> Iterator[str]:
    """Inside, every path below the address answers with the stream."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(StreamHandler, data=data)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
