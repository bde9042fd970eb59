"""A scene in which two of six people are lost and come back under new ids."""

from __future__ import annotations

import numpy as np

from helpers.fakes import FakeEmbedder, ScriptedDetector
from mot_dinov3.config import (
    AssociationConfig,
    OutputConfig,
    RelinkConfig,
    ResumeConfig,
    SchedulerConfig,
    SourceConfig,
    TrackConfig,
    TrackerConfig,
)
from mot_dinov3.io.write.writer import VideoWriter, VideoWriterConfig
from mot_dinov3.runs.jobs.job import run_job
from mot_dinov3.systems.loading import LoadedModular
from mot_dinov3.systems.models import Models

FRAMES, FPS, PEOPLE, DIM = 48, 25, 6, 16
GAPS = {0: (12, 18), 3: (10, 30)}
"""Person -> frames without a detection; the first gap is shorter than tracks are kept."""

FILES = {"save_mot": "o.txt", "save_jsonl": "o.jsonl", "save_csv": "o.csv", "save_trace": "o.trace",
         "save_embeddings": "o.npz", "save_crops": "crops", "stats_json": "o.json",
         "save_coco": "o.coco.json", "save_cvat": "o.xml",
         "output": "o.mp4"}  # fmt: skip


def place(person, frame):
    """Every person has a row of their own, and comes back a little further on."""
    _, end = GAPS.get(person, (FRAMES, FRAMES))
    left = 10 + 2 * frame + (40 if frame >= end else 0)
    return (left, 5 + 38 * person, left + 30, 35 + 38 * person)


def seen(frame):
    hidden = [p for p, (begin, end) in GAPS.items() if begin <= frame < end]
    return [(*place(p, frame), 0.9) for p in range(PEOPLE) if p not in hidden]


def looks(box):
    """A direction for each row, a little different at every place."""
    vector = np.random.default_rng(int(box[0])).normal(size=DIM) * 0.03
    vector[int(box[1] // 38)] += 1
    return vector / np.linalg.norm(vector)


def make_video(path):
    """A wall with a pattern that is equally sharp everywhere."""
    y, x = np.mgrid[:240, :240]
    wall = np.repeat(((x // 3 + y // 3) % 2 * 120 + 60).astype(np.uint8)[:, :, None], 3, axis=2)
    with VideoWriter(VideoWriterConfig(path, FPS)) as writer:
        for frame in range(FRAMES):
            writer.write(wall.copy(), frame / FPS)


def system():
    detector = ScriptedDetector([seen(frame) for frame in range(FRAMES)])
    return LoadedModular(Models(detector, FakeEmbedder(looks, DIM)))


def configuration(directory, relink=True, **outputs):
    """Every output in `directory`; no track returns by appearance during the run."""
    clip = directory / "clip.mp4"
    if not clip.exists():
        make_video(clip)
    names = {field: str(directory / name) for field, name in FILES.items()} | outputs
    return TrackConfig(
        source=SourceConfig(str(clip)),
        scheduler=SchedulerConfig("always"),
        tracker=TrackerConfig(max_lost_s=0.6, reid_s=0.0),
        association=AssociationConfig(reid_similarity=1.0),
        relink=RelinkConfig(relink=relink),
        output=OutputConfig(**names),
        resume=ResumeConfig(journal=False),
    )


def tracked(directory, observer=None, **more):
    """Track the scene into `directory`."""
    config = configuration(directory, **more)
    return run_job(config, system(), observer)
