"""Runs made by hand, for reports: journals and figures whose content is known."""

from __future__ import annotations

import json

import numpy as np

from mot_dinov3.outputs.report.recorder import RunData, RunRecorder
from mot_dinov3.values import (
    CONFIRMED,
    TENTATIVE,
    Appearance,
    Detections,
    FrameResult,
    Tracks,
)
from mot_dinov3.values.stats_json import facts_from_stats

FPS = 25
NAMES = {0: "person", 1: "car"}
BUDGET_MS = 6.0


def track(track_id, box, **more):
    """One track of a frame as a journal has it."""
    usual = {"id": track_id, "xyxy": [float(v) for v in box], "score": 0.8, "class_id": 0,
             "class": "person", "state": "confirmed", "fresh": False, "detection": 0}  # fmt: skip
    return {**usual, **more}


def line(index, tracks=(), **more):
    """One frame as a journal has it."""
    embed = {"computed": 2, "critical": 1, "refresh": 1, "reused": 3, "deferred": 1, "starved": 0,
             "nonfinite": 0, "budget_ms": BUDGET_MS, "embed_ms": 4.0, "critical_ms": 2.0,
             "predicted_ms": 5.0}  # fmt: skip
    usual = {"frame": index, "time_s": index / FPS, "detections": len(tracks),
             "tracks": [{**one, "detection": row} for row, one in enumerate(tracks)],
             "embed": {**embed, **more.pop("embed", {})},
             "stage_ms": {"read": 1.0, "detect": 20.0, "embed": 4.0, "write": 0.5},
             "latency_ms": 30.0, "size": [320, 240], "fps": 33.0, "looks": []}  # fmt: skip
    return {**usual, **more}


def walk(frames=40, **more):
    """Lines in which two identities walk right; the second is embedded in every fourth frame."""
    out = []
    for index in range(frames):
        fresh = index % 4 == 0
        looks = [{"id": 2, "similarity": 0.9 if index else None, "resembles": []}] if fresh else []
        first = track(1, (10 + index, 20, 50 + index, 120))
        second = track(2, (110 + index, 30, 150 + index, 130), class_id=1, fresh=fresh,
                       **{"class": "car"})  # fmt: skip
        out.append(line(index, (first, second), looks=looks, **more))
    return out


def write_journal(path, lines):
    """Write lines as `--save-jsonl` does."""
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def figures(frames=40, **more):
    """What `--stats-json` holds, as far as a report reads it."""
    usual = {
        "frames": frames,
        "wall_s": 1.0,
        "fps": 40.0,
        "latency_ms": {"mean": 30.0, "p50": 30.0, "p95": 31.0, "p99": 32.0},
        "stages": {"detect": {"mean_ms": 20.0, "p95_ms": 21.0, "share": 0.8}},
        "embeddings": {"computed": 80, "critical": 40, "refresh": 40, "reused": 120,
                       "deferred": 40, "starved": 0, "nonfinite": 0, "per_frame": 2.0},
        "budget": {"ms": BUDGET_MS, "frames_over": 3, "worst_over_ms": 1.5,
                   "frames_critical_over": 1},
        "tracks": {"born": 5, "confirmed": 2,
                   "appearance": {"gate": 0.74, "returns": True, "used": True, "stranger": 0.46,
                                  "same": 0.87, "auc": 0.98}},
        "faults": {"corrupt_packets": 2, "truncated": 0},
        "frame_size": [320, 240],
        "source": {"name": "walk.mp4", "fps": 25.0, "frames": frames, "live": False},
        "detector": "scripted",
        "embedder": "fake",
        "config": {"source": "walk.mp4", "output": "tracked.mp4", "embed_budget_ms": BUDGET_MS},
        "versions": {"numpy": "2"},
        "device": {"name": "cpu"},
    }  # fmt: skip
    return {**usual, **more}


def facts_of(frames=40, **more):
    """The facts that `figures` hold."""
    return facts_from_stats(figures(frames, **more))


def write_figures(path, **more):
    """Write figures as `--stats-json` does."""
    path.write_text(json.dumps(figures(**more), indent=2))
    return path


def result(index, seen, tentative=(), fresh=(), was=None):
    """A frame from {identity: box}; some of them tentative, some embedded in it.

    `was` has the negative ids of those that this frame confirms.
    """
    n, ids = len(seen), np.array(list(seen), np.int64)
    boxes = np.array(list(seen.values()), np.float32).reshape(n, 4)
    state = np.array([TENTATIVE if i in tentative else CONFIRMED for i in seen], np.int8)
    embedded = np.array([i in fresh for i in seen], np.bool_)
    score, class_id = np.full(n, 0.8, np.float32), np.zeros(n, np.int64)
    given = np.array([(was or {}).get(i, 0) for i in seen], np.int64)
    tracks = Tracks(ids, boxes, score, class_id, state, embedded, np.arange(n), given)
    return FrameResult(index, index / FPS, Detections(boxes, score, class_id), tracks)


def recorded(frames, facts=None, names=NAMES, looks=()):
    """The run of a list of results; `looks` maps a row to what was told in it."""
    recorder, told = RunRecorder(), dict(looks)
    for row, one in enumerate(frames):
        recorder.add(one, {"detect": 20.0, "embed": 1.0}, 30.0, told.get(row, ()))
    return RunData("run", recorder.frames, recorder.tracks, names, facts)


def look(track_id, similarity=float("nan"), **resembles):
    """What an embedding told: `look(7, like_3=0.9)`."""
    pairs = tuple((int(name.removeprefix("like_")), value) for name, value in resembles.items())
    return Appearance(track_id, similarity, pairs)
