"""Embeddings that the caller has already."""

from __future__ import annotations

from typing import Any

import numpy as np

from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.boxes import as_array
from mot_dinov3.values import FloatArray

UNIT = 1e-4
"""How near to 1 a length is taken for 1."""


def read_embeddings(embeddings: Any, n: int) -> FloatArray | None:  # noqa: ANN401 - any array
    """(N, D) unit rows, NaN in rows without an embedding; None where no row has one.

    Args:
        embeddings: (N, D) numbers, rows with NaN for boxes that have none; or a list of N
            vectors, None for boxes that have none.
        n: number of boxes.

    Raises:
        UsageError: there is not one row a box, or a row cannot be an embedding.
    """
    if isinstance(embeddings, list | tuple):
        embeddings = _fill_gaps(embeddings)
    table = as_array(embeddings, "embeddings")
    if len(table) != n if table.ndim else True:
        rows = len(table) if table.ndim else 0
        raise UsageError(
            f"embeddings= has {rows} rows, and there are {n} boxes.",
            fix="Give one row a box, None or NaN in rows without an embedding.",
        )
    if not table.size:
        return None
    if table.ndim != 2:
        raise UsageError(
            f"embeddings= has shape {table.shape}; it should be (N, D).",
            fix="Give one vector a box.",
        )
    return _normalise(table)


def _fill_gaps(rows: list[Any] | tuple[Any, ...]) -> Any:  # noqa: ANN401 - an array, or what was given
    """A list of vectors and None as one table, NaN in the place of None."""
    found = [None if row is None else as_array(row, "embeddings") for row in rows]
    sizes = {row.shape for row in found if row is not None}
    if len(sizes) > 1:
        shapes = " and ".join(str(shape) for shape in sorted(sizes)[:2])
        raise UsageError(
            f"embeddings= holds vectors of shapes {shapes}.", fix="Give vectors of one model."
        )
    if not sizes:
        return np.zeros((len(rows), 0))
    return np.array([np.full(min(sizes), np.nan) if row is None else row for row in found])


def _normalise(table: np.ndarray[Any, np.dtype[np.float64]]) -> FloatArray | None:
    known = ~np.isnan(table).any(axis=1)
    if not known.any():
        return None
    with np.errstate(over="ignore"):  # what is too long becomes infinite, and is refused
        length = np.sqrt((table * table).sum(axis=1))
    broken = np.flatnonzero(known & (~np.isfinite(length) | (length == 0)))
    if len(broken):
        what = "zero" if length[broken[0]] == 0 else "infinite"
        raise UsageError(
            f"Row {broken[0]} of the embeddings is {what}.",
            fix="Give None or NaN for boxes without an embedding.",
        )
    out: FloatArray = table.astype(np.float32)  # unit rows keep every bit
    far = known & (np.abs(length - 1) > UNIT)
    out[far] = (table[far] / length[far, None]).astype(np.float32)
    out[~known] = np.nan
    return out
