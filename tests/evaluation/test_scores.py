from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.io.mot import MotTable

pytest.importorskip("trackeval", reason="the extra [eval] is not installed")

from mot_dinov3.evaluation.scores import score

FRAMES = 20


def table(ids, dx=0.0, visibility=1.0):
    """Two people walking side by side; `ids(frame)` names them."""
    rows = [(f, i, k) for f in range(FRAMES) for k, i in enumerate(ids(f))]
    frame, track, lane = (np.array(column) for column in zip(*rows, strict=True))
    left = 10.0 * frame + dx
    top = 200.0 * lane
    xyxy = np.stack((left, top, left + 50, top + 100), axis=1).astype(np.float32)
    n = len(rows)
    seen = np.where(lane == 1, visibility, 1.0).astype(np.float32)
    return MotTable(frame, track, xyxy, np.ones(n, np.float32), np.full(n, -1), seen)


TRUTH = table(lambda frame: (1, 2))


def test_the_truth_itself_is_perfect():
    scores = score(TRUTH, TRUTH, FRAMES)
    assert (scores.hota, scores.mota, scores.idf1, scores.idsw) == (100, 100, 100, 0)


def test_a_swap_costs_identity_and_not_detection():
    swapped = table(lambda frame: (1, 2) if frame < 10 else (2, 1))
    scores = score(TRUTH, swapped, FRAMES)
    assert scores.deta == 100
    assert scores.idsw == 2
    assert scores.idf1 == 50


def test_nothing_found_scores_nothing():
    nobody = table(lambda frame: (1, 2), dx=5000)
    assert score(TRUTH, nobody, FRAMES).hota == 0


def test_who_cannot_be_seen_is_neither_asked_for_nor_held_against():
    hidden = table(lambda frame: (1, 2), visibility=0.1)
    only_one = table(lambda frame: (1,))
    for result in (only_one, TRUTH):
        assert score(hidden, result, FRAMES, min_visibility=0.3).mota == 100
    assert score(hidden, only_one, FRAMES).mota == 50
