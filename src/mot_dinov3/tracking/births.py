"""Which detections start a track."""

from __future__ import annotations

from mot_dinov3.tracking.association.base import Comparison
from mot_dinov3.values import IntArray, Matches
from mot_dinov3.values.boxes import iou_matrix


def find_births(matches: Matches, comparison: Comparison, birth_iou: float) -> IntArray:
    """(M,) unmatched detections that may start a track, second boxes on an object left out.

    Args:
        matches: which detections continue tracks.
        comparison: the frame.
        birth_iou: overlap with a seen track from which on a detection is its second box.
    """
    new = matches.unmatched_detections[comparison.fertile[matches.unmatched_detections]]
    seen = comparison.detections.xyxy[matches.detection_rows]
    if birth_iou < 1 and len(new) and len(seen):
        highest = iou_matrix(comparison.detections.xyxy[new], seen).max(axis=1)
        new = new[highest < birth_iou]
    return new
