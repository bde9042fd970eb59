"""What a detector reaches on pictures that it does not learn from, and what a full run takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from time import perf_counter

import numpy as np
import torch

from mot_dinov3.evaluation.detection import ScoredPicture, measure_detections
from mot_dinov3.nets.detr.answering import AnsweringDetr
from mot_dinov3.nets.detr.network import DetrNetwork
from mot_dinov3.perception.detectors.decode import (
    NMS_IOU,
    clean_detections,
    decode_final,
    suppress,
)
from mot_dinov3.perception.detectors.detr_source import CONF
from mot_dinov3.perception.features.crops import IMAGENET_MEAN, IMAGENET_STD
from mot_dinov3.runtime.cpu import peak_mb
from mot_dinov3.training.recipes.base import Assessment
from mot_dinov3.training.recipes.detector.pictures import load_sample
from mot_dinov3.training.recipes.detector.sets import DetectorData
from mot_dinov3.values.boxes import iou_matrix

FLOOR = 0.001
"""Least score of a box that is measured, as `eval detector` has it."""
HALF = 0.5
"""Least overlap of a box that is right."""
GIB = float(1 << 30)
MIB_PER_GIB = 1024


def assess(network: DetrNetwork, data: DetectorData) -> Assessment:
    """Mean average precision on the held-out pictures, and how full the queries are.

    Of a pilot also how fast it was, the memory it took, and how long a full run would be.
    """
    started = perf_counter()
    pictures = list(find_all(network, data))
    figures = asdict(measure_detections(pictures).overall)
    seconds = perf_counter() - started
    values = {name: value for name, value in figures.items() if value is not None}
    most = max((len(one) for one in data.learned.examples), default=0)
    values["queries_filled"] = most / network.shape.queries
    if data.is_pilot:
        values |= foresee(data, seconds)
    conf = find_best_conf(pictures)
    return Assessment(values, best="mean_ap", thresholds={CONF: conf} if conf else {})


def find_all(network: DetrNetwork, data: DetectorData) -> Iterator[ScoredPicture]:
    """What the network finds in each held-out picture that can be read, in picture pixels."""
    device = next(network.head.parameters()).device
    answering = AnsweringDetr(network, IMAGENET_MEAN, IMAGENET_STD).to(device).eval()
    for example in data.held_out.examples:
        sample = load_sample(example, data.fitting)
        if sample is None:
            data.note_unreadable(example)
            continue
        with torch.no_grad():
            rows = answering(sample.pixels[None].to(device))[0][0].float().cpu().numpy()
        found = decode_final(rows, FLOOR, None)
        xyxy = sample.how.to_picture(found.xyxy)
        yield ScoredPicture(
            clean_detections(xyxy, found.score, found.class_id),
            sample.how.to_picture(sample.xyxy.numpy()),
            sample.class_id.numpy(),
        )


def find_best_conf(pictures: Sequence[ScoredPicture]) -> float:
    """The least score at which boxes, without those that repeat a better one, have the best F1.

    A box is right if it overlaps an object by half that no better box has. 0 where none is.
    """
    scores, right = [], []
    for picture in pictures:
        found = picture.found
        kept = suppress(found.xyxy, found.score, NMS_IOU)
        overlap = iou_matrix(found.xyxy[kept], picture.xyxy)
        taken = np.zeros(len(picture.xyxy), np.bool_)
        for row, pairs in enumerate(overlap):
            free = np.where(taken, 0, pairs)
            best = int(free.argmax()) if free.size else -1
            hit = best >= 0 and free[best] >= HALF
            if hit:
                taken[best] = True
            scores.append(float(found.score[kept[row]]))
            right.append(hit)
    if not any(right):
        return 0.0
    order = np.argsort(scores)[::-1]
    hits = np.cumsum(np.array(right)[order])
    shown = sum(len(picture.xyxy) for picture in pictures)
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + shown)
    return float(np.array(scores)[order][f1.argmax()])


def foresee(data: DetectorData, seconds: float) -> dict[str, float]:
    """What a pilot tells of a full run.

    Args:
        data: knows how long learning took so far.
        seconds: that the evaluation took.
    """
    speed = data.pictures_drawn / max(data.seconds_learned, 1e-6)
    measured = len(data.held_out) / max(seconds, 1e-6)
    epoch_s = data.full.pictures / speed + data.full.held_out / measured
    return {
        "pictures_per_s": speed,
        "measured_per_s": measured,
        "peak_gib": read_peak_gib(),
        "hours_per_epoch": epoch_s / 3600,
    }


def read_peak_gib() -> float:
    """The most memory that was taken so far: of the GPU where there is one, else of the process."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / GIB
    return peak_mb() / MIB_PER_GIB
