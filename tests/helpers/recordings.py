"""Small recordings of people who cross: exact costs, exact truth, looks that tell them apart."""

from __future__ import annotations

import numpy as np

from helpers.fakes import FakeEmbedder, ScriptedDetector, blank_frame
from mot_dinov3.config import DetectorConfig, TrackConfig
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.lab.recordings.clip import record_detections
from mot_dinov3.lab.recordings.clock import CostTable
from mot_dinov3.lab.recordings.recorder import embed_all_detections
from mot_dinov3.lab.recordings.recording import Origin, Recording, RecordingSetup

FRAMES, PEOPLE, DIM = 60, 4, 8
COSTS = CostTable({1: 3.0, 2: 5.0, 4: 8.0, 8: 14.0}, {"read": 1.0, "detect": 20.0, "track": 0.5})
SETTINGS = {"conf": 0.3, "crop_pad": 0.12}


def place(person, step):
    """Two meet in the middle of a row, both pause, and turn back: place alone swaps them."""
    row, left = divmod(person, 2)
    way = min(step, FRAMES - step)
    x = 100 + 6.5 * way if left else 500 - 6.5 * way
    return (x, 50 + 200 * row, x + 40, 150 + 200 * row)


def script():
    """Detections of each frame, people in turn, and a weak one that nobody is."""
    rows = []
    for step in range(FRAMES):
        seen = [(*place(person, step), 0.9) for person in range(PEOPLE)]
        rows.append([*seen, (600, 400, 630, 450, 0.2)])
    return rows


def looks(step):
    """Box -> a direction of its own for the person who is there."""

    def look(box):
        who = [np.allclose(box, place(person, step), atol=1e-3) for person in range(PEOPLE)]
        vector = np.full(DIM, 0.05)
        vector[who.index(True) if any(who) else DIM - 1] = 1.0
        return vector / np.linalg.norm(vector)

    return look


def truth():
    frame, person = np.divmod(np.arange(FRAMES * PEOPLE), PEOPLE)
    xyxy = [place(p, f) for f, p in zip(frame, person, strict=True)]
    n = len(frame)
    return MotTable(frame, person + 1, np.array(xyxy, np.float32), np.ones(n, np.float32),
                    np.ones(n, np.int64), np.ones(n, np.float32))  # fmt: skip


def recording(*, known=True, content="a" * 64, weights="w1", name="clip.mp4", settings=None):
    """A `Recording` of the crossing, without any file."""
    frames = [blank_frame(index) for index in range(FRAMES)]
    clip = record_detections(frames, ScriptedDetector(script()))
    config = TrackConfig(detector=DetectorConfig("motion"))
    for frame in frames:
        seen = clip.frames[frame.index].detections
        embedder = FakeEmbedder(looks(frame.index), DIM)
        clip.add(frame, seen, embed_all_detections(embedder, frame, seen, config))
    return Recording(
        Origin(name, 640, 480, 30.0, FRAMES, content),
        RecordingSetup("scripted", "built in", "fake", weights, settings or SETTINGS),
        clip,
        COSTS,
        truth() if known else None,
    )
