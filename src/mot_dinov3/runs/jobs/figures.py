"""The facts of a job, for its summary, its report and `--stats-json`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from mot_dinov3 import __version__
from mot_dinov3.config import TrackConfig
from mot_dinov3.config.flat import as_dict
from mot_dinov3.io.read.sources import FrameReader
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.runs.loop import RunOutcome
from mot_dinov3.runs.session import device_title, versions
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.systems.base import System
from mot_dinov3.values.run_facts import DeviceFacts, RunFacts, SourceFacts
from mot_dinov3.values.stats_json import to_stats


def collect_facts(
    config: TrackConfig, reader: FrameReader, system: System, outcome: RunOutcome
) -> RunFacts:
    """The facts of a run, but for its threads and for what was done after it."""
    info = reader.info
    return replace(
        outcome.statistics.facts(outcome.wall_s),
        counts=system.counts,
        faults=dict(reader.faults),
        stopped_by_signal=outcome.stopped_by,
        stopped_by_viewer=outcome.stopped_by_viewer,
        warm_up_s=outcome.warm_up_s,
        frame_size=outcome.frame_size,
        source=SourceFacts(info.name, info.fps, info.frame_count, info.is_live),
        models=dict(system.models),
        config=as_dict(config),
        versions={
            "mot_dinov3": __version__,
            "python": sys.version.split()[0],
            **versions(),
        },
        device=DeviceFacts(device_title(choose_device(config.device.name)), os.cpu_count()),
    )


def compute_thread_shares(outcome: RunOutcome, sinks: Sequence[FileSink]) -> dict[str, float]:
    """Thread -> share of the run in which it was busy; a thread near 1 limits the speed.

    Args:
        outcome: how long each thread of the loop was busy.
        sinks: they know how long they waited, and what their own threads did.
    """
    busy_s = dict(outcome.busy_s)
    writing = "sinks" if "sinks" in busy_s else "main"
    busy_s[writing] = busy_s.get(writing, 0.0) - sum(sink.waited_s for sink in sinks)
    for sink in sinks:
        busy_s |= sink.threads_s
    wall_s = outcome.wall_s or 1.0
    # The encoder works for a moment after the last frame is written, so a share may exceed 1.
    return {name: min(max(0.0, s / wall_s), 1.0) for name, s in busy_s.items()}


def write_stats(path: str, facts: RunFacts) -> None:
    """Write the facts as the object of `--stats-json`, whole or not at all."""
    write_text(path, json.dumps(to_stats(facts), indent=2, allow_nan=False))
