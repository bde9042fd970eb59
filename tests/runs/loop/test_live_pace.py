"""`--target-fps` before a camera: embeddings get less, so that the pace is held."""

from __future__ import annotations

import time

import numpy as np

from helpers.fakes import ScriptedDetector, blank_frame
from mot_dinov3.config import SchedulerConfig, TrackConfig
from mot_dinov3.runs.loop import RunSettings, run
from mot_dinov3.runtime.timing import StageTimer
from mot_dinov3.scheduling.policies.factory import create_policy
from mot_dinov3.scheduling.scheduler import EmbeddingScheduler
from mot_dinov3.systems.models import Models
from mot_dinov3.systems.modular import ModularTracker
from mot_dinov3.tracking.tracker import Tracker
from mot_dinov3.values import Frame

CAMERA_FPS, DETECT_S, CROP_S = 25, 0.015, 0.01
PEOPLE = [[(60 * n, 50, 60 * n + 40, 150) for n in range(8)]] * 1000


class Detector(ScriptedDetector):
    def detect(self, frame):
        time.sleep(DETECT_S)
        return super().detect(frame)


class Embedder:
    title, device, dim = "slow", "cpu", 8
    fingerprint = "slow weights"
    whole_frame, has_own_cost, has_memory = False, True, False

    def embed(self, image, xyxy):
        time.sleep(CROP_S * len(xyxy))
        return np.eye(8, dtype=np.float32)[(xyxy[:, 0] // 60).astype(int) % 8]


def camera(seconds):
    """The newest frame whenever one is asked for: frames in between are gone."""
    began, last = time.perf_counter(), -1
    while True:
        index = int((time.perf_counter() - began) * CAMERA_FPS)
        if index / CAMERA_FPS > seconds:
            return
        if index == last:
            time.sleep(0.002)
            continue
        last = index
        yield Frame(index, index / CAMERA_FPS, blank_frame(0).image)


def tracked(target_fps):
    config = SchedulerConfig(embed_all=True, target_fps=target_fps)
    tracker = ModularTracker(
        Models(Detector(PEOPLE), Embedder()), create_policy(config, embedder=True),
        EmbeddingScheduler(config), Tracker.of(TrackConfig()),
    )  # fmt: skip
    outcome = run(camera(2.5), tracker, [], StageTimer(), None, RunSettings(live=True))
    frames = outcome.statistics.frames
    return frames / outcome.wall_s, outcome.statistics.computed / frames


def test_the_pace_of_a_camera_is_held_by_embedding_less():
    free_fps, all_crops = tracked(0.0)
    held_fps, fewer = tracked(18.0)
    assert free_fps < 12, "8 crops of 10 ms, and 15 ms to detect"
    assert all_crops > 7
    assert held_fps > 1.4 * free_fps, "about 20 on a quiet machine"
    assert 0.5 < fewer < 5
