"""Draws the boxes that a detector with known errors would find, given what is really there."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from mot_dinov3.data.synthetic.noise.background import Picture, draw_background
from mot_dinov3.data.synthetic.noise.base import USUAL_HEIGHT, DetectorNoise, Misses
from mot_dinov3.data.synthetic.noise.extras import Scene, draw_extras
from mot_dinov3.data.synthetic.noise.normals import Timeline, take_quantiles
from mot_dinov3.data.synthetic.noise.placing import (
    FEWEST_IOU,
    MATCH_IOU,
    displace_on,
    find_most_iou,
    measure_crowding,
)
from mot_dinov3.io.formats.mot import MotTable
from mot_dinov3.values import BoolArray, DoubleArray, FloatArray, IntArray, check_shapes
from mot_dinov3.values.boxes import clip

FOUND, DUPLICATE, PARTIAL, BACKGROUND = range(4)
"""Why there is a box."""

OVERLAP = {DUPLICATE: (MATCH_IOU, 2.0), PARTIAL: (FEWEST_IOU, MATCH_IOU)}


@dataclass(frozen=True, slots=True)
class DrawnBoxes:
    """Detections of a clip, sorted by frame; row i of every array is the same box.

    Attributes:
        frame_index: (N,) int64, ascending.
        xyxy: (N, 4) float32, pixels, inside the picture.
        score: (N,) float32 in [0, 1].
        class_id: (N,) int64, that of the object; the commonest one's on nothing.
        kind: (N,) int64, one of `FOUND`, `DUPLICATE`, `PARTIAL`, `BACKGROUND`.
    """

    frame_index: IntArray
    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray
    kind: IntArray

    def __post_init__(self) -> None:
        n = len(self.frame_index)
        check_shapes(
            "DrawnBoxes",
            xyxy=(self.xyxy, (n, 4)),
            score=(self.score, (n,)),
            class_id=(self.class_id, (n,)),
            kind=(self.kind, (n,)),
        )

    def __len__(self) -> int:
        return len(self.frame_index)

    def __getitem__(self, rows: IntArray | BoolArray) -> DrawnBoxes:
        """Select rows, keeping the arrays aligned."""
        return DrawnBoxes(*(getattr(self, item.name)[rows] for item in fields(self)))


def draw_boxes(truth: MotTable, picture: Picture, noise: DetectorNoise, seed: int) -> DrawnBoxes:
    """Draw the detections of a clip; the same seed always draws the same ones.

    Args:
        truth: the objects of all frames, with the share of each that can be seen.
        picture: size, rate and length of the clip.
        noise: the errors.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    time_s = truth.frame_index / picture.fps
    timeline = Timeline(truth.track_id, time_s)
    strength = measure_strength(truth, picture, noise.misses)
    strength += timeline.draw(rng, noise.misses.course)
    found = (strength > 0) & (truth.visibility >= noise.misses.least_visible)
    placed = displace_on(rng, truth, time_s, noise.errors)
    score = draw_scores(rng, strength, found, noise)
    rows = np.flatnonzero(found)
    parts = [_collect(truth, rows, placed[rows], score[rows], FOUND)]
    crowd = measure_crowding(truth.xyxy, truth.frame_index)
    scene = Scene(truth, time_s, found, crowd, placed[rows], noise.most_iou)
    for kind, extras in ((DUPLICATE, noise.duplicates), (PARTIAL, noise.partials)):
        parts.append(_collect(truth, *draw_extras(rng, scene, extras, OVERLAP[kind]), kind))
    parts.append(_draw_ghosts(rng, truth, picture, noise))
    return _finish(parts, truth, picture)


def measure_strength(truth: MotTable, picture: Picture, misses: Misses) -> DoubleArray:
    """(N,) how surely each object is found, without chance; see `Misses`."""
    height = np.maximum(truth.xyxy[:, 3] - truth.xyxy[:, 1], 1e-3) / picture.height
    size = np.log(height.astype(np.float64) / USUAL_HEIGHT).clip(*misses.sizes)
    out = misses.base + misses.size * size + misses.size_twice * size**2
    return np.asarray(out - misses.hidden * (1 - truth.visibility.astype(np.float64)))


def draw_scores(
    rng: np.random.Generator, strength: DoubleArray, found: BoolArray, noise: DetectorNoise
) -> DoubleArray:
    """(N,) confidences; among found objects they go with the strength as `score_link` says."""
    among = strength[found] if found.any() else np.zeros(1)
    normal = (strength - among.mean()) / max(float(among.std()), 1e-9)
    share = noise.score_link
    normal = share * normal + np.sqrt(1 - share**2) * rng.standard_normal(len(strength))
    return take_quantiles(normal, noise.score)


def _draw_ghosts(
    rng: np.random.Generator, truth: MotTable, picture: Picture, noise: DetectorNoise
) -> DrawnBoxes:
    """The boxes on nothing, under the name of the commonest class."""
    ghosts = draw_background(rng, truth, picture, noise.background)
    commonest = np.bincount(np.maximum(truth.class_id, 0)).argmax() if len(truth) else 0
    column = np.ones(len(ghosts.score), np.int64)
    score = ghosts.score.astype(np.float32)
    classes, kind = column * int(commonest), column * BACKGROUND
    return DrawnBoxes(ghosts.frame_index, ghosts.xyxy, score, classes, kind)


def _collect(
    truth: MotTable, rows: IntArray, xyxy: FloatArray, score: DoubleArray, kind: int
) -> DrawnBoxes:
    return DrawnBoxes(
        truth.frame_index[rows],
        xyxy,
        score.astype(np.float32),
        truth.class_id[rows],
        np.full(len(rows), kind),
    )


def _finish(parts: list[DrawnBoxes], truth: MotTable, picture: Picture) -> DrawnBoxes:
    """Sort all boxes by frame, cut them to the picture; an object hides the ground behind it."""
    columns = [np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(DrawnBoxes)]
    boxes = DrawnBoxes(*columns)
    boxes = boxes[np.argsort(boxes.frame_index, kind="stable")]
    inside = clip(boxes.xyxy, picture.width, picture.height)
    boxes = DrawnBoxes(boxes.frame_index, inside, boxes.score, boxes.class_id, boxes.kind)
    on = find_most_iou(boxes.xyxy, boxes.frame_index, truth.xyxy, truth.frame_index)
    keep = (boxes.kind != BACKGROUND) | (on < FEWEST_IOU)
    keep &= (boxes.xyxy[:, 2:] > boxes.xyxy[:, :2]).all(axis=1)
    return boxes[keep]
