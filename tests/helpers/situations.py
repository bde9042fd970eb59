"""One frame before association: which track is expected where, and what is seen."""

from __future__ import annotations

import numpy as np

from helpers.fakes import boxes
from mot_dinov3.config import AssociationConfig, MotionConfig, TrackerConfig
from mot_dinov3.tracking.appearance_scale import AppearanceScale
from mot_dinov3.tracking.association.base import Comparison, TrackView
from mot_dinov3.tracking.association.cascade import CascadeAssociation
from mot_dinov3.tracking.gallery import Gallery
from mot_dinov3.tracking.motion.factory import create_motion
from mot_dinov3.tracking.trajectory import Trajectory
from mot_dinov3.values import Embeddings, TrackState

CONFIRMED, LOST, TENTATIVE = TrackState.CONFIRMED, TrackState.LOST, TrackState.TENTATIVE
RED, BLUE, GREEN = [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]

BARE = {
    "no_hungarian": False,
    "match_iou": 0.3,
    "worst_cost": 1e3,
    "hasty_iou": 1.0,
    "low_match_iou": 0.5,
    "low_window_s": 0.0,
    "tentative_iou": 0.3,
    "recent_first": False,
    "growth": 0.0,
    "growth_per_s": 0.0,
    "growth_limit": 0.0,
    "height_power": 0.0,
    "score_fusion": 0.0,
    "momentum": 0.0,
    "momentum_s": 0.1,
    "appearance_weight": 0.5,
    "adaptive_appearance": False,
    "reid_similarity": "0.7",
}
"""Plain overlap with nothing added, whatever the defaults are."""

FILTER = {
    "motion": "kalman",
    "cmc": "none",
    "steady": False,
    "position_noise": 1 / 20,
    "velocity_noise": 1 / 120,
    "measurement_noise": 1 / 20,
    "noise_by_score": 0.25,
    "size_basis": "root",
    "damping": 1.0,
    "re_update": False,
}
"""A plain filter, whatever the defaults are."""

PLAIN_SCALE = AppearanceScale(gate=0.7)
"""What a cosine means where a run has learned nothing."""

TRACKER = {
    "strong_share": 0.0,
    "birth_share": 1.0,
    "birth_iou": 1.0,
    "max_lost_s": 2.0,
    "reid_s": 10.0,
    "min_hits": 2,
}
"""A tracker that goes by the detector's confidence alone, whatever the defaults are."""


def association(**changed):
    return AssociationConfig(**{**BARE, **changed})


def motion(**changed):
    return MotionConfig(**{**FILTER, **changed})


def lifecycle(**changed):
    return TrackerConfig(**{**TRACKER, **changed})


def box(x, y=100.0, width=40.0, height=100.0):
    return (x, y, x + width, y + height)


def expected(*places, state=CONFIRMED, lost_s=0.0, looks=(), class_id=0, was=(), scale=PLAIN_SCALE):
    """A `TrackView` of tracks predicted at `places`.

    `state`, `lost_s` and `class_id` are for all or one each; `looks` a vector or None each; `was`
    the places they were seen at before, oldest first, a tenth of a second apart, one list each.
    """
    n = len(places)
    xyxy = np.array(places, np.float32).reshape(-1, 4)
    state = np.broadcast_to(np.asarray(state, np.int8), n).copy()
    lost_s = np.broadcast_to(np.asarray(lost_s, np.float32), n).copy()
    filters = create_motion(motion())
    filters.initiate(xyxy, np.ones(n, np.float32))
    trajectory = Trajectory(filters)
    trajectory.extend(n, filters)
    for row, path in enumerate(was):
        for step, place in enumerate(path):
            seen = np.array([place], np.float32)
            trajectory.observe(np.array([row]), seen, 0.1 * step, filters)
    gallery = Gallery()
    gallery.extend(n)
    for row, look in enumerate(looks):
        if look is not None:
            gallery.add(np.array([row]), unit(look))
    return TrackView(
        id=np.arange(1, n + 1),
        hits=np.full(n, 9),
        xyxy=xyxy,
        class_id=np.broadcast_to(np.asarray(class_id), n).astype(np.int64),
        state=state,
        lost_s=lost_s,
        away_s=np.where(state == LOST, np.maximum(lost_s - np.float32(1 / 30), 0), 0),
        staleness=np.ones(n, np.int64),
        disputed=np.zeros(n, np.bool_),
        motion=filters,
        trajectory=trajectory,
        gallery=gallery,
        memory_s=np.full(n, np.float32(1 / 30)),
        scale=scale,
    )


def unit(look):
    vector = np.array([look], np.float32)
    return vector / np.linalg.norm(vector)


def seen(view, *rows, config=None, strong_from=0.3):
    """A `Scene` of detections (x1, y1, x2, y2[, score[, class]]) before that view."""
    detections = boxes(*rows)
    near = CascadeAssociation(config or association(), lifecycle()).compare(detections, view)
    sure = detections.score >= strong_from
    return Comparison(detections, near, sure, sure, sure)


def table(scene, values, n_tracks, otherwise=0.0):
    """(N, T) values (K,) of the near pairs, `otherwise` for those that do not touch."""
    out = np.full((len(scene.strong), n_tracks), otherwise, np.float32)
    out[scene.near.rows, scene.near.columns] = values
    return out


def embedded(looks, n=0):
    """Embeddings of this frame: a vector, or None for what was not embedded."""
    out = Embeddings.none(max(n, len(looks)), 4)
    for row, look in enumerate(looks):
        if look is not None:
            out.vectors[row] = unit(look)
            out.fresh[row] = out.valid[row] = True
    return out


def matched(view, *rows, looks=(), config=None, strong_from=0.3, **lifecycle_changed):
    """Detection row -> track row, as the cascade decides."""
    config = config or association()
    scene = seen(view, *rows, config=config, strong_from=strong_from)
    cascade = CascadeAssociation(config, lifecycle(**lifecycle_changed))
    matches = cascade.associate(scene, embedded(looks, len(rows)), view)
    return dict(zip(matches.detection_rows.tolist(), matches.track_rows.tolist(), strict=True))
