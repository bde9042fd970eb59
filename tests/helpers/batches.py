"""Short clips with known boxes for batches, and a way to run them in this process."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

from helpers.jobs import make_scene
from mot_dinov3.config import (
    BatchConfig,
    DetectorConfig,
    DeviceConfig,
    EmbedderConfig,
    OutputConfig,
    SourceConfig,
    TrackConfig,
)
from mot_dinov3.runs.batch.base import LogLine, Progress, TaskStarted
from mot_dinov3.runs.batch.run import run_batch
from mot_dinov3.runs.batch.tasks import create_tasks

NAMES = ("one", "two", "three")
BAD = "bad"


def make_clips(directory, frames=30):
    """Three clips and a file that is none, each with boxes: `one.mp4` and `one.txt`."""
    make_scene(directory, frames)
    clip, rows = directory / "clip.mp4", (directory / "det.txt").read_text().splitlines()
    for number, name in enumerate(NAMES):
        (directory / f"{name}.mp4").write_bytes(clip.read_bytes())
        kept = [row for row in rows if int(row.split(",")[0]) % (number + 5)]
        (directory / f"{name}.txt").write_text("\n".join(kept) + "\n")
    (directory / f"{BAD}.mp4").write_bytes(b"no video at all")
    (directory / f"{BAD}.txt").write_text("1,-1,0,0,10,10,0.9\n")
    for used in (clip, directory / "det.txt"):
        used.unlink()
    return directory


def batch_of(directory, names, out, **batch):
    """A batch that replays the clips `names`, with its outputs below `out`."""
    sources = tuple(str(directory / f"{name}.mp4") for name in names)
    return TrackConfig(
        source=SourceConfig(source=sources[0]),
        detector=DetectorConfig(det=f"mot:{directory}/{{name}}.txt"),
        device=DeviceConfig(device="cpu"),
        embedder=EmbedderConfig(embedder="none"),
        output=OutputConfig(output=str(Path(out) / "{name}.mp4"),
                            save_mot=str(Path(out) / "{name}.mot")),
        batch=BatchConfig(sources=sources, **batch),
    )  # fmt: skip


def without_video(config):
    return replace(config, output=replace(config.output, no_video=True))


def outcomes(config, pool, on_event=lambda event: None):
    """What comes of the videos of a batch, by name."""
    return {outcome.name: outcome for outcome in run_batch(create_tasks(config), pool, on_event)}


def results(out):
    """Name -> bytes of every MOT file below a directory."""
    return {path.stem: path.read_bytes() for path in Path(out).glob("*.mot")}


class Killer:
    """Kills the worker of a task as soon as it tells of frames, so many times."""

    def __init__(self, name, times):
        self.name, self.times = name, times
        self.pids, self.said = {}, []

    def __call__(self, event):
        if isinstance(event, TaskStarted):
            self.pids.setdefault(event.task.name, []).append(event.pid)
        elif isinstance(event, LogLine):
            self.said.append(event.text)
        elif isinstance(event, Progress) and event.name == self.name and self.times:
            self.times -= 1
            os.kill(self.pids[self.name][-1], signal.SIGKILL)
