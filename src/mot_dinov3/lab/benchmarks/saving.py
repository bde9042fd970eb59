"""What scheduling saves, and whether the tracks stay the same."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.io.formats.mot import MotTable, MotWriter, read_mot
from mot_dinov3.lab.benchmarks.base import Bar, Figures, Report, ResultRow
from mot_dinov3.lab.benchmarks.context import BenchmarkContext
from mot_dinov3.lab.recordings.agreement import identity_agreement
from mot_dinov3.lab.recordings.clip import ClipPlayer, RecordedClip, embed_clip
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models
from mot_dinov3.values import EmbedCounts

LEAST_SAVING_PERCENT = 70.0


def measure_saving(context: BenchmarkContext) -> Report:
    """Count crops with and without scheduling, on the same detections and embeddings."""
    config = context.config
    with context.open_reader() as frames:
        recorded = embed_clip(context.recorded, frames, context.embedder, config.detector.conf)
    everything = replace(config.scheduler, embed_all=True)
    all_file, file = context.directory / "all.txt", context.directory / "scheduled.txt"
    baseline = track_clip(recorded, config, everything, all_file)
    scheduled = track_clip(recorded, config, config.scheduler, file)
    a, b = read_mot(all_file), read_mot(file)
    figures = compare_counts(baseline, scheduled) | count_tracks(b)
    figures["agreement_percent"] = round(100 * identity_agreement(a, b), 2)
    notes = ["agreement and IDF1 compare the scheduled result with that of --embed-all."]
    if importlib.util.find_spec("trackeval"):
        figures["idf1_percent"] = measure_idf1(a, b, max(recorded.frames, default=-1) + 1)
    else:
        notes.append("IDF1 is left out: it needs the package 'trackeval'.")
    rows = [
        ResultRow("--embed-all", {"crops": count_computed(baseline)} | count_tracks(a)),
        ResultRow("scheduled", figures, Bar("saved_percent", LEAST_SAVING_PERCENT, at_least=True)),
    ]
    return Report(context.title, rows, notes)


def track_clip(
    recorded: RecordedClip, config: TrackConfig, scheduler: SchedulerConfig, path: Path
) -> list[EmbedCounts]:
    """Track a recorded clip, write MOT text, and return what was embedded in each frame."""
    player = ClipPlayer(recorded)
    tracker = assemble(config, Models(player, player), scheduler=scheduler)
    counts = []
    with MotWriter(path) as writer:
        for frame in recorded.black_frames():
            result = tracker.step(frame)
            writer.write(frame.index, result.tracks)
            counts.append(result.embed)
    return counts


def count_computed(counts: list[EmbedCounts]) -> int:
    """Count the crops that went through the embedder."""
    return sum(item.computed for item in counts)


def compare_counts(baseline: list[EmbedCounts], scheduled: list[EmbedCounts]) -> Figures:
    """Count the crops of the scheduled run, by kind, and the share saved against the baseline."""
    crops, most = count_computed(scheduled), count_computed(baseline)
    return {
        "crops": crops,
        "critical": sum(item.critical for item in scheduled),
        "refresh": sum(item.refresh for item in scheduled),
        "reused": sum(item.reused for item in scheduled),
        "saved_percent": round(100 * (1 - crops / most), 2) if most else 0.0,
    }


def count_tracks(table: MotTable) -> Figures:
    """Count the boxes and identities of a result."""
    return {"boxes": len(table), "ids": len(set(table.track_id.tolist()))}


def measure_idf1(truth: MotTable, result: MotTable, frames: int) -> float:
    """IDF1 of one result against another, by TrackEval, in percent."""
    from mot_dinov3.evaluation.scores import score

    return score(truth, result, frames).idf1
