"""Real detections beside their ground truth, and the same with drawn ones: what noise is fitted to.

A detection is matched to an object of at least IoU 0.5, one to one, as many as possible and then
the best. One that is left over is a duplicate of an object that it overlaps by 0.5, a partial from
0.15 on, else background; on annotations that do not count it is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np
from scipy.optimize import linear_sum_assignment

from helpers.places import ASSETS
from mot_dinov3.config import DetectorConfig, SourceConfig
from mot_dinov3.data.synthetic.noise.background import Picture
from mot_dinov3.data.synthetic.noise.drawing import (
    BACKGROUND,
    DUPLICATE,
    FOUND,
    PARTIAL,
    draw_boxes,
)
from mot_dinov3.data.synthetic.noise.normals import Timeline
from mot_dinov3.data.synthetic.noise.placing import (
    FEWEST_IOU,
    MATCH_IOU,
    measure_crowding,
    split_frames,
)
from mot_dinov3.io.formats.mot import MotTable, read_mot
from mot_dinov3.io.read.seqinfo import read_seqinfo
from mot_dinov3.values.boxes import clip, iou_matrix, xyxy_to_cxcywh

FLOOR = 0.1
"""Detections below are not asked for, as by default."""
UNCOUNTED = -1
LAGS_S = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds after which repetitions are compared; 0 is the next frame."""
OBJECTS = 30_000
"""Objects that chance is averaged over."""
FEWEST = 30
"""Boxes of a kind below which nothing is said of it."""


@dataclass(frozen=True)
class Sample:
    """One sequence: what is there, what does not count, and what was detected."""

    picture: Picture
    truth: MotTable
    uncounted: MotTable
    found: MotTable
    later: dict = field(default_factory=dict)

    @cached_property
    def labels(self):
        """(N,) kind and (N,) row of the object, or -1, of every detection."""
        return label(self.found, self.truth, self.uncounted)

    @cached_property
    def timeline(self):
        return Timeline(self.truth.track_id, self.truth.frame_index / self.picture.fps)

    @cached_property
    def crowd(self):
        return measure_crowding(self.truth.xyxy, self.truth.frame_index)

    def find_later(self, step):
        """Rows of the truth whose object is there `step` frames later, and the rows of that."""
        if step not in self.later:
            key = self.truth.track_id * 1_000_000 + self.truth.frame_index
            order = np.argsort(key)
            place = np.searchsorted(key[order], key + step).clip(max=len(key) - 1)
            there = key[order][place] == key + step
            self.later[step] = np.flatnonzero(there), order[place[there]]
        return self.later[step]

    def has(self, kind):
        """(T,) whether each object has a detection of that kind."""
        out = np.zeros(len(self.truth), bool)
        kinds, owner = self.labels
        out[owner[kinds == kind]] = True
        return out


def select(table, rows):
    return MotTable(**{item.name: getattr(table, item.name)[rows] for item in fields(MotTable)})


def read_sample(directory, boxes):
    """A sequence with its detections (a file or a table)."""
    info = read_seqinfo(directory)
    truth = read_mot(directory / "gt" / "gt.txt")
    counted = (truth.score != 0) & np.isin(truth.class_id, (-1, 1))
    kept = select(truth, counted)
    inside = clip(kept.xyxy, info.width, info.height)  # as the truth of drawn worlds is
    kept = replace(kept, xyxy=inside)
    kept = select(kept, (inside[:, 2:] > inside[:, :2]).all(axis=1))
    if (truth.class_id < 0).all():
        kept = replace(kept, visibility=estimate_visibility(kept))
    found = boxes if isinstance(boxes, MotTable) else read_mot(boxes)
    good = (found.score >= FLOOR) & (found.xyxy[:, 2:] > found.xyxy[:, :2]).all(axis=1)
    found = select(found, good)
    last = max(int(truth.frame_index[-1]), int(found.frame_index[-1])) + 1
    picture = Picture(info.width, info.height, info.fps, min(info.frames, last))
    return Sample(picture, kept, select(truth, ~counted), replace_score(found))


def replace_score(table):
    return replace(table, score=table.score.clip(0, 1))


def estimate_visibility(truth, cells=12):
    """(N,) the share of each box that no box with a lower edge covers, on a grid of cells."""
    out = np.ones(len(truth), np.float32)
    steps = (np.arange(cells) + 0.5) / cells
    for rows in split_frames(truth.frame_index):
        box = truth.xyxy[rows].astype(np.float64)
        x = box[:, :1] + (box[:, 2:3] - box[:, :1]) * steps
        y = box[:, 1:2] + (box[:, 3:] - box[:, 1:2]) * steps
        for k, row in enumerate(rows):
            near = box[box[:, 3] > box[k, 3]]
            across = (near[:, :1] <= x[k]) & (x[k] <= near[:, 2:3])
            down = (near[:, 1:2] <= y[k]) & (y[k] <= near[:, 3:])
            hidden = (down[:, :, None] & across[:, None]).any(axis=0)
            out[row] = 1 - hidden.mean()
    return out


