"""COCO's average precision and recall in forty lines, for comparison; slow and plain."""

from __future__ import annotations

import numpy as np

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)


def measure_area(xyxy):
    return np.prod(xyxy[..., 2:] - xyxy[..., :2], axis=-1)


def overlaps(a, b):
    """(N, M) IoU of the boxes `a` (N, 4) with the boxes `b` (M, 4)."""
    a, b = a[:, None], b[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=-1)
    return common / (measure_area(a) + measure_area(b) - common)


def match(picture, number, least, most, areas):
    """(score, true) of the boxes that count in a picture, and how many objects count."""
    truth = picture.xyxy[picture.class_id == number].astype(float)
    inside = [areas[0] <= area < areas[1] for area in measure_area(truth)]
    rows = np.flatnonzero(picture.found.class_id == number)
    rows = rows[np.argsort(-picture.found.score[rows], kind="stable")][:most]
    boxes = picture.found.xyxy[rows].astype(float)
    free, out = set(range(len(truth))), []
    for row, area, common in zip(
        rows, measure_area(boxes), overlaps(boxes, truth).tolist(), strict=True
    ):
        good = [(inside[i], common[i], i) for i in free]
        best = max((one for one in good if one[1] >= min(least, 1 - 1e-10)), default=None)
        if best is not None:
            free.remove(best[2])
        counts = best[0] if best else areas[0] <= area < areas[1]
        if counts:
            out.append((picture.found.score[row], best is not None))
    return out, sum(inside)


def measure(pictures, number, most=300, areas=(0, 1e10)):
    """Mean precision, that at overlaps of .5 and .75, and mean recall of a class; NaN if unseen."""
    precisions, recalls = [], []
    for least in OVERLAPS:
        found = [match(one, number, least, most, areas) for one in pictures]
        total = sum(count for _, count in found)
        rows = sorted((row for rows, _ in found for row in rows), key=lambda row: -row[0])
        hits = np.cumsum([true for _, true in rows])
        recall = hits / total if total else np.full(len(rows), np.nan)
        precision = hits / np.arange(1, len(rows) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(recall, RECALLS)
        precisions.append(np.mean([precision[i] if i < len(precision) else 0 for i in at]))
        recalls.append(recall[-1] if len(recall) else 0.0)
    if not total:
        return (np.nan,) * 4
    return np.mean(precisions), precisions[0], precisions[5], np.mean(recalls)
