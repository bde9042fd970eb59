"""A modular tracker of fakes that searches: who is where is a function, time passes when told."""

from __future__ import annotations

import numpy as np

from helpers.fakes import FakeClock, FakeEmbedder, ScriptedDetector, blank_frame
from mot_dinov3.config import AssociationConfig, EmbedderConfig, SearchConfig, TrackConfig
from mot_dinov3.perception.searchers.base import Finds
from mot_dinov3.systems.assembly import assemble
from mot_dinov3.systems.models import Models


class AskedDetector(ScriptedDetector):
    """Remembers the frames that it was asked about, and takes its time."""

    def __init__(self, frames, clock=None, cost_ms=0.0):
        super().__init__(frames)
        self.asked, self.clock, self.cost_ms = [], clock or FakeClock(), cost_ms

    def detect(self, frame):
        self.asked.append(frame.index)
        self.clock.now_s += self.cost_ms / 1000
        return super().detect(frame)


class FakeSearcher:
    """Finds targets where `where(frame index, box it was shown in)` says: a box and a score."""

    title, fingerprint, sure = "fake", "fake searcher", 0.5

    def __init__(self, where, clock=None, cost_ms=0.0):
        self.where, self.clock, self.cost_ms = where, clock or FakeClock(), cost_ms
        self.known, self.asked, self.shown, self.forgotten = {}, {}, [], []

    def show(self, frame, ids, xyxy):
        self.shown += [(frame.index, n) for n in ids.tolist()]
        self.known |= dict(zip(ids.tolist(), np.array(xyxy), strict=True))

    def search(self, frame, ids, expected):
        self.clock.now_s += self.cost_ms * len(ids) / 1000
        self.asked[frame.index] = ids.tolist()
        found = [self.where(frame.index, self.known[n]) for n in ids.tolist()]
        xyxy = np.array([box for box, _ in found], np.float32).reshape(-1, 4)
        return Finds(xyxy, np.array([score for _, score in found], np.float32))

    def forget(self, ids):
        self.forgotten += ids.tolist()
        for n in ids.tolist():
            del self.known[n]

    def renew(self):
        return self


def person(x, y=100.0):
    return (float(x), y, x + 40.0, y + 100.0)


def build(script, where, looks=None, clock=None, costs_ms=(0.0, 0.0), stages=None, **search):
    """A tracker that searches; `looks` gives the vector of a box, None for no embedder.

    `costs_ms` are those of a detection and of a search for one target.
    """
    clock = clock or FakeClock()
    models = Models(
        AskedDetector(script, clock, costs_ms[0]),
        None if looks is None else FakeEmbedder(looks),
        searcher=FakeSearcher(where, clock, costs_ms[1]),
    )
    config = TrackConfig(
        search=SearchConfig(**search),
        association=AssociationConfig(reid_similarity="0.7"),
        embedder=EmbedderConfig("none" if looks is None else "resnet"),
        **(stages or {}),
    )
    return assemble(config, models, clock=clock)


def run(tracker, frames, first=0):
    return [tracker.step(blank_frame(index)) for index in range(first, first + frames)]
