"""Tracks in the forms that other packages take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mot_dinov3.errors import not_installed
from mot_dinov3.values import DoubleArray, Tracks

if TYPE_CHECKING:
    import pandas
    import supervision


def to_supervision(tracks: Tracks, names: Mapping[int, str]) -> supervision.Detections:
    """Tracks as `supervision.Detections`.

    Raises:
        ModelError: supervision is not installed.
    """
    try:
        import supervision
    except ImportError as error:
        raise not_installed("supervision", "supervision", "to_supervision()") from error
    return supervision.Detections(
        xyxy=tracks.xyxy.copy(),
        confidence=tracks.score.copy(),
        class_id=tracks.class_id.astype(int),
        tracker_id=tracks.id.astype(int),
        data={"class_name": np.array(name_classes(tracks, names), dtype=str)},
    )


def to_pandas(
    tracks: Tracks, names: Mapping[int, str], frame_index: int, time_s: float
) -> pandas.DataFrame:
    """Tracks as a table, a row each.

    Raises:
        ModelError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise not_installed("pandas", "pandas", "to_pandas()") from error
    n = len(tracks)
    corners = dict(zip(("x1", "y1", "x2", "y2"), tracks.xyxy.T, strict=True))
    columns = {
        "frame": np.full(n, frame_index),
        "time_s": np.full(n, time_s),
        "id": tracks.id,
        "class_id": tracks.class_id,
        "class": np.array(name_classes(tracks, names), dtype=object),
        **corners,
        "score": tracks.score,
        "detection": tracks.detection,
    }
    return pandas.DataFrame(columns)


def to_boxmot(tracks: Tracks) -> DoubleArray:
    """(M, 8) x1 y1 x2 y2 id score class detection, as BoxMOT gives them."""
    columns = (tracks.xyxy, tracks.id, tracks.score, tracks.class_id, tracks.detection)
    return np.column_stack([np.asarray(column, np.float64) for column in columns])


def name_classes(tracks: Tracks, names: Mapping[int, str]) -> list[str]:
    """The class name of each track, its number where it has none."""
    return [names.get(number, str(number)) for number in tracks.class_id.tolist()]
