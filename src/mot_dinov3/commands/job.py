"""The main job as a function: models, loop, outputs, summary. `track` and `demo` both run it."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.commands.flags import as_dict
from mot_dinov3.commands.progress import Progress
from mot_dinov3.compat import load_environment
from mot_dinov3.config import TrackConfig
from mot_dinov3.detectors.base import Detector
from mot_dinov3.device import choose_device
from mot_dinov3.errors import EXIT_PARTIAL, InputError, UsageError
from mot_dinov3.io.atomic import write_text
from mot_dinov3.io.encoders import format_of
from mot_dinov3.io.paths import check_output
from mot_dinov3.io.sources import FrameReader, SourceInfo, count_selected
from mot_dinov3.pipeline import ModularTracker
from mot_dinov3.run import RunOutcome, RunSettings, run
from mot_dinov3.session import (
    build_tracker,
    device_title,
    open_frames,
    require_pixels,
    versions,
)
from mot_dinov3.sinks.base import FileSink
from mot_dinov3.sinks.factory import create_sinks
from mot_dinov3.summary import format_summary
from mot_dinov3.timing import StageTimer

log = logging.getLogger("mot_dinov3")


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of a job.

    Attributes:
        stats: the figures of `--stats-json`.
        exit_code: what the process should return.
        written: the outputs that exist now.
    """

    stats: dict[str, Any]
    exit_code: int
    written: list[str]


def run_job(config: TrackConfig) -> JobResult:
    """Track the configured source and write the configured outputs.

    Raises:
        MotError: nothing could be done, or the run broke off; then what was tracked before is
            written and summed up already.
    """
    load_environment()
    with open_frames(config.source) as reader:
        check_outputs(config, reader.info.path)
        require_pixels(config, reader.info)
        device = choose_device(config.device)
        tracker = build_tracker(config, device)
        log.info("detector %s; embedder %s; %s", tracker.detector.title,
                 tracker.embedder.title if tracker.embedder else "none", device)  # fmt: skip
        warn_of_unused_boxes(tracker.detector, reader.info)
        timer = StageTimer()
        sinks = create_sinks(config, reader.info, tracker.detector.names, timer)
        with Progress(
            count_selected(config.source, reader.info.frame_count), quiet=config.talk.quiet
        ) as tell:
            outcome = run(reader, tracker, sinks, timer, tell, settings_for(config, reader.info))
        return _finish(config, reader, tracker, outcome, sinks)


def settings_for(config: TrackConfig, info: SourceInfo) -> RunSettings:
    """How the loop runs: without pixels there is nothing that a second thread could take over."""
    return RunSettings(live=info.is_live, overlap=config.loop.overlap and info.has_pixels)


def warn_of_unused_boxes(detector: Detector, info: SourceInfo) -> None:
    """Say it where replayed detections go on after the end of images or of a sequence.

    The length of a video is known only when it has been read, so nothing is said of videos.
    """
    from mot_dinov3.detectors.mot_file import MotFileDetector

    known = info.frame_count > 0 and info.path is None and not info.is_live
    if known and isinstance(detector, MotFileDetector):
        unused = detector.rows_after(info.frame_count)
        if unused:
            log.warning("%s: %d boxes lie after the last frame of '%s', %d, and are not used.",
                        detector.title, unused, info.name, info.frame_count)  # fmt: skip


def _finish(
    config: TrackConfig,
    reader: FrameReader,
    tracker: ModularTracker,
    outcome: RunOutcome,
    sinks: Sequence[FileSink],
) -> JobResult:
    stats = collect(config, reader, tracker, outcome)
    stats["threads"] = thread_shares(outcome, sinks)
    if outcome.statistics.frames:
        if config.output.stats_json:
            write_stats(config.output.stats_json, stats)
        if not config.talk.quiet:
            print(format_summary(stats), file=sys.stderr)
    if outcome.error is not None:
        raise outcome.error
    if not outcome.statistics.frames and not outcome.stopped_by:
        raise InputError(
            f"No frame of '{reader.info.name}' was left to track.",
            fix="Check --start-frame and --end-frame, and that the file plays elsewhere.",
        )
    code = outcome.exit_code(partial=reader.partial)
    if code == EXIT_PARTIAL:
        log.error(
            "'%s' is damaged or cut short: what could be read was tracked and kept.",
            reader.info.name,
        )
    written = [sink.path for sink in sinks if outcome.statistics.frames]
    return JobResult(stats, code, [*written, *filter(None, [config.output.stats_json])])


def collect(
    config: TrackConfig, reader: FrameReader, tracker: ModularTracker, outcome: RunOutcome
) -> dict[str, Any]:
    """Everything that `--stats-json` holds."""
    stats = outcome.statistics.summary(outcome.wall_s)
    stats["tracks"] = {"born": tracker.tracker.born, "confirmed": tracker.tracker.confirmed}
    stats["faults"] = dict(reader.faults)
    stats["stopped_by_signal"] = outcome.stopped_by
    stats["warm_up_s"] = round(outcome.warm_up_s, 3)
    stats["frame_size"] = list(outcome.frame_size)
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


def check_outputs(config: TrackConfig, source_path: Path | None) -> None:
    """Refuse outputs that cannot be written, before any model is loaded."""
    if not config.output.no_video:
        if not config.output.output:
            raise UsageError("--output is empty.", fix="Name a file, or give --no-video.")
        format_of(Path(config.output.output))
    seen: dict[Path, str] = {}
    for flag, name in output_files(config).items():
        path = Path(name).resolve()
        if path in seen:
            raise UsageError(
                f"{flag} and {seen[path]} name the same file '{name}'.", fix="Use two names."
            )
        seen[path] = flag
        check_output(Path(name), source_path, config.output.no_clobber)


def output_files(config: TrackConfig) -> dict[str, str]:
    """Flag -> file of everything that a run will write."""
    out = config.output
    files = {
        "--output": "" if out.no_video else out.output,
        "--save-mot": out.save_mot,
        "--save-jsonl": out.save_jsonl,
        "--save-trace": out.save_trace,
        "--stats-json": out.stats_json,
    }
    return {flag: name for flag, name in files.items() if name}
