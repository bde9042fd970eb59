"""What is seen: a frame and the objects in it, and what a caller knows of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mot_dinov3.values.arrays import BoolArray, FloatArray, Image, IntArray, check_shapes


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the source.

    Attributes:
        index: 0-based position in the source (not in what is kept after a stride).
        time_s: presentation time in seconds from the first frame of the source.
        image: (H, W, 3) uint8 BGR, upright (rotation metadata already applied).
    """

    index: int
    time_s: float
    image: Image

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(f"Frame.image has shape {self.image.shape}, expected (H, W, 3)")

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True)
class Detections:
    """What the detector saw in one frame; row i of every array is the same object.

    Attributes:
        xyxy: (N, 4) float32, pixels of the source frame, x1 <= x2 and y1 <= y2.
        score: (N,) float32, detector confidence in [0, 1].
        class_id: (N,) int64, key into the detector's class names.
    """

    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        check_shapes("Detections", xyxy=(self.xyxy, (n, 4)), score=(self.score, (n,)))
        check_shapes("Detections", class_id=(self.class_id, (n,)))

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: IntArray | BoolArray) -> Detections:
        """Select rows, keeping the arrays aligned: `detections[detections.score > 0.5]`."""
        return Detections(self.xyxy[rows], self.score[rows], self.class_id[rows])

    @classmethod
    def empty(cls) -> Detections:
        """No objects; the shapes stay valid so no caller needs a special case."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Supplied:
    """What is known of a frame before it is tracked.

    Attributes:
        detections: the N boxes.
        vectors: (N, D) float32 unit rows, NaN in rows without one; None where there are none.
        found_ms: milliseconds that finding the boxes took.
    """

    detections: Detections
    vectors: FloatArray | None = None
    found_ms: float = 0.0

    def __post_init__(self) -> None:
        if self.vectors is not None:
            width = self.vectors.shape[1] if self.vectors.ndim == 2 else -1
            shape = (len(self.detections), width)
            check_shapes("Supplied", vectors=(self.vectors, shape))

    @property
    def known(self) -> BoolArray:
        """(N,) the rows that have a vector."""
        if self.vectors is None:
            return np.zeros(len(self.detections), np.bool_)
        return np.asarray(np.isfinite(self.vectors).all(axis=1), np.bool_)
