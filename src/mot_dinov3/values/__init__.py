"""The values that travel between rooms: frozen structs of aligned numpy arrays.

Boxes are `xyxy` in pixels of the source frame, images are BGR, frame indices start at 0.
Every struct checks its shapes when it is made, and `empty()` keeps them.
"""

from __future__ import annotations

from mot_dinov3.values.arrays import (
    NO_ROWS,
    NO_VALUES,
    BoolArray,
    DoubleArray,
    FloatArray,
    Image,
    IntArray,
    check_shapes,
)
from mot_dinov3.values.embedding import (
    Appearance,
    Decisions,
    EmbedCounts,
    Embeddings,
    EmbedPlan,
    Fate,
    Reason,
    SimilarityPrior,
)
from mot_dinov3.values.identities import EmbedderMark
from mot_dinov3.values.seen import Detections, Frame, Supplied
from mot_dinov3.values.tracks import (
    CONFIRMED,
    LOST,
    REMOVED,
    SEARCHED,
    TENTATIVE,
    FrameResult,
    Matches,
    Tracks,
    TrackState,
    follow_ids,
)

__all__ = [
    "CONFIRMED",
    "LOST",
    "NO_ROWS",
    "NO_VALUES",
    "REMOVED",
    "SEARCHED",
    "TENTATIVE",
    "Appearance",
    "BoolArray",
    "Decisions",
    "Detections",
    "DoubleArray",
    "EmbedCounts",
    "EmbedPlan",
    "EmbedderMark",
    "Embeddings",
    "Fate",
    "FloatArray",
    "Frame",
    "FrameResult",
    "Image",
    "IntArray",
    "Matches",
    "Reason",
    "SimilarityPrior",
    "Supplied",
    "TrackState",
    "Tracks",
    "check_shapes",
    "follow_ids",
]
