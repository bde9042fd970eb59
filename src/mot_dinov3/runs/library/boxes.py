"""Boxes as users have them: arrays, tensors, supervision's Detections, ultralytics' Results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.pictures import name_kind
from mot_dinov3.runtime.limits import INT64
from mot_dinov3.values import Detections, FloatArray, IntArray

CORNERS = "Boxes are x1 y1 x2 y2 in pixels. From x y width height: boxes[:, 2:4] += boxes[:, 0:2]"
ROUNDING = 1e-3
"""By how much a score may leave [0, 1] through rounding."""


@dataclass(frozen=True, slots=True)
class GivenBoxes:
    """The boxes of one frame, and what came with them.

    Attributes:
        detections: the N boxes.
        names: class id -> class name, of the classes whose name came with them.
        all_named: whether `names` holds every class that there may be.
        image: the picture that they were found in, if it came with them.
    """

    detections: Detections
    names: Mapping[int, str] = field(default_factory=dict)
    all_named: bool = False
    image: object = None


def read_boxes(boxes: Any, scores: Any = None, classes: Any = None) -> GivenBoxes:  # noqa: ANN401
    """The boxes of one frame, checked.

    Args:
        boxes: (N, 6) x1 y1 x2 y2 score class, (N, 5) without class, or (N, 4) corners alone; or
            Detections of supervision or of this package, or Results of ultralytics.
        scores: (N,) in [0, 1] for (N, 4) boxes; 1 where left out.
        classes: (N,) class ids for (N, 4) or (N, 5) boxes; 0 where left out.

    Raises:
        UsageError: the shape is wrong, or a row holds what cannot be a box, a score or a class.
    """
    if boxes is None:
        raise UsageError("boxes= is None.", fix="Give [] for a frame without boxes.")
    if isinstance(boxes, list) and len(boxes) == 1 and _is_results(boxes[0]):
        boxes = boxes[0]
    if _is_results(boxes) or hasattr(boxes, "xyxy"):
        if scores is not None or classes is not None:
            raise UsageError(
                f"The boxes are {name_kind(boxes)}, which has scores and classes of its own.",
                fix="Leave out scores= and classes=.",
            )
        return _read_results(boxes) if _is_results(boxes) else _read_fields(boxes)
    return GivenBoxes(_read_table(as_array(boxes, "boxes"), scores, classes))


def read_names(names: Any) -> dict[int, str]:  # noqa: ANN401 - a mapping, or names in order
    """Class id -> class name, of a mapping or of names in the order of their ids.

    Raises:
        UsageError: they are something else, or a class id is not a whole number.
    """
    if isinstance(names, Sequence) and not isinstance(names, str | bytes):
        return {number: str(name) for number, name in enumerate(names)}
    try:
        return {int(number): str(name) for number, name in dict(names).items()}
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"names= is {name_kind(names)} that does not name class numbers.",
            fix="Give names={0: 'person', 2: 'car'}, or a list of all names.",
        ) from error


def as_array(values: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401 - arrays of any package
    """Numbers of numpy, torch or a list as an array of float64.

    Raises:
        UsageError: they are not a table of numbers.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() else values
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{name}= is not a table of numbers, but {name_kind(values)}.",
            fix=f"Give an array: np.array({name}).",
        ) from error


def _is_results(boxes: object) -> bool:
    return hasattr(boxes, "boxes") and hasattr(boxes, "names")


def _read_results(results: Any) -> GivenBoxes:  # noqa: ANN401 - of ultralytics, which is optional
    if results.boxes is None:
        raise UsageError(
            "These Results hold no upright boxes.",
            fix="Use a model that detects or segments; rotated boxes are not tracked.",
        )
    given = _read_fields(results.boxes)
    names = {int(number): str(name) for number, name in dict(results.names).items()}
    return GivenBoxes(given.detections, names, True, getattr(results, "orig_img", None))


def _read_fields(boxes: Any) -> GivenBoxes:  # noqa: ANN401 - of supervision, ultralytics or here
    """Boxes with a field per column: `xyxy`, and score and class under one of their names."""
    score, class_id = (
        next((found for name in names if (found := getattr(boxes, name, None)) is not None), None)
        for names in (("confidence", "score", "conf"), ("class_id", "cls"))
    )
    detections = _read_table(as_array(boxes.xyxy, "boxes"), score, class_id)
    data = getattr(boxes, "data", None)
    called = data.get("class_name") if isinstance(data, Mapping) else None
    if called is None or len(called) != len(detections):
        return GivenBoxes(detections)
    pairs = zip(detections.class_id.tolist(), called, strict=True)
    return GivenBoxes(detections, {number: str(name) for number, name in pairs})


