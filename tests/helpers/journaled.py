"""A crowd that crosses, tracked with a journal; its models count how often they are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers.fakes import ScriptedDetector
from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.io.info import SourceInfo
from mot_dinov3.runs.resume.identity import RunIdentity
from mot_dinov3.runs.resume.journaled import JournaledSystem, JournalSink
from mot_dinov3.runs.resume.place import JournalPlace
from mot_dinov3.runs.resume.recorder import JournalRecorder
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.systems.loading import LoadedModular
from mot_dinov3.systems.models import Models
from mot_dinov3.values import Frame

FRAMES, WALKERS = 40, 5
FINGERPRINT = {"detector": "scripted", "embedder": "by colour"}


def crowd():
    """Boxes of walkers that meet in the middle, with gaps and noise; always the same."""
    chance = np.random.default_rng(5)
    frames = []
    for index in range(FRAMES):
        rows = []
        for walker in range(WALKERS):
            if (index + 7 * walker) % 11 in (3, 4) or (index, walker) == (0, 4):
                continue
            x = 40 + 12 * index if walker % 2 else 540 - 12 * index
            off = chance.normal(0, 1.5, 4)
            box = np.array([x, 60 + 20 * walker, x + 40, 160 + 20 * walker]) + off
            rows.append((*box, float(chance.uniform(0.5, 0.95))))
        frames.append(rows)
    return frames


class CountingDetector(ScriptedDetector):
    """Counts its calls."""

    def __init__(self):
        super().__init__(crowd())
        self.asked = []

    def detect(self, frame):
        self.asked.append(frame.index)
        return super().detect(frame)


class ColourEmbedder:
    """Vectors that differ from call to call, so that computing them again shows."""

    title, device, dim = "by colour", "cpu", 6
    fingerprint = "by colour"
    whole_frame, has_own_cost, has_memory = False, True, False

    def __init__(self):
        self.calls, self.chance = 0, np.random.default_rng(1)

    def embed(self, image, xyxy):
        self.calls += 1
        base = np.eye(self.dim)[np.round((xyxy[:, 1] - 60) / 20).astype(int) % self.dim]
        vectors = base + self.chance.normal(0, 0.05, base.shape)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def frames(count=FRAMES, seed=2):
    """Pictures that differ, with times that are no round numbers."""
    image = np.random.default_rng(seed).integers(0, 255, (480, 640, 3), np.uint8)
    for index in range(count):
        image[0, 0] = index
        yield Frame(index, index / 29.97, image.copy())


def config(**scheduler):
    return TrackConfig(scheduler=SchedulerConfig(**scheduler))


def place(directory, settings=None, count=FRAMES, outputs=("o.mp4",)):
    """Where the journal of a run lies that writes `outputs` of a source of `count` frames."""
    info = SourceInfo("clip.mp4", 640, 480, 30.0, count, False, None)
    identity = RunIdentity.of(settings or config(), info)
    return JournalPlace([Path(directory) / output for output in outputs], identity)


class Run:
    """One process's worth of tracking: models of its own, a journal, results so far."""

    def __init__(self, settings, journal):
        self.detector, self.embedder = CountingDetector(), ColourEmbedder()
        recorder = JournalRecorder()
        loaded = LoadedModular(Models(self.detector, self.embedder))
        self.inner = loaded.start(settings, recorder)
        self.tracker = JournaledSystem(self.inner, recorder, journal)
        self.sink = JournalSink(self.tracker, journal, StageTimer())
        self.results = []

    def go(self, draw_pictures):
        for frame in draw_pictures:
            self.results.append(self.tracker.step(frame))
            self.sink.write(frame, self.results[-1])
        return self


def without_times(results):
    """What must be the same: tracks, fates and vectors, but no times."""
    return [
        (
            result.frame_index,
            *(getattr(result.tracks, name).tobytes() for name in ("id", "xyxy", "state", "fresh")),
            result.decisions.admitted.tobytes(),
            result.embeddings.vectors.tobytes(),
            result.embed.computed, result.embed.reused, result.embed.deferred,
        )
        for result in results
    ]  # fmt: skip
