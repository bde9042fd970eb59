"""What a report keeps of every frame: a row of numbers, some hundred bytes."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.values import FrameResult

Column = NDArray[np.float64]

COUNTS = ("critical", "refresh", "reused", "deferred", "starved", "without_track")
TIMES = ("budget_ms", "embed_ms", "critical_ms", "predicted_ms")


class FrameTable:
    """The frames of a run in order, as columns.

    Columns: `frame`, `time_s`, `latency_ms` (NaN if unknown), `tracks` (number of confirmed tracks
    that are seen), those of `COUNTS` and `TIMES` (0 in place of NaN), and `stages`.
    """

    def __init__(self) -> None:
        names = ("frame", "time_s", "latency_ms", "tracks", *COUNTS, *TIMES)
        self._columns = {name: array("d") for name in names}
        self._stages: dict[str, array[float]] = {}

    def __len__(self) -> int:
        return len(self._columns["frame"])

    def add(self, result: FrameResult, stage_ms: Mapping[str, float], latency_ms: float) -> None:
        """Append a frame.

        Args:
            result: of the frame.
            stage_ms: milliseconds of its stages; a new stage is 0 in all frames before.
            latency_ms: milliseconds from the beginning of its reading until it was written.
        """
        row, put = len(self), self._columns
        put["frame"].append(result.frame_index)
        put["time_s"].append(result.time_s)
        put["latency_ms"].append(latency_ms)
        seen = result.tracks.present
        put["tracks"].append(int(np.count_nonzero(seen)))
        for name in (*COUNTS, *TIMES):
            value = getattr(result.embed, name)
            put[name].append(0.0 if math.isnan(value) else value)
        for stage, ms in stage_ms.items():
            column = self._stages.setdefault(stage, array("d", bytes(8 * row)))
            column.append(0.0 if math.isnan(ms) else ms)
        for column in self._stages.values():
            if len(column) == row:
                column.append(0.0)

    def __getitem__(self, name: str) -> Column:
        """(F,) one column."""
        return np.array(self._columns[name], np.float64)

    @property
    def stages(self) -> dict[str, Column]:
        """Stage -> (F,) milliseconds, in the order of their first frames."""
        return {name: np.array(column, np.float64) for name, column in self._stages.items()}
