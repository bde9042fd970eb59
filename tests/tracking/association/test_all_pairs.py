"""Leaving out the pairs that do not touch changes nothing: the same as if all were compared."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import boxes
from helpers.situations import CONFIRMED, LOST, TENTATIVE, embedded, expected, lives, seen, table
from mot_dinov3.config import AssociationConfig, TrackerConfig
from mot_dinov3.scheduling import planning
from mot_dinov3.tracking.association import place
from mot_dinov3.tracking.association.cascade import CascadeAssociation
from mot_dinov3.tracking.camera import steady
from mot_dinov3.tracking.camera.steady import estimate_shift

LOOKS = [[1, 0, 0, 0], [0, 1, 0, 0], [0.9, 0.4, 0, 0], None]


def every_pair(a, b, *_):
    """As `touching` and `overlapping`, for (4, N) and (4, M)."""
    return tuple(np.indices((a.shape[1], b.shape[1])).reshape(2, -1))


def some_boxes(rng, n, wide=400):
    corner, size = rng.uniform(0, wide, (n, 2)), rng.uniform(20, 90, (n, 2))
    return np.hstack((corner, corner + size)).astype(np.float32)


def some_scene(rng):
    """Tracks of all states, and detections about them: near, far, weak, of another class."""
    n, t = rng.integers(1, 14, 2)
    state = rng.choice([CONFIRMED, CONFIRMED, LOST, TENTATIVE], t)
    there = some_boxes(rng, t)
    view = expected(
        *there,
        state=state,
        lost_s=np.where(state == LOST, rng.uniform(0, 3, t), 1 / 30),
        looks=[LOOKS[k] for k in rng.integers(0, 4, t)],
        class_id=rng.integers(0, 2, t),
    )
    near = there[rng.integers(0, t, n)] + rng.normal(0, 12, (n, 1)).astype(np.float32)
    here = np.where(rng.random((n, 1)) < 0.7, near, some_boxes(rng, n))
    rows = [
        (*box, s, c)
        for box, s, c in zip(here, rng.uniform(0.1, 1, n), rng.integers(0, 2, n), strict=True)
    ]
    return view, rows, embedded([LOOKS[k] for k in rng.integers(0, 4, n)])


CONFIGS = [
    AssociationConfig(),
    AssociationConfig(hasty_iou=0.1, recent_first=True, adaptive_appearance=True),
    AssociationConfig(worst_cost=1e3, growth=0.0, growth_per_s=0.0, height_power=0.0),
    AssociationConfig(no_hungarian=True, growth=0.3),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_same_matches_and_prices(monkeypatch, config):
    rng = np.random.default_rng(5)
    cascade = CascadeAssociation(config, lives())
    fewer = 0
    for _ in range(60):
        view, rows, given = some_scene(rng)
        answers = []
        for find in (place.find_touching, every_pair):
            with monkeypatch.context() as patch:
                patch.setattr(place, "find_touching", find)
                scene = seen(view, *rows, config=config)
                matches = cascade.associate(scene, given, view)
                price = table(scene, cascade.place_cost(scene, view), len(view), np.inf)
            order = np.argsort(matches.detection_rows)
            pairs = np.stack((matches.detection_rows, matches.track_rows))[:, order]
            answers.append((pairs, matches.cost[order], price, len(scene.near)))
        for some, all_of_them in zip(answers[0][:3], answers[1][:3], strict=True):
            np.testing.assert_array_equal(some, all_of_them)
        fewer += answers[0][3] < answers[1][3]
    assert fewer > 40


def test_the_same_shift_of_the_camera(monkeypatch):
    rng = np.random.default_rng(6)
    for _ in range(40):
        there = some_boxes(rng, 12)
        here = there + np.array([9, -4, 9, -4], np.float32) + rng.normal(0, 1, (12, 4))
        some = estimate_shift(here.astype(np.float32), there)
        with monkeypatch.context() as patch:
            patch.setattr(steady, "find_overlapping", every_pair)
            np.testing.assert_array_equal(some, estimate_shift(here.astype(np.float32), there))


def test_the_same_crowd(monkeypatch):
    rng = np.random.default_rng(7)
    nobody = expected()
    for _ in range(40):
        rows = [
            (*box, 0.9, c)
            for box, c in zip(some_boxes(rng, 12, 200), rng.integers(0, 2, 12), strict=True)
        ]
        scene = seen(nobody, *rows)
        some = planning.measure_crowding(scene)
        with monkeypatch.context() as patch:
            patch.setattr(planning, "find_overlapping", every_pair)
            for found, wanted in zip(some, planning.measure_crowding(scene), strict=True):
                np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_same_matches_where_the_crowd_is_sorted_first(monkeypatch):
    """Many boxes are swept from left to right instead of compared with each other."""
    from mot_dinov3.tracking.tracker import Tracker
    from mot_dinov3.values import boxes as geometry

    def tracked():
        rng, tracker, out = np.random.default_rng(8), Tracker(TrackerConfig()), []
        there = some_boxes(rng, 60)
        for index in range(12):
            there = there + rng.normal(0, 3, (60, 1)).astype(np.float32)
            detections = boxes(*[(*box, 0.8, 0) for box in there[rng.random(60) < 0.9]])
            view = tracker.predict(index / 30, detections)
            tracks = tracker.update(
                tracker.compare(detections, view), embedded([None] * len(detections)), view
            )
            out += [tracks.id.tolist(), tracks.xyxy.tolist()]
        return out

    plain = tracked()
    with monkeypatch.context() as patch:
        patch.setattr(geometry, "DENSE_PAIRS", 0)
        patch.setattr(geometry, "STRIP", 16)
        assert tracked() == plain
