"""What the demo models reach on streets that they have never seen, through the tracker's code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mot_dinov3.config import DetectorConfig, DeviceConfig, EmbedderConfig
from mot_dinov3.data.synthetic.street import StreetWorld
from mot_dinov3.data.synthetic.truth import CLASS_NAMES, GroundTruth
from mot_dinov3.perception.detectors.factory import create_detector
from mot_dinov3.perception.features.base import Placement
from mot_dinov3.perception.features.factory import create_embedder
from mot_dinov3.values import BoolArray, Detections, FloatArray, Image, IntArray
from mot_dinov3.values.boxes import iou_matrix

MATCH_IOU, CONF, VISIBLE = 0.5, 0.3, 0.5
"""A hit overlaps this much; figures count at this confidence, over objects seen at least so far."""
_FLOOR = 0.01
_PAIR_GAP_S, _RETURN_GAP_S = 1.0, 2.0


@dataclass(frozen=True, slots=True)
class JudgedDetections:
    """All detections of one class over some frames, judged.

    Attributes:
        score: (N,) float32, of the detections that count.
        hit: (N,) bool, whether each found an object that no better detection had found.
        wanted: how many objects should have been found.
    """

    score: FloatArray
    hit: BoolArray
    wanted: int


def judge(detections: Detections, truth: GroundTruth) -> JudgedDetections:
    """Match the detections of one class in one frame, the most confident first.

    A detection on an object that is mostly hidden counts neither for nor against.
    """
    clear = truth.visibility > VISIBLE
    order = np.argsort(-detections.score, kind="stable")
    overlap = iou_matrix(detections.xyxy[order], truth.xyxy)
    taken = np.zeros(len(truth), np.bool_)
    hit, counts = np.zeros(len(order), np.bool_), np.ones(len(order), np.bool_)
    for row in range(len(order)):
        free = np.where(taken | (overlap[row] < MATCH_IOU), -1.0, overlap[row] + clear)
        best = int(free.argmax()) if len(truth) else -1
        if best >= 0 and free[best] >= 0:
            taken[best] = True
            hit[row], counts[row] = clear[best], clear[best]
    score = detections.score[order]
    return JudgedDetections(score[counts], hit[counts], int(clear.sum()))


def average_precision(scored: JudgedDetections) -> float:
    """Area under the precision envelope over recall (all points, as in PASCAL VOC 2010)."""
    order = np.argsort(-scored.score, kind="stable")
    hits = np.cumsum(scored.hit[order])
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * scored.hit[order]).sum() / max(1, scored.wanted))


def measure_detector(
    weights: Path, streets: Sequence[StreetWorld], imgsz: int, stride: int = 15
) -> dict[str, dict[str, float]]:
    """Recall, precision and AP at IoU 0.5 per class, over every `stride`-th frame."""
    config = DetectorConfig(det=str(weights), conf=_FLOOR, low_conf=_FLOOR, imgsz=imgsz)
    detector = create_detector(config, "cpu", DeviceConfig(backend="torch", precision="fp32"))
    judged: dict[int, list[JudgedDetections]] = {class_id: [] for class_id in CLASS_NAMES}
    for street in streets:
        for index in range(0, len(street), stride):
            frame, truth = street.frame(index)
            found = detector.detect(frame)
            for class_id, so_far in judged.items():
                of_class = found[found.class_id == class_id]
                so_far.append(judge(of_class, truth[truth.class_id == class_id]))
    return {CLASS_NAMES[key]: _summarise(scored) for key, scored in judged.items()}


def _summarise(parts: list[JudgedDetections]) -> dict[str, float]:
    score = np.concatenate([part.score for part in parts])
    hit = np.concatenate([part.hit for part in parts])
    total = JudgedDetections(score, hit, sum(part.wanted for part in parts))
    confident = hit[score >= CONF]
    return {
        "recall": round(float(confident.sum() / max(1, total.wanted)), 4),
        "precision": round(float(confident.sum() / max(1, len(confident))), 4),
        "ap50": round(average_precision(total), 4),
        "objects": total.wanted,
    }


@dataclass(frozen=True, slots=True)
class Sightings:
    """Embedded crops of one street.

    Attributes:
        vectors: (N, D) float32 unit rows.
        track_id: (N,) int64.
        class_id: (N,) int64.
        time_s: (N,) float64.
    """

    vectors: FloatArray
    track_id: IntArray
    class_id: IntArray
    time_s: np.ndarray[tuple[int], np.dtype[np.float64]]


def measure_embedder(
    directory: Path, streets: Sequence[StreetWorld], stride: int = 15
) -> dict[str, float]:
    """How well cosines tell the same identity from another one of its class.

    Returns:
        auc of same against different pairs of one street; mean cosine of both, 5th percentile
        of the same and 95th of the different; rank1: how often, at least two seconds later, the
        nearest of all identities' crops belongs to the right one.
    """
    place = Placement("cpu", DeviceConfig(backend="torch", precision="fp32"))
    embedder = create_embedder(EmbedderConfig(embed_model=str(directory)), place)
    same, different, ranks = [], [], []
    for street in streets:
        seen = _embed_street(embedder.embed, street, stride)
        cosine = seen.vectors @ seen.vectors.T
        gap_s = np.abs(seen.time_s[:, None] - seen.time_s[None, :])
        alike = seen.track_id[:, None] == seen.track_id[None, :]
        kind = seen.class_id[:, None] == seen.class_id[None, :]
        upper = np.triu(np.ones_like(alike), 1)
        same.append(cosine[alike & upper & (gap_s >= _PAIR_GAP_S)])
        different.append(cosine[~alike & upper & kind])
        ranks.append(judge_returns(seen))
    yes, no = np.concatenate(same), np.concatenate(different)
    return {
        "auc": round(compute_auc(yes, no), 4),
        "rank1": round(float(np.concatenate(ranks).mean()), 4),
        "same_mean": round(float(yes.mean()), 4),
        "same_p5": round(float(np.percentile(yes, 5)), 4),
        "different_mean": round(float(no.mean()), 4),
        "different_p95": round(float(np.percentile(no, 95)), 4),
        "pairs": len(yes) + len(no),
    }


def _embed_street(
    embed: Callable[[Image, FloatArray], FloatArray], street: StreetWorld, stride: int
) -> Sightings:
    vectors, ids, kinds, times = [], [], [], []
    for index in range(0, len(street), stride):
        frame, objects = street.frame(index)
        truth = objects[objects.visibility > VISIBLE]
        vectors.append(embed(frame.image, truth.xyxy))
        ids.append(truth.track_id)
        kinds.append(truth.class_id)
        times.append(np.full(len(truth), frame.time_s))
    return Sightings(
        np.concatenate(vectors), np.concatenate(ids), np.concatenate(kinds), np.concatenate(times)
    )


def compute_auc(same: FloatArray, different: FloatArray) -> float:
    """Chance that a random same pair has the higher cosine than a random different one (AUC)."""
    ordered = np.sort(different)
    below = np.searchsorted(ordered, same, "left") + np.searchsorted(ordered, same, "right")
    return float(below.mean() / (2 * len(ordered)))


def judge_returns(seen: Sightings) -> BoolArray:
    """For every crop whose identity was also seen long before or after: is that one the nearest?

    Every identity of the class is represented by one crop: the one farthest away in time.
    """
    verdicts = []
    for row in range(len(seen.track_id)):
        gap_s = np.abs(seen.time_s - seen.time_s[row])
        usable = (gap_s >= _RETURN_GAP_S) & (seen.class_id == seen.class_id[row])
        rows = np.flatnonzero(usable)
        farthest_first = rows[np.argsort(-gap_s[rows], kind="stable")]
        ids, first = np.unique(seen.track_id[farthest_first], return_index=True)
        if seen.track_id[row] in ids:
            cosine = seen.vectors[farthest_first[first]] @ seen.vectors[row]
            verdicts.append(ids[cosine.argmax()] == seen.track_id[row])
    return np.array(verdicts, np.bool_)
