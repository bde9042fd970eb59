"""A system that is added by this file and one line of the table: a box that walks to the right."""

from __future__ import annotations

import numpy as np

from mot_dinov3.errors import ModelError
from mot_dinov3.systems.base import LoadedSystem, System
from mot_dinov3.values import CONFIRMED, Detections, Embeddings, FrameResult, Tracks
from mot_dinov3.values.run_facts import SystemCounts

LINE = ("helpers.added.system:Walker", "a box that walks to the right")


class Walker(LoadedSystem, System):
    """Finds its box by counting its steps; it ignores the recorder of `--resume`."""

    names, title, models = {0: "walker"}, "a walker", {"walker": "by heart"}
    fingerprint, counts, steps = {"walker": "left foot first"}, SystemCounts(1, 1), 0
    stops_at = None
    """The frame at which it fails, as if the process had been killed there."""

    @classmethod
    def load(cls, config, device=None):
        return cls()

    def start(self, config, recorder=None):
        return Walker()

    def step(self, frame):
        if frame.index == self.stops_at:
            raise ModelError("The walker has stopped.")
        self.steps += 1
        return result_at(frame, 5.0 * self.steps)


def result_at(frame, x):
    """One confirmed track whose box begins at `x`, with an embedding of its own."""
    one, whole = np.ones(1, np.float32), np.zeros(1, np.int64)
    box, yes = np.array([[x, 20, x + 20, 60]], np.float32), np.ones(1, bool)
    return FrameResult(
        frame_index=frame.index,
        time_s=frame.time_s,
        detections=Detections(box, one, whole),
        tracks=Tracks(whole + 1, box, one, whole, np.array([CONFIRMED], np.int8), yes, whole),
        embeddings=Embeddings(np.ones((1, 1), np.float32), yes, yes),
    )
