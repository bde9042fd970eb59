"""The figures of a job, as `--stats-json` holds them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.config import TrackConfig
from mot_dinov3.config.flat import as_dict
from mot_dinov3.io.read.sources import FrameReader
from mot_dinov3.io.write.atomic import write_text
from mot_dinov3.outputs.sinks.base import FileSink
from mot_dinov3.runs.loop import RunOutcome
from mot_dinov3.runs.session import device_title, versions
from mot_dinov3.runtime.device import choose_device
from mot_dinov3.systems.modular import ModularTracker


def collect(
    config: TrackConfig, reader: FrameReader, tracker: ModularTracker, outcome: RunOutcome
) -> dict[str, Any]:
    """Everything that `--stats-json` holds."""
    stats = outcome.statistics.summary(outcome.wall_s)
    stats["tracks"] = {"born": tracker.tracker.initiated, "confirmed": tracker.tracker.confirmed}
    stats["faults"] = dict(reader.faults)
    stats["stopped_by_signal"] = outcome.stopped_by
    stats["stopped_by_viewer"] = outcome.asked
    stats["warm_up_s"] = round(outcome.warm_up_s, 3)
    stats["frame_size"] = list(outcome.frame_size)
    stats["source"] = {
        "name": reader.info.name,
        "fps": round(reader.info.fps, 3),
        "frames": reader.info.frame_count,
        "live": reader.info.is_live,
    }
    stats["detector"] = tracker.detector.title
    stats["embedder"] = tracker.embedder.title if tracker.embedder else "none"
    stats["config"] = as_dict(config)
    stats["versions"] = {
        "mot_dinov3": __version__,
        "python": sys.version.split()[0],
        **versions(),
    }
    stats["device"] = {
        "name": device_title(choose_device(config.device)),
        "cpu_count": os.cpu_count(),
    }
    return stats


def thread_shares(outcome: RunOutcome, sinks: Sequence[FileSink]) -> dict[str, float]:
    """Thread -> share of the run in which it was busy: what stands near 1 sets the pace."""
    busy_s = dict(outcome.busy_s)
    writing = "sinks" if "sinks" in busy_s else "main"
    busy_s[writing] = busy_s.get(writing, 0.0) - sum(sink.waited_s for sink in sinks)
    for sink in sinks:
        busy_s |= sink.threads_s
    wall_s = outcome.wall_s or 1.0
    # The encoder goes on for a moment after the last frame is written.
    return {name: round(min(max(0.0, s / wall_s), 1.0), 4) for name, s in busy_s.items()}


def write_stats(path: str, stats: dict[str, Any]) -> None:
    """Write the figures as one JSON object, whole or not at all."""
    write_text(path, json.dumps(stats, indent=2, allow_nan=False))
