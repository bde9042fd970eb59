"""What a tracker keeps of the life of every identity."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.structures import BoolArray, FloatArray, IntArray


@dataclass(slots=True)
class Lives:
    """One row per identity; the arrays stay aligned with the motion filters and the gallery.

    Attributes:
        id: from 1, never reused.
        class_id: what its detections said in the long run.
        class_weight: how surely they said so.
        score: confidence of the last detection.
        state: a `TrackState`.
        hits: matched frames in all.
        misses: unmatched frames in a row.
        lost_s: seconds since a detection continued it.
        staleness: frames since its last real embedding.
        detection: its row in this frame, -1 for none.
        fresh: an embedding was computed for it in this frame.
    """

    id: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    class_id: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    class_weight: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    score: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    state: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    hits: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    misses: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    lost_s: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    staleness: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    detection: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    fresh: BoolArray = field(default_factory=lambda: np.empty(0, np.bool_))

    def __len__(self) -> int:
        return len(self.id)

    def keep(self, rows: BoolArray) -> None:
        """Drop every identity that is not in `rows`."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name)[rows])

    def extend(self, **columns: NDArray[np.generic]) -> None:
        """Append identities: every column by its name."""
        for name, values in columns.items():
            setattr(self, name, np.concatenate((getattr(self, name), values)))
