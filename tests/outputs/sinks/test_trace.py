"""The trace, line by line, of a run with a budget that is too small."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from helpers.fakes import FakeClock, FakeEmbedder, ScriptedDetector, blank_frame
from mot_dinov3.config import SchedulerConfig, TrackerConfig
from mot_dinov3.outputs.sinks.trace import TraceSink, describe_decisions
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import Detections, FrameResult, Tracks

KEYS = ["frame", "row", "track", "kind", "priority", "quality", "worth", "admitted", "outcome",
        "reason", "predicted_ms", "ms"]  # fmt: skip


def traced(path, boxes_a_frame, **scheduler):
    config = SchedulerConfig(**{"embed_policy": "continuity", **scheduler})
    clock = FakeClock()

    class Slow(FakeEmbedder):
        def embed(self, image, xyxy):
            clock.now_s += 0.004 * len(xyxy)
            return super().embed(image, xyxy)

    tracker = ModularTracker(
        Models(ScriptedDetector(boxes_a_frame), Slow(lambda box: np.eye(8)[0])),
        create_policy(config),
        EmbeddingScheduler(config, clock),
        Tracker(TrackerConfig()),
    )
    with TraceSink(str(path), StageTimer()) as sink:
        for index in range(len(boxes_a_frame)):
            frame = blank_frame(index)
            sink.write(frame, tracker.step(frame))
    return [json.loads(line) for line in path.read_text().splitlines()]


A, B, WEAK = (100, 100, 140, 200), (400, 100, 440, 200), (250, 300, 290, 400, 0.2)


def test_every_detection_of_every_frame_has_a_line(tmp_path):
    rows = traced(tmp_path / "trace.jsonl", [[A, B], [], [A, B, WEAK]])
    assert [(row["frame"], row["row"]) for row in rows] == [(0, 0), (0, 1), (2, 0), (2, 1), (2, 2)]
    assert all(list(row) == KEYS for row in rows)


def test_a_line_says_what_was_decided_why_and_what_it_cost(tmp_path):
    rows = traced(tmp_path / "trace.jsonl", [[A, B]] * 2 + [[A, B, WEAK]])
    born, steady, weak = rows[0], rows[2], rows[-1]
    assert (born["kind"], born["reason"], born["outcome"]) == ("critical", "no_track", "computed")
    assert born["ms"] == 4.0
    assert (born["track"], born["priority"], born["quality"]) == (1, 0, 0.9)
    assert (steady["kind"], steady["outcome"], steady["admitted"]) == ("reuse", "reused", False)
    assert steady["ms"] is steady["priority"] is steady["predicted_ms"] is None
    assert (weak["reason"], weak["track"], weak["outcome"]) == ("low_score", None, "none")


def outcomes(rows):
    return {(row["kind"], row["outcome"]) for row in rows if not row["admitted"]}


def test_what_did_not_fit_is_there_too(tmp_path):
    hard = traced(tmp_path / "hard.jsonl", [[A, B]] * 2, budget_crops=1, hard_budget=True)
    assert outcomes(hard) == {("critical", "starved"), ("reuse", "reused")}
    soft = traced(tmp_path / "soft.jsonl", [[A, B]] * 9, budget_crops=1)
    assert outcomes(soft) == {("refresh", "deferred"), ("reuse", "reused")}


def test_the_trace_and_the_counters_agree_on_what_was_reused(tmp_path):
    rows = traced(tmp_path / "t.jsonl", [[A, B, WEAK]] * 4, embed_policy="value")
    outcomes = Counter(row["outcome"] for row in rows)
    assert outcomes == {"computed": 6, "none": 6}, "the weak ones, and all of the first frame"
    rows = traced(tmp_path / "t.jsonl", [[A, B, WEAK]] * 4)
    assert Counter(row["outcome"] for row in rows) == {"computed": 2, "reused": 6, "none": 4}


def test_a_system_without_a_plan_leaves_no_line():
    assert list(describe_decisions(FrameResult(0, 0.0, Detections.empty(), Tracks.empty()))) == []
