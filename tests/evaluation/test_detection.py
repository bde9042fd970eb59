"""Average precision and recall: against forty lines that compute the same, and at the edges."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from helpers import detection_oracle
from mot_dinov3.errors import InputError, ModelError
from mot_dinov3.evaluation.detection import ScoredPicture, measure_detections
from mot_dinov3.values import Detections

for _package in ("torchmetrics", "faster_coco_eval"):
    pytest.importorskip(_package, reason="the extra [train] is not installed")


def make_picture(rng, truths, classes, *, missed=0.2, invented=0.5):
    """A picture with objects of many sizes, of which some are found, and boxes of nothing."""
    corner = rng.uniform(0, 500, (truths, 2))
    xyxy = np.hstack([corner, corner + np.exp(rng.uniform(2.5, 5.2, (truths, 2)))])
    class_id = rng.integers(0, classes, truths)
    rows = np.flatnonzero(rng.random(truths) > missed)
    side = (xyxy[rows, 2:] - xyxy[rows, :2]).repeat(2, axis=1).reshape(-1, 4)
    near = xyxy[rows] + rng.normal(0, 0.06, (len(rows), 4)) * side
    extra = int(truths * invented) + 2
    start = rng.uniform(0, 500, (extra, 2))
    far = np.hstack([start, start + rng.uniform(10, 150, (extra, 2))])
    boxes = np.vstack([near, far]).astype(np.float32)
    labels = np.concatenate([class_id[rows], rng.integers(0, classes, extra)])
    score = rng.permutation(len(boxes)).astype(np.float32) / len(boxes)  # no two are equal
    found = Detections(boxes, score, labels.astype(np.int64))
    return ScoredPicture(found, xyxy.astype(np.float32), class_id.astype(np.int64))


@pytest.fixture(scope="module")
def crowd():
    """Pictures of two classes: a crowd of 150 with 200 boxes, some of few objects, one of none."""
    rng = np.random.default_rng(5)
    pictures = [make_picture(rng, count, 2) for count in (150, 12, 5, 0)]
    shift = 0.0
    out = []
    for one in pictures:  # no two scores of all pictures are equal, either
        found = Detections(one.found.xyxy, one.found.score * 0.9 + shift, one.found.class_id)
        out.append(ScoredPicture(found, one.xyxy, one.class_id))
        shift += 1e-4
    return out


@pytest.fixture(scope="module")
def scores(crowd):
    return measure_detections(crowd)


AREAS = {"ap_small": (0, 1024), "ap_medium": (1024, 9216), "ap_large": (9216, 1e10)}


@pytest.mark.parametrize("number", [0, 1])
def test_a_class_is_measured_as_forty_lines_measure_it(number, crowd, scores):
    ours = scores.by_class[number]
    mean_ap, ap50, ap75, ar300 = detection_oracle.measure(crowd, number)
    assert (ours.mean_ap, ours.ap50, ours.ap75, ours.ar300) == pytest.approx(
        (mean_ap, ap50, ap75, ar300), abs=1e-5
    )
    assert 0.1 < ours.mean_ap < ours.ap50 < 0.95
    for name, areas in AREAS.items():
        wanted = detection_oracle.measure(crowd, number, areas=areas)[0]
        assert getattr(ours, name) == pytest.approx(wanted, abs=1e-5)
    for name, most in (("ar1", 1), ("ar10", 10)):
        wanted = detection_oracle.measure(crowd, number, most)[3]
        assert getattr(ours, name) == pytest.approx(wanted, abs=1e-5)


def test_more_than_a_hundred_boxes_of_a_picture_count(crowd, scores):
    hundred = np.mean([detection_oracle.measure(crowd, number, 50)[3] for number in (0, 1)])
    assert scores.overall.ar300 > hundred + 0.05


def test_all_is_the_mean_of_the_classes(scores):
    for name in ("mean_ap", "ap50", "ap_small", "ar10", "ar300"):
        each = [getattr(figures, name) for figures in scores.by_class.values()]
        assert getattr(scores.overall, name) == pytest.approx(np.mean(each))


def picture(boxes, classes, found=(), score=0.5, found_class=0):
    found = np.array(found, np.float32).reshape(-1, 4)
    n = len(found)
    return ScoredPicture(
        Detections(found, np.full(n, score, np.float32), np.full(n, found_class, np.int64)),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int64),
    )


LARGE, TINY = [0, 0, 200, 200], [300, 300, 320, 320]


def test_perfect_boxes_none_and_sizes_that_are_not_there():
    perfect = measure_detections([picture([LARGE], [0], [LARGE])]).overall
    assert (perfect.mean_ap, perfect.ap75, perfect.ap_large, perfect.ar1) == (1, 1, 1, 1)
    assert (perfect.ap_small, perfect.ap_medium) == (None, None)
    nothing = measure_detections([picture([TINY], [0])]).overall
    assert (nothing.mean_ap, nothing.ap_small, nothing.ar300) == (0, 0, 0)
    assert nothing.ap_large is None


def test_what_is_found_in_an_empty_picture_counts_against_it():
    good = picture([LARGE], [0], [LARGE], score=0.5)
    alone = measure_detections([good]).overall
    wrong = measure_detections([good, picture([], [], [TINY], score=0.9)]).overall
    assert alone.ap50 == 1
    assert wrong.ap50 == pytest.approx(0.5)


def test_a_class_that_no_picture_shows_has_no_figures():
    shown = picture([LARGE], [0], [LARGE])
    scores = measure_detections([shown, picture([], [], [TINY], found_class=7)])
    assert scores.by_class.keys() == {0}
    assert scores.overall.mean_ap == 1


def test_a_data_set_without_objects_is_refused():
    with pytest.raises(InputError, match="No picture of the data set shows an object"):
        measure_detections([picture([], [], [TINY])])


MISSING = [("torchmetrics", "torchmetrics"), ("faster_coco_eval", "faster-coco-eval")]


@pytest.mark.parametrize(("module", "package"), MISSING)
def test_a_missing_package_is_named(module, package, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else find(name)
    )
    with pytest.raises(ModelError, match=f"'{package}', which is not installed") as caught:
        measure_detections([])
    assert "[train]" in caught.value.fix