def label(found, truth, uncounted):
    """(N,) kind of every detection, `UNCOUNTED` where it does not count, and its object's row."""
    kind, owner = np.full(len(found), BACKGROUND), np.full(len(found), -1)
    for rows in split_frames(found.frame_index):
        frame = int(found.frame_index[rows[0]])
        there, other = truth.rows_of(frame), uncounted.rows_of(frame)
        near = iou_matrix(found.xyxy[rows], truth.xyxy[there])
        if near.shape[1]:
            most = near.max(axis=1)
            kind[rows[most >= FEWEST_IOU]] = PARTIAL
            kind[rows[most >= MATCH_IOU]] = DUPLICATE
            owner[rows[most >= FEWEST_IOU]] = near.argmax(axis=1)[most >= FEWEST_IOU] + there.start
            i, j = linear_sum_assignment(-np.where(near >= MATCH_IOU, 1 + near, 0))
            i, j = i[near[i, j] >= MATCH_IOU], j[near[i, j] >= MATCH_IOU]
            kind[rows[i]], owner[rows[i]] = FOUND, j + there.start
        left_out = iou_matrix(found.xyxy[rows], uncounted.xyxy[other])
        if left_out.shape[1]:
            kind[rows[(left_out.max(axis=1) >= MATCH_IOU) & (kind[rows] != FOUND)]] = UNCOUNTED
    return kind, owner


def errors_of(sample, kind):
    """(K, 4) errors of the boxes of a kind as in `BoxErrors`, and the rows of their objects."""
    kinds, owner = sample.labels
    rows = np.flatnonzero(kinds == kind)
    box = xyxy_to_cxcywh(sample.found.xyxy[rows]).astype(float)
    thing = xyxy_to_cxcywh(sample.truth.xyxy[owner[rows]]).astype(float)
    shift = (box[:, :2] - thing[:, :2]) / thing[:, 2:]
    return np.concatenate([shift, np.log(box[:, 2:] / thing[:, 2:])], axis=1), owner[rows]


def count_repetitions(samples, flags):
    """(2, L) for each of `LAGS_S`: set flags of an object that are set again, and set flags."""
    out = np.zeros((2, len(LAGS_S)))
    for sample, flag in zip(samples, flags, strict=True):
        for column, lag in enumerate(LAGS_S):
            rows, later = sample.find_later(max(1, round(lag * sample.picture.fps)))
            out[:, column] += (flag[rows] & flag[later]).sum(), flag[rows].sum()
    return out


def share_repeated(counts):
    """(L,) shares of what `count_repetitions` counts, NaN where it is too little."""
    return np.where(counts[1] > FEWEST, counts[0] / np.maximum(counts[1], 1), np.nan)


def count_rates(samples):
    """Boxes of each kind: found, duplicates and partials an object, background a frame."""
    kinds = np.concatenate([s.labels[0] for s in samples])
    objects, frames = sum(len(s.truth) for s in samples), sum(s.picture.frames for s in samples)
    counts = np.array([(kinds == kind).sum() for kind in range(4)], float)
    return counts / [objects, objects, objects, frames]


def draw_sample(sample, noise, seed):
    """The sample with drawn detections in the place of the real ones."""
    drawn = draw_boxes(sample.truth, sample.picture, noise, seed)
    n = len(drawn)
    return replace(
        sample,
        found=MotTable(drawn.frame_index, np.full(n, -1), drawn.xyxy, drawn.score,
                       np.full(n, -1), np.ones(n, np.float32)),
    )  # fmt: skip


def count_draws(samples):
    """How many draws it takes to see `OBJECTS`, at least one."""
    return max(1, round(OBJECTS / sum(len(s.truth) for s in samples)))


def detect_all(directory, weights):
    """What a YOLO model finds in the pictures of a sequence, as a table."""
    from mot_dinov3.perception.detectors.factory import create_detector
    from mot_dinov3.runs.session import open_frames

    detector = create_detector(
        DetectorConfig(f"yolo:{weights}", imgsz=960, classes="person", low_conf=FLOOR), "cpu"
    )
    frames, boxes, scores = [], [], []
    with open_frames(SourceConfig(f"mot:{directory}")) as reader:
        for frame in reader:
            found = detector.detect(frame)
            frames.append(np.full(len(found), frame.index))
            boxes.append(found.xyxy)
            scores.append(found.score)
    n = sum(map(len, frames))
    return MotTable(np.concatenate(frames), np.full(n, -1), np.concatenate(boxes),
                    np.concatenate(scores), np.full(n, -1), np.ones(n, np.float32))  # fmt: skip


def read_samples(name, assets=ASSETS):
    """The sequences that a member is fitted to, and those that last."""
    pets = assets / "mot" / "PETS09-S2L1-a"
    if name == "acf":
        long = [read_sample(pets, pets / "det" / "det_acf.txt")]
        return long, long
    if name == "frcnn":
        places = sorted((assets / "mot17" / "MOT17-train").iterdir())
        long = [read_sample(place, place / "det" / "det.txt") for place in places]
        return long, long
    long = [read_sample(pets, pets / "det" / "det_yolov8n.txt")]
    weights = assets / "weights" / "yolov8n_deq.pt"
    short = [read_sample(place, detect_all(place, weights))
             for place in sorted((assets / "mot17-mini").iterdir())]  # fmt: skip
    return [*long, *short], long
