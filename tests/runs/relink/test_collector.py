"""What is collected of a run: ends, classes and appearance of all confirmed tracks."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fakes import blank_frame, boxes
from mot_dinov3.runs.relink.collector import SpreadGallery, TrackletCollector
from mot_dinov3.values import CONFIRMED, LOST, TENTATIVE, Embeddings, FrameResult, Tracks


def tracks(*rows):
    """From (id, state, detection, class_id[, provisional]) rows; boxes stand at 10 times the id."""
    ids = np.array([row[0] for row in rows], np.int64)
    xyxy = np.stack([np.array([10 * n, 0, 10 * n + 20, 20], np.float32) for n in ids])
    n = len(rows)
    return Tracks(ids, xyxy, np.ones(n, np.float32), np.array([row[3] for row in rows], np.int64),
                  np.array([row[1] for row in rows], np.int8), np.zeros(n, bool),
                  np.array([row[2] for row in rows], np.int64),
                  np.array([(*row, 0)[4] for row in rows], np.int64))  # fmt: skip


def result(index, who, *, fresh=(), poor=()):
    """A frame in which the detections `fresh` were embedded, as their number in one-hot."""
    n = 4
    flags = np.isin(np.arange(n), fresh)
    looks = Embeddings(np.eye(n, dtype=np.float32), flags, np.ones(n, bool), np.array(poor, int))
    seen = boxes(*[(0, 0, 9, 9)] * n)
    return FrameResult(index, index / 10, seen, who, embeddings=looks)


def gathered(*results):
    with TrackletCollector() as collector:
        for item in results:
            collector.write(blank_frame(item.frame_index), item)
    return {item.id: item for item in collector.tracklets()}


def test_an_identity_has_a_first_and_a_last_sighting_and_the_last_class():
    life = gathered(
        result(0, tracks((3, TENTATIVE, 0, 5))),
        result(1, tracks((3, CONFIRMED, 1, 5))),
        result(2, tracks((3, CONFIRMED, 1, 7))),
        result(3, tracks((3, LOST, -1, 7))),
    )[3]
    assert (life.first.time_s, life.last.time_s) == (0.0, 0.2)
    assert life.first.xyxy == (30, 0, 50, 20)
    assert life.class_id == 7
    assert (life.last.centre, life.last.size) == ((40, 10), 20)


def test_a_tracklet_begins_with_the_tentative_frames_of_its_track():
    life = gathered(
        result(0, tracks((-2, TENTATIVE, 2, 0), (-3, TENTATIVE, 1, 0)), fresh=[1, 2]),
        result(1, tracks((1, CONFIRMED, 2, 0, -2))),
    )
    assert set(life) == {1}
    assert life[1].first.time_s == 0.0
    assert life[1].vectors.tolist() == [[0, 0, 1, 0]]


def test_only_embeddings_of_this_frame_and_good_crops_are_kept():
    life = gathered(
        result(0, tracks((1, CONFIRMED, 2, 0)), fresh=[2]),
        result(1, tracks((1, CONFIRMED, 1, 0))),
        result(2, tracks((1, CONFIRMED, 3, 0)), fresh=[3], poor=[3]),
        result(3, tracks((1, LOST, -1, 0)), fresh=[0]),
    )[1]
    assert life.vectors.tolist() == [[0, 0, 1, 0]]


def test_who_was_never_confirmed_is_no_identity():
    collector = TrackletCollector()
    collector.write(blank_frame(0), result(0, tracks((1, TENTATIVE, 0, 0), (2, TENTATIVE, 1, 0))))
    collector.write(blank_frame(1), result(1, tracks((2, CONFIRMED, 1, 0))))
    assert [item.id for item in collector.tracklets()] == [2]
    assert len(collector._open) == 1


def test_a_system_without_embeddings_leaves_empty_galleries():
    item = result(0, tracks((1, CONFIRMED, 0, 0)))
    bare = FrameResult(0, 0.0, item.detections, item.tracks)
    assert gathered(bare)[1].vectors.shape == (0, 0)


def test_memory_does_not_grow_with_the_length_of_a_run():
    frames = [result(n, tracks((1, CONFIRMED, n % 4, 0)), fresh=range(4)) for n in range(500)]
    assert len(gathered(*frames)[1].vectors) <= 8


def filled(count, most=8):
    gallery = SpreadGallery(most)
    for number in range(count):
        gallery.add(np.array([number, 0.0], np.float32))
    return gallery.vectors[:, 0].astype(int).tolist() if count else gallery.vectors


def test_what_fits_is_kept():
    assert filled(0).shape == (0, 0)
    assert filled(1) == [0]
    assert filled(8) == list(range(8))


@pytest.mark.parametrize("count", [9, 20, 33, 100, 1000, 12345])
def test_many_are_spread_evenly_and_bounded(count):
    kept = filled(count)
    assert 4 <= len(kept) <= 8
    steps = set(np.diff(kept).tolist())
    assert len(steps) == 1
    assert kept[0] == 0
    assert count - kept[-1] <= 2 * steps.pop()


def test_a_kept_vector_does_not_follow_the_array_it_came_from():
    gallery, vector = SpreadGallery(), np.array([1.0, 0.0], np.float32)
    gallery.add(vector)
    vector[:] = 0
    assert gallery.vectors.tolist() == [[1.0, 0.0]]
