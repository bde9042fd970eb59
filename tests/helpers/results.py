"""Frames and what a tracker said of them, made by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.values import (
    Detections,
    EmbedCounts,
    Embeddings,
    Frame,
    FrameResult,
    Tracks,
    TrackState,
)

SIZE = (64, 48)
FPS = 25


@dataclass
class Seen:
    """One track in one frame."""

    id: int = 1
    box: tuple[float, ...] = (10, 20, 30, 40)
    score: float = 0.75
    class_id: int = 0
    state: TrackState = TrackState.CONFIRMED
    fresh: bool = True
    seen: bool = True
    vector: tuple[float, ...] = (1, 0, 0)
    was: int = 0


def frame_at(index, size=SIZE):
    """A grey picture whose every pixel tells its place."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.uint8)
    return Frame(index, index / FPS, np.stack((x, y, np.full_like(x, 100)), axis=2))


def result_at(index, *tracks, **counts):
    """A frame in which `tracks` are (one by default); detections are those that are seen."""
    tracks = tracks or (Seen(),)
    seen = [track.seen for track in tracks]
    rows = np.where(seen, np.cumsum(seen) - 1, -1)
    table = Tracks(
        id=np.array([track.id for track in tracks], np.int64),
        xyxy=np.array([track.box for track in tracks], np.float32),
        score=np.array([track.score for track in tracks], np.float32),
        class_id=np.array([track.class_id for track in tracks], np.int64),
        state=np.array([track.state for track in tracks], np.int8),
        fresh=np.array([track.fresh and track.seen for track in tracks], np.bool_),
        detection=rows.astype(np.int64),
        provisional=np.array([track.was for track in tracks], np.int64),
    )
    found = table[np.array(seen)]
    vectors = np.array([track.vector for track in tracks if track.seen], np.float32)
    width = vectors.shape[1] if len(vectors) else 0
    looks = Embeddings(vectors.reshape(len(vectors), width), found.fresh, found.fresh.copy())
    detections = Detections(found.xyxy, found.score, found.class_id)
    embed = EmbedCounts(critical=int(found.fresh.sum()), **counts)
    time_s = index / FPS
    return FrameResult(index, time_s, detections, table, embed, embeddings=looks)
