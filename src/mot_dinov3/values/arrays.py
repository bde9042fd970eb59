"""The types of the arrays that travel, and the check of their shapes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
DoubleArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
Image: TypeAlias = NDArray[np.uint8]

NO_ROWS: IntArray = np.empty(0, np.int64)
"""An empty selection of rows."""

NO_VALUES: FloatArray = np.empty(0, np.float32)
"""An empty column."""


def check_shapes(owner: str, **arrays: tuple[NDArray[np.generic], tuple[int, ...]]) -> None:
    """Check the shapes of a struct's arrays.

    Args:
        owner: name of the struct, for the message.
        arrays: each array by its name, with the shape that it must have.

    Raises:
        ValueError: names the first array that has another shape.
    """
    for name, (array, shape) in arrays.items():
        if array.shape != shape:
            raise ValueError(f"{owner}.{name} has shape {array.shape}, expected {shape}")
