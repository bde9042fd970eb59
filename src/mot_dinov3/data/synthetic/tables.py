"""The ground truth of a clip as the MOT table that files and scores are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mot_dinov3.data.synthetic.truth import PERSON, GroundTruth
from mot_dinov3.io.formats.mot import MotTable

MOT_PEDESTRIAN, MOT_CAR = 1, 3
"""Class numbers of MOTChallenge."""


def as_table(frames: Sequence[GroundTruth]) -> MotTable:
    """The ground truth of consecutive frames as MOT rows; classes get their MOT numbers."""
    known = [GroundTruth.empty(), *frames]
    class_id = np.concatenate([truth.class_id for truth in known])
    return MotTable(
        frame_index=np.repeat(np.arange(len(frames)), [len(truth) for truth in frames]),
        track_id=np.concatenate([truth.track_id for truth in known]),
        xyxy=np.concatenate([truth.xyxy for truth in known]),
        score=np.ones(len(class_id), np.float32),
        class_id=np.where(class_id == PERSON, MOT_PEDESTRIAN, MOT_CAR),
        visibility=np.concatenate([truth.visibility for truth in known]),
    )
