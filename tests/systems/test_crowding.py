from __future__ import annotations

import logging
import time

import numpy as np
import pytest

from mot_dinov3.systems import crowding
from mot_dinov3.systems.crowding import MOST_PAIRS, CrowdLimit, count_comparable
from mot_dinov3.values import Detections
from mot_dinov3.values.boxes import iou_matrix


def place(centres, size=40.0, score=None):
    centres = np.asarray(centres, np.float32)
    xyxy = np.concatenate((centres - size / 2, centres + size / 2), axis=1)
    n = len(xyxy)
    score = np.full(n, 0.9, np.float32) if score is None else np.asarray(score, np.float32)
    return Detections(xyxy, score, np.zeros(n, np.int64))


def random_places(n, seed, span=1000.0):
    return np.random.default_rng(seed).uniform(0, span, (n, 2))


def count_by_hand(xyxy):
    for count in range(len(xyxy), 0, -1):
        part = xyxy[:count]
        if (iou_matrix(part, part) > 0).sum() <= crowding.MOST_PAIRS:
            return count
    return 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("most", [50, 400, 3000])
def test_pairs_are_counted_as_by_hand(monkeypatch, seed, most):
    monkeypatch.setattr(crowding, "MOST_PAIRS", most)
    monkeypatch.setattr(crowding, "STRIP", 7)
    xyxy = place(random_places(90, seed, span=200.0)).xyxy
    assert count_comparable(xyxy) == count_by_hand(xyxy)


def test_a_crowd_that_may_be_real_is_handed_on_as_it_is():
    many = place(random_places(3000, 1, span=4000.0))
    assert CrowdLimit()(many) is many
    few = place(np.zeros((700, 2)))
    assert CrowdLimit()(few) is few


def test_of_boxes_in_one_place_the_most_confident_stay_in_their_order(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("mot_dinov3"), "propagate", True)
    caplog.set_level(logging.INFO, "mot_dinov3")
    score = np.random.default_rng(0).uniform(0.1, 1, 3000)
    limit, many = CrowdLimit(), place(np.zeros((3000, 2)), score=score)
    kept = limit(many)
    limit(many)
    assert len(kept) == int(MOST_PAIRS**0.5)
    assert kept.score.min() >= np.sort(many.score)[-len(kept)]
    rows = np.flatnonzero(np.isin(many.score, kept.score))
    assert kept.score.tolist() == many.score[rows].tolist()
    assert caplog.text.count("lie on top of each other") == 1


def test_counting_takes_no_time():
    started = time.perf_counter()
    CrowdLimit()(place(random_places(10_000, 2, span=20_000.0)))
    assert time.perf_counter() - started < 5
