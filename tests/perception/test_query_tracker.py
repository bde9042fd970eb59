"""Tracks of queries: born where the network is sure, kept while it is, and forgotten in time."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.motr_runs import make_network
from mot_dinov3.io.checkpoint import CheckpointConfig
from mot_dinov3.perception.query_tracker import QueryRules, QueryTracker
from mot_dinov3.values import CONFIRMED, LOST

CONFIG = CheckpointConfig(
    "motr", {"longest_px": 96}, ("one", "two"), mean=(0.5,) * 3, std=(0.25,) * 3
)
IMAGES = np.random.default_rng(0).integers(0, 255, (8, 60, 90, 3), np.uint8)
ALWAYS = QueryRules(birth=0.0, keep=0.0, birth_iou=0.5, max_lost_s=0.25)


@pytest.fixture(scope="module")
def network():
    return make_network()


def run(network, rules, times=(0.0, 0.1, 0.2)):
    tracker = QueryTracker(network, CONFIG, rules)
    return tracker, [tracker.step(image, time) for image, time in zip(IMAGES, times, strict=False)]


def test_sure_detections_begin_tracks_that_go_on(network):
    tracker, steps = run(network, ALWAYS)
    first, last = steps[0][1], steps[-1][1]
    assert first.id.tolist() == list(range(1, len(first) + 1))
    assert last.id[: len(first)].tolist() == first.id.tolist()
    assert tracker.initiated == last.id.max()
    detections, tracks = steps[-1]
    np.testing.assert_array_equal(detections.xyxy[tracks.detection], tracks.xyxy)
    assert (tracks.xyxy >= 0).all()
    assert (tracks.xyxy <= [90, 60, 90, 60]).all()
    assert set(tracks.state) == {CONFIRMED}


def test_nothing_begins_without_a_sure_detection(network):
    tracker, steps = run(network, QueryRules())
    assert [len(tracks) for _, tracks in steps] == [0, 0, 0]
    assert tracker.initiated == 0


def test_a_lost_track_stays_where_it_was_for_a_time_and_its_memory_goes_with_it(network):
    rules = QueryRules(birth=0.0, keep=2.0, birth_iou=0.0, max_lost_s=0.25)
    tracker = QueryTracker(network, CONFIG, rules)
    _, first = tracker.step(IMAGES[0], 0.0)
    sizes = []
    for number, time in enumerate((0.1, 0.2, 0.3), start=1):
        _, tracks = tracker.step(IMAGES[number], time)
        known = np.isin(tracks.id, first.id)
        sizes.append(int(known.sum()))
        assert (tracks.state[known] == LOST).all()
        assert (tracks.detection[known] == -1).all()
        np.testing.assert_array_equal(tracks.xyxy[known], first.xyxy[: known.sum()])
        assert len(tracker.queries.content) == len(tracks) == len(tracker.queries.memory[0])
    assert sizes == [len(first), len(first), 0]


def test_no_two_tracks_begin_in_one_place(network):
    _, many = run(network, QueryRules(0.0, 0.0, 1.1, 1.0), (0.0,))
    _, few = run(network, QueryRules(0.0, 0.0, 0.05, 1.0), (0.0,))
    assert 0 < len(few[0][1]) < len(many[0][1])


def test_only_wanted_classes_begin(network):
    _, steps = run(network, ALWAYS, (0.0,))
    present = set(steps[0][1].class_id.tolist())
    wanted = min(present)
    _, some = run(network, QueryRules(0.0, 0.0, 0.5, 1.0, frozenset({wanted})), (0.0,))
    assert set(some[0][1].class_id.tolist()) == {wanted}
    _, none = run(network, QueryRules(0.0, 0.0, 0.5, 1.0, frozenset()), (0.0,))
    assert len(none[0][1]) == 0


def test_a_warm_up_is_forgotten(network):
    cold, steps = run(network, ALWAYS)
    warm = QueryTracker(network, CONFIG, ALWAYS)
    warm.warm_up(IMAGES[5])
    for image, time, (_, before) in zip(IMAGES, (0.0, 0.1, 0.2), steps, strict=False):
        _, tracks = warm.step(image, time)
        np.testing.assert_array_equal(tracks.xyxy, before.xyxy)
    assert warm.queries.content.equal(cold.queries.content)
