"""Identity quality of a result against a ground truth, computed by TrackEval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from mot_dinov3.boxes import iou_matrix
from mot_dinov3.errors import not_installed
from mot_dinov3.io.mot import MotTable
from mot_dinov3.structures import NO_ROWS, BoolArray, FloatArray, IntArray

MATCH_IOU = 0.5
"""Boxes that overlap less are not the same object (MOTChallenge)."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of one sequence; percentages but for the two counts.

    Attributes:
        hota: higher order tracking accuracy (Luiten et al. 2020), mean over thresholds.
        deta: its detection part.
        assa: its association part.
        mota: multiple object tracking accuracy (Bernardin and Stiefelhagen 2008).
        idf1: identity F1 (Ristani et al. 2016).
        idsw: identity switches.
        frag: fragmentations.
    """

    hota: float
    deta: float
    assa: float
    mota: float
    idf1: float
    idsw: int
    frag: int


@dataclass(frozen=True, slots=True)
class _Step:
    """One frame after preprocessing: identities as consecutive numbers, and their IoU."""

    truth: IntArray
    result: IntArray
    iou: FloatArray


def score(truth: MotTable, result: MotTable, frames: int, min_visibility: float = 0.0) -> Scores:
    """Compare a result with the ground truth of the same frames.

    Ground truth that is less visible than `min_visibility`, or whose score is 0 (the file's
    "consider" flag), is nobody's fault: it is not asked for, and a result box that matches it
    is not held against the tracker, as MOTChallenge does with its distractors.

    Args:
        truth: identities as they are.
        result: identities as they were tracked.
        frames: length of the sequence.
        min_visibility: share of an object that must be seen, where the table says it.

    Raises:
        ModelError: `trackeval` is not installed.
    """
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as error:
        raise not_installed("trackeval", "eval", "Scoring") from error
    data = _as_trackeval(truth, result, frames, min_visibility)
    quiet = {"PRINT_CONFIG": False, "THRESHOLD": MATCH_IOU}
    hota = HOTA().eval_sequence(data)
    clear = CLEAR(quiet).eval_sequence(data)
    identity = Identity(quiet).eval_sequence(data)
    return Scores(
        hota=percent(hota["HOTA"]),
        deta=percent(hota["DetA"]),
        assa=percent(hota["AssA"]),
        mota=percent(clear["MOTA"]),
        idf1=percent(identity["IDF1"]),
        idsw=int(clear["IDSW"]),
        frag=int(clear["Frag"]),
    )


def percent(value: Any) -> float:  # noqa: ANN401 - TrackEval gives numbers and arrays
    """A share, or the mean of an array of shares, as a percentage with two decimals."""
    return round(float(np.mean(value)) * 100, 2)


def _as_trackeval(
    truth: MotTable, result: MotTable, frames: int, min_visibility: float
) -> dict[str, Any]:
    """The dictionary that TrackEval's metrics read: one list entry a frame."""
    asked = (truth.score > 0) & ~(truth.visibility < min_visibility)
    truth_ids = np.unique(truth.track_id[asked])
    steps = [_step(truth, result, asked, frame) for frame in range(frames)]
    result_ids = np.unique(np.concatenate([NO_ROWS, *(step.result for step in steps)]))
    return {
        "num_timesteps": frames,
        "num_gt_dets": sum(len(step.truth) for step in steps),
        "num_tracker_dets": sum(len(step.result) for step in steps),
        "num_gt_ids": len(truth_ids),
        "num_tracker_ids": len(result_ids),
        "gt_ids": [np.searchsorted(truth_ids, step.truth) for step in steps],
        "tracker_ids": [np.searchsorted(result_ids, step.result) for step in steps],
        "similarity_scores": [step.iou for step in steps],
    }


def _step(truth: MotTable, result: MotTable, asked: BoolArray, frame: int) -> _Step:
    here, found = truth.rows_of(frame), result.rows_of(frame)
    iou = iou_matrix(truth.xyxy[here], result.xyxy[found])
    wanted = asked[here]
    rows, columns = linear_sum_assignment(np.where(iou >= MATCH_IOU, -iou, 0.0))
    excused = columns[(iou[rows, columns] >= MATCH_IOU) & ~wanted[rows]]
    kept = np.ones(iou.shape[1], np.bool_)
    kept[excused] = False
    return _Step(
        truth.track_id[here][wanted],
        result.track_id[found][kept],
        iou[wanted][:, kept].astype(np.float64),
    )
