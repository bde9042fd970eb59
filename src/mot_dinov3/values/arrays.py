"""Names for the arrays that everything is made of, and the check of their shapes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
Image: TypeAlias = NDArray[np.uint8]

NO_ROWS: IntArray = np.empty(0, np.int64)
NO_VALUES: FloatArray = np.empty(0, np.float32)


def check_shapes(owner: str, **arrays: tuple[NDArray[np.generic], tuple[int, ...]]) -> None:
    """Raise `ValueError` naming the first array whose shape differs from what it must be."""
    for name, (array, shape) in arrays.items():
        if array.shape != shape:
            raise ValueError(f"{owner}.{name} has shape {array.shape}, expected {shape}")