def _read_table(table: NDArray[np.float64], scores: object, classes: object) -> Detections:
    table = table.reshape(0, 4) if not table.size else table
    _check_shape(table, scores, classes)
    n = len(table)
    _check_corners(table[:, :4])
    score = table[:, 4] if table.shape[1] > 4 else _read_column(scores, n, "scores", 1.0)
    class_id = table[:, 5] if table.shape[1] > 5 else _read_column(classes, n, "classes", 0.0)
    xyxy: FloatArray = np.ascontiguousarray(table[:, :4], np.float32)
    return Detections(xyxy, _check_scores(score), _check_classes(class_id))


def _check_shape(table: NDArray[np.float64], scores: object, classes: object) -> None:
    if table.ndim == 1:
        raise UsageError(
            f"boxes= is one row of {len(table)} numbers, not a table.",
            fix="Give one box as boxes[None].",
        )
    if table.ndim != 2 or table.shape[1] not in (4, 5, 6):
        raise UsageError(
            f"boxes= has shape {table.shape}; it should be (N, 6) or (N, 4).",
            fix="A row is x1 y1 x2 y2 score class, or x1 y1 x2 y2 with scores= and classes=.",
        )
    twice = [
        name
        for name, value, width in (("scores", scores, 4), ("classes", classes, 5))
        if value is not None and table.shape[1] > width
    ]
    if twice:
        raise UsageError(
            f"boxes= of {table.shape[1]} columns has {' and '.join(twice)} of its own.",
            fix=f"Leave out {twice[0]}=, or give boxes[:, :4].",
        )


def _check_corners(xyxy: NDArray[np.float64]) -> None:
    broken = np.flatnonzero(~np.isfinite(xyxy).all(axis=1) | (np.abs(xyxy) > 1e7).any(axis=1))
    if len(broken):
        raise UsageError(
            f"Row {broken[0]} of the boxes is not a box: {_show(xyxy[broken[0]])}.",
            fix="Leave out rows that are not finite: boxes[np.isfinite(boxes).all(axis=1)]",
        )
    swapped = np.flatnonzero((xyxy[:, 2:] < xyxy[:, :2]).any(axis=1))
    if len(swapped):
        raise UsageError(
            f"Row {swapped[0]} of the boxes ends before it begins: {_show(xyxy[swapped[0]])}.",
            fix=CORNERS,
        )


def check_pixels(xyxy: FloatArray) -> None:
    """Refuse boxes that are shares of the picture, where pixels are meant.

    Args:
        xyxy: (N, 4) boxes of a picture of many pixels.

    Raises:
        UsageError: not one of them leaves the first pixel.
    """
    if len(xyxy) and xyxy.min() >= 0 and 0 < xyxy.max() <= 1:
        raise UsageError(
            "These boxes are shares of the picture, not pixels.",
            fix="Multiply them by its size: boxes[:, :4] * [width, height, width, height]",
        )


def _read_column(values: object, n: int, name: str, default: float) -> NDArray[np.float64]:
    if values is None:
        return np.full(n, default)
    column = as_array(values, name)
    column = column.reshape(0) if not column.size else column
    if column.shape != (n,):
        raise UsageError(
            f"{name}= has shape {column.shape}, and there are {n} boxes.",
            fix=f"Give one number a box, shape ({n},).",
        )
    return column


def _check_scores(score: NDArray[np.float64]) -> FloatArray:
    wrong = np.flatnonzero(~((score >= -ROUNDING) & (score <= 1 + ROUNDING)))
    if len(wrong):
        raise UsageError(
            f"Score {score[wrong[0]]:g} in row {wrong[0]} is not between 0 and 1.",
            fix="Divide scores in per cent by 100."
            if 1 < score[wrong[0]] <= 100
            else "The columns are x1 y1 x2 y2 score class.",
        )
    return np.asarray(score.clip(0, 1), np.float32)


def _check_classes(class_id: NDArray[np.float64]) -> IntArray:
    wrong = np.flatnonzero(~((np.abs(class_id) < INT64) & (class_id == np.rint(class_id))))
    if len(wrong):
        raise UsageError(
            f"Class {class_id[wrong[0]]:g} in row {wrong[0]} is not a whole number.",
            fix="The columns are x1 y1 x2 y2 score class.",
        )
    return class_id.astype(np.int64)


def _show(row: NDArray[np.float64]) -> str:
    return " ".join(f"{value:g}" for value in row)
