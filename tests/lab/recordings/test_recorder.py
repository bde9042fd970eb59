"""One pass over a source: everything is embedded, timed and fingerprinted."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter, sleep

import numpy as np
import pytest

from helpers.fakes import FakeEmbedder, ScriptedDetector, blank_frame
from mot_dinov3.config import DetectorConfig, TrackConfig
from mot_dinov3.lab.recordings.recorder import SIZES, ContentDigest, Stopwatch, record_source
from mot_dinov3.perception.backends.digest import weights_digest
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.systems.models import Models

SCRIPT = [[(10 + n, 10, 60 + n, 110), (300, 10, 350, 110, 0.2)] for n in range(6)] + [[]]
CONFIG = TrackConfig()


class BatchEmbedder(FakeEmbedder):
    """Remembers how many crops each call had."""

    def __init__(self):
        super().__init__(lambda box: np.eye(8)[int(box[0]) % 8])
        self.batches = []

    def embed(self, image, xyxy):
        self.batches.append(len(xyxy))
        return super().embed(image, xyxy)


def frames(n=7):
    return [blank_frame(index) for index in range(n)]


def test_everything_is_embedded_confident_ones_in_the_batches_of_the_pipeline():
    embedder = BatchEmbedder()
    recorded = record_source(frames(), Models(ScriptedDetector(SCRIPT), embedder), CONFIG)
    assert len(recorded.clip) == len(SCRIPT)
    assert all(np.isfinite(take.vectors).all() for take in recorded.clip.frames.values())
    assert embedder.batches[:12] == [1, 1] * 6
    assert recorded.clip.frames[6].vectors.shape == (0, 8)


def test_costs_are_measured_for_every_size_and_never_fall():
    recorded = record_source(frames(), Models(ScriptedDetector(SCRIPT), BatchEmbedder()), CONFIG)
    costs = recorded.costs.embed_ms
    assert tuple(costs) == SIZES
    assert list(costs.values()) == sorted(costs.values())
    assert set(recorded.costs.stages_ms) == {"read", "detect", "track"}
    assert recorded.costs.stages_ms["track"] > 0


def test_waiting_for_a_core_costs_nothing_on_a_cpu():
    watch = Stopwatch("cpu")
    sleep(0.05)
    assert watch.ms() < 20
    watch.start()
    until = perf_counter() + 0.03
    while perf_counter() < until:
        pass
    assert 0 < watch.ms() <= (perf_counter() - until + 0.03) * 1000 + 1


def test_without_an_embedder_there_are_boxes_only():
    recorded = record_source(frames(), Models(ScriptedDetector(SCRIPT), None), CONFIG)
    assert recorded.clip.frames[0].vectors.shape == (2, 0)
    assert recorded.costs.embed_ms == {}


def test_the_fingerprint_knows_every_pixel_and_every_time():
    def digest(items):
        out = ContentDigest()
        for frame in items:
            out.add(frame)
        return out.hexdigest()

    first = digest(frames(3))
    assert digest(frames(3)) == first
    assert digest(frames(2)) != first
    other = frames(3)
    other[1].image[5, 5, 0] = 1
    assert digest(other) != first
    late = frames(3)
    late[2] = replace(late[2], time_s=9.0)
    assert digest(late) != first
    recorded = record_source(frames(3), Models(ScriptedDetector(SCRIPT), None), CONFIG)
    assert recorded.content == first


def test_files_and_directories_have_fingerprints(tmp_path):
    (tmp_path / "model").mkdir()
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(b"one")
    before = weights_digest(tmp_path / "model")
    (tmp_path / "model" / "README.md").write_text("of no weight")
    assert weights_digest(tmp_path / "model") == before
    weights.write_bytes(b"two")
    assert weights_digest(tmp_path / "model") != before
    assert weights_digest(weights) == weights_digest(weights) != before


@pytest.mark.parametrize("det", ["motion", "mot:det.txt"])
def test_what_has_no_weights_is_built_in(det, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "det.txt").write_text("1,-1,0,0,5,5,0.9\n")
    detector = create_detector(DetectorConfig(det), "cpu")
    assert detector.fingerprint == "built in"
    assert bool(detector.repeated) == det.startswith("mot:")
