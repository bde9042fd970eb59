"""Drawn worlds, in which it is known who crosses a line, and who is hidden meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from mot_dinov3.config import CountConfig
from mot_dinov3.data.synthetic.presets.factory import create_world
from mot_dinov3.outputs.counting.counter import FrameCounter
from mot_dinov3.values import CONFIRMED, LOST, Detections, FrameResult, Tracks

pytest.importorskip("supervision")

FRAMES = 200
SHARES = (0.3, 0.5, 0.7)
LINES = ",".join(f"at {share}={share},0,{share},1" for share in SHARES)
SEEN_FROM = 0.2
"""Visibility below which an object counts as hidden."""


@pytest.fixture(scope="module")
def film():
    """Size of the picture, and the truth of each frame."""
    world = create_world("crossings", frames=FRAMES)
    size = world.config.width, world.config.height
    return size, [world.frame(index)[1] for index in range(FRAMES)]


def result_of(index, truth):
    """The truth as a perfect tracker would say it: hidden objects are lost."""
    seen = truth.visibility >= SEEN_FROM
    n = int(seen.sum())
    detection = np.full(len(truth), -1)
    detection[seen] = np.arange(n)
    state = np.where(seen, CONFIRMED, LOST).astype(np.int8)
    score, fresh = np.ones(len(truth), np.float32), np.zeros(len(truth), np.bool_)
    tracks = Tracks(
        truth.track_id, truth.xyxy, score, truth.class_id, state, fresh, detection.astype(np.int64)
    )
    found = Detections(truth.xyxy[seen], score[seen], truth.class_id[seen])
    return FrameResult(index, index / 25, found, tracks)


def count_sides(film, share):
    """(in, out) by hand: how often the feet of an object that is seen change sides."""
    (width, _), frames = film
    side, crossings = {}, [0, 0]
    for truth in frames:
        for track_id, box in zip(truth.track_id, truth.xyxy, strict=True):
            if truth.visibility[truth.track_id == track_id][0] < SEEN_FROM:
                continue
            right = bool((box[0] + box[2]) / 2 > share * width)
            if side.setdefault(track_id, right) != right:
                crossings[not right] += 1
            side[track_id] = right
    return tuple(crossings)


def test_every_crossing_of_the_truth_is_counted(film):
    size, frames = film
    counter = FrameCounter(CountConfig(line=LINES, after=1))
    for index, truth in enumerate(frames):
        counted = counter.count(result_of(index, truth), size).counted
    expected = [count_sides(film, share) for share in SHARES]
    assert [(line.n_in, line.n_out) for line in counted.lines] == expected
    assert sum(map(sum, expected)) > 10
    assert min(truth.visibility.min() for truth in frames) < SEEN_FROM
