"""Stand-ins with exact behaviour: time is a parameter, work is counted."""

from __future__ import annotations

import numpy as np

from mot_dinov3.scheduling.policies.base import PlanInput
from mot_dinov3.values import Detections, Frame


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

    title, device, fingerprint = "fake", "cpu", "fake weights"
    whole_frame, has_own_cost, has_memory = False, True, False

    def __init__(self, looks, dim=8):
        self.looks, self.dim, self.calls = looks, dim, 0

    def embed(self, image, xyxy):
        self.calls += len(xyxy)
        return np.stack([self.looks(box) for box in xyxy]).astype(np.float32)


class ScriptedDetector:
    """Replays lists of boxes, one list a frame."""

    title, has_memory = "scripted", False
    fingerprint, repeated = "scripted weights", ""

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


def plan_scene(iou, staleness, **more):
    """A `PlanInput` from (N, T) IoU and (T,) staleness; any other field may be given too.

    Without more, everybody is a confirmed, well-known track far from all others, every crop is
    perfect, nobody is lost, and association takes pairs from an IoU of 0.1 on.
    """
    iou = np.array(iou, np.float32)
    n, t = iou.shape
    lost = np.asarray(more.get("lost_cost", np.zeros((n, 0)))).shape[1]
    apart = 100 * np.arange(max(n, t, lost), dtype=np.float32)[:, None] + np.array([0, 0, 40, 90])
    values = {
        "frame_index": 0,
        "frame_wh": (0, 0),
        "xyxy": apart[:n],
        "score": np.ones(n),
        "eligible": np.ones(n, bool),
        "fertile": np.ones(n, bool),
        "quality": np.ones(n),
        "overlap": np.zeros(n),
        "iou": iou,
        "cost": np.where(iou >= 0.1, 1 - iou, np.inf),
        "track_id": np.arange(1, t + 1),
        "track_xyxy": apart[:t],
        "ahead_xyxy": apart[:t],
        "confirmed": np.ones(t, bool),
        "hits": np.full(t, 50),
        "staleness": staleness,
        "disputed": np.zeros(t, bool),
        "known": np.ones(t, bool),
        "gallery_count": np.full(t, 9),
        "drift": np.zeros(t),
        "surprise": np.zeros(t),
        "appearance": np.eye(t),
        "lost_id": np.arange(1000, 1000 + lost),
        "lost_xyxy": apart[:lost] + 1000,
        "lost_known": np.ones(lost, bool),
        "lost_appearance": np.eye(lost, t),
        "lost_s": np.full(lost, 0.5),
        "lost_cost": np.zeros((n, 0)),
        "returns": np.zeros((n, lost), bool),
    }
    values |= {name: value for name, value in more.items() if value is not None}
    whole = ("staleness", "track_id", "hits", "gallery_count", "lost_id")
    flags = ("eligible", "fertile", "confirmed", "disputed", "known", "lost_known", "returns")
    kinds = dict.fromkeys(whole, np.int64) | dict.fromkeys(flags, np.bool_)
    return PlanInput(
        **{
            name: value
            if name.startswith("frame")
            else np.asarray(value, kinds.get(name, np.float32))
            for name, value in values.items()
        }
    )
