"""Pieces of trajectories to learn from: seen as a detector sees them, and hidden for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mot_dinov3.data.trajectories.base import Trajectories
from mot_dinov3.data.trajectories.noise import DetectorNoise
from mot_dinov3.tracking.motion.base import REFERENCE_FPS
from mot_dinov3.values import BoolArray, FloatArray
from mot_dinov3.values.boxes import xyxy_to_cxcywh

STRIDES = (1, 1, 1, 2, 3)
"""Every frame, every second, every third: as if the camera had been slower."""
FEWEST_SEEN = 5
WARM_UP = 6
"""Frames at the start of a clip in which nothing is hidden."""
GAPS = (5, 30)
"""Frames that a track is hidden."""
HIDDEN_SHARE, LONG_SHARE, TOGETHER_SHARE = 0.6, 0.3, 0.1
"""Of the tracks, those that are hidden; of these, those hidden for the longest; of the clips, those
where all are hidden at once."""
OWN_SHARE = 0.5
"""Of the clips with detections of their own, those that keep them."""
SHAKEN_SHARE, STEADY_SHARE = 0.3, 0.7
LONGEST_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class ClipRules:
    """What clips are like.

    Attributes:
        shortest: frames of the shortest.
        longest: frames of the longest.
        tracks: most tracks.
    """

    shortest: int
    longest: int
    tracks: int

    def draw_length(self, rng: np.random.Generator) -> int:
        """How many frames the clips of a batch have; often as many as may be."""
        if rng.random() < LONGEST_SHARE:
            return self.longest
        return int(rng.integers(self.shortest, self.longest + 1))


def draw_clips(
    sequences: Sequence[Trajectories],
    noise: DetectorNoise | None,
    rules: ClipRules,
    count: int,
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    """Draw clips of one length L, with T tracks at most in each.

    Args:
        sequences: what they are cut from.
        noise: of the detector, None to see boxes as they are.
        rules: what clips are like.
        count: how many.
        rng: decides everything.

    Returns:
        `truth` (L, B, T, 4) centre and size in pixels, 0 where absent; `present` (L, B, T);
        `seen` (L, B, T, 4), `observed` (L, B, T) and `score` (L, B, T) as a detector saw them;
        `hidden` (L, B, T) 1 where an object is there but was hidden; `step` (B,) reference frames
        from frame to frame; `steady` (B,) 1 where a shift that all boxes share is taken for the
        camera's.
    """
    length = rules.draw_length(rng)
    frames = np.array([len(one) for one in sequences], np.float64)
    clips: list[dict[str, FloatArray]] = []
    while len(clips) < count:
        one = sequences[int(rng.choice(len(sequences), p=frames / frames.sum()))]
        clip = _draw_clip(one, noise, (length, rules.tracks), rng)
        if clip is not None:
            clips.append(clip)
    out = {name: np.stack([clip[name] for clip in clips], axis=1) for name in clips[0]}
    return {**out, "step": out["step"][0], "steady": out["steady"][0]}


def _draw_clip(
    one: Trajectories,
    noise: DetectorNoise | None,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> dict[str, FloatArray] | None:
    length, most = shape
    stride = int(rng.choice(STRIDES))
    if (length - 1) * stride >= len(one):
        stride = 1
    if length > len(one):
        return None
    first = int(rng.integers(0, len(one) - (length - 1) * stride))
    frames = first + stride * np.arange(length)
    if rng.random() < 0.5:
        frames = frames[::-1]
    seen = one.seen[frames]
    present = np.isfinite(seen[..., 0]).sum(axis=0) >= FEWEST_SEEN
    chosen = rng.permutation(np.flatnonzero(present))[:most]
    if not len(chosen):
        return None
    truth, seen, score = one.truth[frames][:, chosen], seen[:, chosen], one.score[frames][:, chosen]
    if noise is not None and not (one.detected and rng.random() < OWN_SHARE):
        seen, score = noise.replay(truth, rng)
    moved = _move(truth, rng)
    truth, seen = _flip(truth + moved, seen + moved, rng)
    return _pack(truth, seen, score, most, rng) | {
        "step": np.full(1, stride * REFERENCE_FPS / one.fps, np.float32)[0:1],
        "steady": np.array([rng.random() < STEADY_SHARE], np.float32),
    }


def _pack(
    truth: FloatArray, seen: FloatArray, score: FloatArray, most: int, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Arrays of `most` tracks without NaN."""
    length, count = score.shape
    hidden = hide(length, count, rng)
    observed = np.isfinite(seen[..., 0])
    present = np.isfinite(truth[..., 0])
    values = {
        "truth": np.nan_to_num(_centre(truth)),
        "present": present,
        "seen": np.nan_to_num(_centre(seen)),
        "observed": observed & ~hidden,
        "score": np.where(observed & ~hidden, score, 0.0),
        "hidden": present & (hidden | ~observed),
    }
    out = {}
    for name, value in values.items():
        padded = np.zeros((length, most, *value.shape[2:]), np.float32)
        padded[:, :count] = value
        out[name] = padded
    return out


def hide(length: int, count: int, rng: np.random.Generator) -> BoolArray:
    """(length, count) where tracks are hidden."""
    out = np.zeros((length, count), np.bool_)
    if length <= WARM_UP + GAPS[0]:
        return out
    shared = rng.random() < TOGETHER_SHARE
    start = rng.integers(WARM_UP, length - GAPS[0], count)
    gap = np.where(rng.random(count) < LONG_SHARE, GAPS[1], rng.integers(*GAPS, count))
    if shared:
        start[:], gap[:] = start[:1], gap[:1]
    chosen = shared | (rng.random(count) < HIDDEN_SHARE)
    frame = np.arange(length)[:, None]
    return np.asarray(chosen & (frame >= start) & (frame < start + gap), np.bool_)


def _move(truth: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(F, 1, 4) what a shaken camera adds to all boxes; nothing in most clips."""
    frames = len(truth)
    if rng.random() >= SHAKEN_SHARE:
        return np.zeros((frames, 1, 4), np.float32)
    size = float(np.nanmedian(truth[..., 3] - truth[..., 1]))
    pace, speed = rng.uniform(0.0, 0.03), np.zeros(2)
    path = np.zeros((frames, 2))
    for frame in range(1, frames):
        speed = 0.92 * speed + rng.normal(0.0, pace, 2)
        jump = rng.normal(0.0, 0.3, 2) if rng.random() < 0.02 else 0.0
        path[frame] = path[frame - 1] + speed + jump
    return np.asarray(size * np.tile(path, 2)[:, None], np.float32)


def _flip(
    truth: FloatArray, seen: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Both mirrored, in half of the cases."""
    if rng.random() < 0.5:
        return truth, seen
    mirror, sign = [2, 1, 0, 3], np.array([-1, 1, -1, 1], np.float32)
    return truth[..., mirror] * sign, seen[..., mirror] * sign


def _centre(xyxy: FloatArray) -> FloatArray:
    return xyxy_to_cxcywh(xyxy.reshape(-1, 4)).reshape(xyxy.shape)
