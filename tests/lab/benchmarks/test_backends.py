"""The benchmark of backends: what it compares, and that it runs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mot_dinov3.commands import main
from mot_dinov3.lab.benchmarks.backends import compare_boxes, find_least_cosine
from mot_dinov3.values import Detections


def found(*boxes):
    """Detections from (x1, y1, x2, y2, class id)."""
    table = np.array(boxes, np.float32).reshape(-1, 5)
    return Detections(table[:, :4], np.ones(len(table), np.float32), table[:, 4].astype(np.int64))


def test_boxes_are_the_same_by_place_and_class():
    one = [found((0, 0, 10, 10, 0), (50, 50, 60, 60, 1)), found()]
    assert compare_boxes(one, one) == {"same": 1.0, "off_px": 0.0}
    moved = [found((1, 0, 11, 10, 0), (50, 50, 60, 60, 2)), found((0, 0, 5, 5, 0))]
    assert compare_boxes(one, moved) == {"same": 0.4, "off_px": 0.5}
    assert compare_boxes([found()], [found()]) == {"same": 1.0, "off_px": 0.0}


def test_the_worst_pair_of_embeddings_counts():
    one = np.array([[1, 0], [0, 1]], np.float32)
    other = np.array([[1, 0], [0.6, 0.8]], np.float32)
    assert find_least_cosine([one, one], [one, other]) == {"cosine": 0.8}


@pytest.mark.slow
def test_it_measures_every_backend_that_is_here(capsys, monkeypatch):
    monkeypatch.setattr("mot_dinov3.lab.benchmarks.figures.LEAST_ROUNDS", 1)
    words = ["backends", "--frames", "4", "--imgsz", "160", "--device", "cpu"]
    assert main(["bench", *words]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["benchmarks"]["backends"]["rows"]
    by_name = {row["label"]: row for row in rows}
    assert by_name["detector, torch fp32"]["speedup"] == 1
    for row in rows:
        if "skipped" in row:
            assert len(row["skipped"]) > 20
            continue
        assert row["ms"] > 0
        if row["label"].startswith("detector, ") and row["label"].endswith("fp32"):
            assert row["same"] == 1
        if row["label"].startswith("embedder, "):
            assert row["cosine"] > 0.99
