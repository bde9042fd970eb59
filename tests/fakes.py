"""Stand-ins with exact behaviour: time is a parameter, work is counted."""

from __future__ import annotations

import numpy as np

from mot_dinov3.structures import Detections, Frame


class FakeClock:
    """Seconds that pass only when told to."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


class FakeEmbedding:
    """Costs `cost_ms(n)` of the fake clock per batch and remembers what it was asked."""

    def __init__(self, clock, cost_ms, dim=4):
        self.clock, self.cost_ms, self.dim = clock, cost_ms, dim
        self.asked, self.batches = [], []

    def __call__(self, rows):
        self.clock.now_s += self.cost_ms(len(rows)) / 1000
        self.asked += rows.tolist()
        self.batches.append(len(rows))
        vectors = np.zeros((len(rows), self.dim), np.float32)
        vectors[:, 0] = 1.0
        return vectors


class FakeEmbedder:
    """An embedder that knows who is where: one-hot vectors by the nearest known centre."""

    title, device = "fake", "cpu"

    def __init__(self, looks, dim=8):
        self.looks, self.dim, self.calls = looks, dim, 0

    def embed(self, image, xyxy):
        self.calls += len(xyxy)
        return np.stack([self.looks(box) for box in xyxy]).astype(np.float32)


class ScriptedDetector:
    """Replays lists of boxes, one list a frame."""

    title = "scripted"

    def __init__(self, frames):
        self.frames = frames
        self.names = {0: "person", 1: "car"}

    def warm_up(self, width, height):
        pass

    def detect(self, frame):
        return boxes(*self.frames[frame.index])


def boxes(*rows):
    """Detections from (x1, y1, x2, y2[, score[, class_id]]) rows."""
    if not rows:
        return Detections.empty()
    full = [(*row, *(0.9, 0)[len(row) - 4 :]) for row in rows]
    table = np.array(full, np.float32)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def blank_frame(index, fps=30.0, width=640, height=480):
    return Frame(index, index / fps, np.zeros((height, width, 3), np.uint8))
