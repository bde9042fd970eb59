"""How well objects are found in single pictures: COCO's average precision and recall.

Computed by torchmetrics with faster-coco-eval, both of the extra `[train]`. COCO looks at the 100
best boxes of a picture; crowds show 85 people each with a head, so it is 300 here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mot_dinov3.errors import InputError, not_installed
from mot_dinov3.values import Detections, DoubleArray, FloatArray, IntArray, check_shapes

MOST_BOXES = (1, 10, 300)
"""How many boxes of a picture count, for each figure of recall; the last one for all others."""
OVERLAPS = np.linspace(0.5, 0.95, 10).tolist()
"""Least overlaps of a box that is right."""
AT_50, AT_75 = 0, 5
"""Places of .5 and .75 among them."""
RECALLS = np.linspace(0, 1, 101).tolist()
"""Where precision is read. Torchmetrics has them in 32 bits, where .2 is a little more than 1 of 5:
with few objects of a size, average precision is then wrong by up to some thousandths."""
ALL, SMALL, MEDIUM, LARGE = range(4)
"""Sizes of objects: any, up to 32 x 32 pixels, up to 96 x 96, above."""
PACKAGES = (("torchmetrics", "torchmetrics"), ("faster_coco_eval", "faster-coco-eval"))
"""Module and package of what computes the figures."""


@dataclass(frozen=True, slots=True)
class ScoredPicture:
    """What was found in a picture, and the M objects that it shows.

    Attributes:
        found: the detections, with the class ids of the truth.
        xyxy: (M, 4) float32 pixels.
        class_id: (M,) int64.
    """

    found: Detections
    xyxy: FloatArray
    class_id: IntArray

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        check_shapes("ScoredPicture", xyxy=(self.xyxy, (n, 4)), class_id=(self.class_id, (n,)))


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """Average precision and recall (Lin et al. 2014, "Microsoft COCO"), shares of 1.

    A figure is None where no picture shows an object of that size.

    Attributes:
        mean_ap: precision, mean over recalls and over overlaps of .5, .55, ... .95.
        ap50: the same at an overlap of .5.
        ap75: at .75.
        ap_small: of objects up to 32 x 32 pixels.
        ap_medium: of those up to 96 x 96.
        ap_large: of larger ones.
        ar1: recall, mean over the overlaps, of the best box of a picture.
        ar10: of the best ten.
        ar300: of the best three hundred.
    """

    mean_ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float | None
    ar10: float | None
    ar300: float | None


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """The figures of a detector on a data set.

    Attributes:
        overall: mean over the classes that are shown.
        by_class: class id -> its figures, of the classes that are shown.
    """

    overall: DetectionFigures
    by_class: Mapping[int, DetectionFigures]


def require_packages() -> None:
    """Refuse to measure where the packages for it are missing.

    Raises:
        ModelError: it names the first of them.
    """
    from importlib.util import find_spec

    for module, package in PACKAGES:
        if find_spec(module) is None:
            raise not_installed(package, "train", "eval detector")


def measure_detections(pictures: Iterable[ScoredPicture]) -> DetectionScores:
    """Compare what was found with what is shown.

    Args:
        pictures: of a data set; those that show nothing count as well, by what is found in them.

    Raises:
        InputError: no picture shows any object.
        ModelError: a package is missing.
    """
    require_packages()
    metric = _build_metric()
    shown: set[int] = set()
    for picture in pictures:
        shown.update(picture.class_id.tolist())
        metric.update(*_as_tensors(picture))
    if not shown:
        raise InputError(
            "No picture of the data set shows an object, so there is nothing to find.",
            fix="Check its labels, or give another --split.",
        )
    result = metric.compute()
    precision, recall = (np.asarray(result[name], np.float64) for name in ("precision", "recall"))
    classes = np.atleast_1d(np.asarray(result["classes"])).tolist()
    return DetectionScores(
        _read_figures(precision, recall),
        {
            int(number): _read_figures(precision[:, :, row, None], recall[:, row, None])
            for row, number in enumerate(classes)
            if number in shown
        },
    )


def _build_metric() -> Any:  # noqa: ANN401 - of torchmetrics
    from torchmetrics.detection import MeanAveragePrecision

    metric = MeanAveragePrecision(
        backend="faster_coco_eval",
        iou_thresholds=OVERLAPS,
        rec_thresholds=RECALLS,
        max_detection_thresholds=[*MOST_BOXES],
        extended_summary=True,
    )
    metric.warn_on_many_detections = False
    return metric


def _as_tensors(picture: ScoredPicture) -> tuple[list[Any], list[Any]]:
    import torch

    found = picture.found
    boxes, scores, labels, truth, classes = (
        torch.from_numpy(np.ascontiguousarray(array))
        for array in (found.xyxy, found.score, found.class_id, picture.xyxy, picture.class_id)
    )
    return (
        [{"boxes": boxes, "scores": scores, "labels": labels}],
        [{"boxes": truth, "labels": classes}],
    )


def _read_figures(precision: DoubleArray, recall: DoubleArray) -> DetectionFigures:
    """The figures of some classes.

    Args:
        precision: (overlaps, recalls, classes, sizes, numbers of boxes), -1 where nothing is shown.
        recall: (overlaps, classes, sizes, numbers of boxes), likewise.
    """
    return DetectionFigures(
        mean_ap=_mean(precision[..., ALL, -1]),
        ap50=_mean(precision[AT_50, ..., ALL, -1]),
        ap75=_mean(precision[AT_75, ..., ALL, -1]),
        ap_small=_mean(precision[..., SMALL, -1]),
        ap_medium=_mean(precision[..., MEDIUM, -1]),
        ap_large=_mean(precision[..., LARGE, -1]),
        ar1=_mean(recall[..., ALL, 0]),
        ar10=_mean(recall[..., ALL, 1]),
        ar300=_mean(recall[..., ALL, 2]),
    )


def _mean(values: DoubleArray) -> float | None:
    """The mean of what is measured; None where nothing is."""
    measured = values[values >= 0]
    return float(measured.mean()) if measured.size else None
